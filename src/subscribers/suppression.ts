// The addresses that must not be mailed, by keyed hash: a suppression outlives the subscriber and, after an erasure, the address.
//
// Only this file suppresses and restores. The subscriber of a suppressed address is `suppressed`. Their former status and due time
// are stored with the suppression and restored when it is removed. If they unsubscribe meanwhile, or undo that, the stored status
// changes (standing.ts).

import { sql, type Selectable } from 'kysely'
import type { EmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { SubscribersTable, SubscriberStatus, Suppression } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import type { DeadAddresses } from '../delivery/dead-addresses.ts'
import { setDueTimes, takeDueTimes } from '../calendar/due-times.ts'
import { listChosen, whenDue } from './subscriptions.ts'

export type SuppressionReason = Suppression['reason']

export interface NewSuppression {
  emailHash: string
  /** null: only the hash may be stored. */
  email: string | null
  reason: SuppressionReason
  detail?: string
  /** The mail whose answer is the reason. */
  deliveryId?: number
  domain?: string
  relay?: string
  brakeId?: number | null
  at?: Date | null
}

/**
 * Which reasons each reason replaces. A person's decision outranks a server's answer. An erasure replaces all others, and any
 * later reason replaces it, because an erased person who signs up is a new subscriber.
 */
const outranked: Record<SuppressionReason, readonly SuppressionReason[]> = {
  hard_bounce: [],
  soft_bounces: [],
  manual: ['hard_bounce', 'soft_bounces', 'erasure'],
  complaint: ['hard_bounce', 'soft_bounces', 'erasure'],
  erasure: ['hard_bounce', 'soft_bounces', 'manual', 'complaint'],
}

/** Whether a reason replaces another. Pure. */
export function outranks(reason: SuppressionReason, other: SuppressionReason): boolean {
  return outranked[reason].includes(other)
}

/** Safe to repeat: the first reason stays, unless the new one outranks it. */
export async function suppress(trx: Trx, entry: NewSuppression, now: Date): Promise<void> {
  await suppressAll(trx, entry.reason, [entry], now)
}

/** The same for many with one reason. The number of statements grows only by a few per thousand. */
export async function suppressAll(
  trx: Trx,
  reason: SuppressionReason,
  entries: readonly NewSuppression[],
  now: Date,
): Promise<void> {
  const byHash = new Map(entries.toReversed().map((entry) => [entry.emailHash, entry]))
  for (const some of inBatches([...byHash.keys()].sort())) {
    const holders = await lockHolders(trx, some)
    await trx
      .insertInto('suppressions')
      .values(some.map((emailHash) => columnsOf(byHash.get(emailHash)!, now)))
      .onConflict((conflict) =>
        outranked[reason].length > 0
          ? conflict
              .column('emailHash')
              .doUpdateSet((eb) => ({
                email: eb.ref('excluded.email'),
                reason: eb.ref('excluded.reason'),
                detail: eb.ref('excluded.detail'),
                createdAt: eb.ref('excluded.createdAt'),
                deliveryId: eb.ref('excluded.deliveryId'),
                domain: eb.ref('excluded.domain'),
                relay: eb.ref('excluded.relay'),
                brakeId: eb.ref('excluded.brakeId'),
                ...(reason === 'erasure' ? nothingBefore : {}),
              }))
              .where('suppressions.reason', 'in', outranked[reason])
          : conflict.column('emailHash').doNothing(),
      )
      .execute()
    await stopMailTo(
      trx,
      holders.filter(({ status }) => status !== 'suppressed'),
      reason,
    )
  }
}

function columnsOf(entry: NewSuppression, now: Date) {
  return {
    emailHash: entry.emailHash,
    email: entry.email,
    reason: entry.reason,
    detail: entry.detail?.slice(0, 500) ?? '',
    createdAt: entry.at ?? now,
    deliveryId: entry.deliveryId ?? null,
    domain: entry.domain ?? null,
    relay: entry.relay ?? null,
    brakeId: entry.brakeId ?? null,
  }
}

/** Stores the former status and due time of locked subscribers with their suppressions. */
async function stopMailTo(
  trx: Trx,
  holders: readonly Selectable<SubscribersTable>[],
  reason: SuppressionReason,
): Promise<void> {
  if (holders.length === 0) return
  const ids = holders.map(({ id }) => id)
  await trx.updateTable('subscribers').set({ status: 'suppressed' }).where(isOneOf('id', ids)).execute()
  const due = new Map((await takeDueTimes(trx, ids)).map((row) => [row.subscriberId, row]))
  if (reason === 'erasure') return
  const times = holders.map(({ id }) => due.get(id)?.nextDueAt.toISOString() ?? null)
  const carried = holders.map(({ id }) => due.get(id)?.carriedDue ?? null)
  await sql`
    update suppressions p set status_before = h.status, due_before = h.due, carried_before = h.carried
    from unnest(${holders.map(({ emailHash }) => emailHash)}::text[], ${holders.map(({ status }) => status)}::text[],
      ${times}::timestamptz[], ${carried}::int[]) as h (email_hash, status, due, carried)
    where p.email_hash = h.email_hash`.execute(trx)
}

export const nothingBefore = { statusBefore: null, dueBefore: null, carriedBefore: null }

export const batchSize = 2000

function* inBatches<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let at = 0; at < items.length; at += batchSize) yield items.slice(at, at + batchSize)
}

/** As one parameter, so that the statement is the same for any number. */
const isOneOf = (column: 'id' | 'subscriberId', ids: readonly number[]) =>
  sql<boolean>`${sql.ref(column)} = any(${[...ids]}::bigint[])`
const hasHash = (hashes: readonly string[]) => sql<boolean>`email_hash = any(${[...hashes]}::text[])`

/** Subscribers are locked before the list's entries, as in an erasure, so that the two can't deadlock. */
function lockHolders(trx: Trx, emailHashes: readonly string[]) {
  return trx
    .selectFrom('subscribers')
    .selectAll()
    .where(hasHash(emailHashes))
    .orderBy('emailHash')
    .forNoKeyUpdate()
    .execute()
}

/** By hand: an editor or an API key decides that this address must not be mailed. */
export async function suppressAddress(
  ctx: Context,
  address: EmailAddress,
  reason: SuppressionReason,
  detail = '',
): Promise<void> {
  const emailHash = hashAddress(await getPepper(ctx.db), address.key)
  await ctx.db
    .transaction()
    .execute((trx) => suppress(trx, { emailHash, email: address.email, reason, detail }, ctx.clock.now()))
}

/** The implementation for delivery/. */
export function deadAddressesOf(ctx: Pick<Context, 'config' | 'clock'>): DeadAddresses {
  return {
    suppress: (trx, dead) =>
      suppressAll(
        trx,
        'hard_bounce',
        dead.map(({ reply, ...proof }) => ({ ...proof, reason: 'hard_bounce', detail: reply })),
        ctx.clock.now(),
      ),
    restore: async (trx, deliveryIds) => {
      const entries = await trx
        .selectFrom('suppressions')
        .select('emailHash')
        .where(sql<boolean>`delivery_id = any(${[...deliveryIds]}::bigint[])`)
        .orderBy('emailHash')
        .execute()
      for (const some of inBatches(entries)) await restore(trx, ctx, hashesOf(some))
    },
  }
}

/** Removes an address from the list. Its subscriber gets their former status back. false: it wasn't on the list. */
export async function unsuppress(ctx: Context, emailHash: string): Promise<boolean> {
  return (await ctx.db.transaction().execute((trx) => restore(trx, ctx, [emailHash]))) > 0
}

const hashesOf = (entries: readonly { emailHash: string }[]) => entries.map(({ emailHash }) => emailHash)

/** In the caller's transaction, for at most a few thousand addresses. Returns how many were on the list. */
export async function restore(
  trx: Trx,
  ctx: Pick<Context, 'config' | 'clock'>,
  emailHashes: readonly string[],
): Promise<number> {
  const holders = await lockHolders(trx, emailHashes)
  const removed = await trx.deleteFrom('suppressions').where(hasHash(emailHashes)).returningAll().execute()
  const entries = new Map(removed.map((entry) => [entry.emailHash, entry]))
  const suppressed = holders.filter(({ status }) => status === 'suppressed')
  await giveBack(
    trx,
    ctx,
    suppressed.map((subscriber) => ({ subscriber, entry: entries.get(subscriber.emailHash) })),
  )
  return removed.length
}

export interface Returning {
  subscriber: Selectable<SubscribersTable>
  entry: Suppression | undefined
}

export const statusBefore = ({ entry }: Returning): SubscriberStatus => entry?.statusBefore ?? 'unsubscribed'

/** Gives locked subscribers their former status and due time back. */
export async function giveBack(
  trx: Trx,
  ctx: Pick<Context, 'config' | 'clock'>,
  returning: readonly Returning[],
): Promise<void> {
  if (returning.length === 0) return
  const now = ctx.clock.now()
  const ids = returning.map(({ subscriber }) => subscriber.id)
  await sql`
    update subscribers s set status = b.status
    from unnest(${ids}::bigint[], ${returning.map(statusBefore)}::text[]) as b (id, status) where s.id = b.id`.execute(
    trx,
  )
  const chosen = Map.groupBy(await listChosen(trx, ids), ({ subscriberId }) => subscriberId)
  // A slot older than the grace is past for everybody, and must not be counted as missed now.
  const earliest = now.getTime() - ctx.config.digest.graceHours * 3_600_000
  await setDueTimes(
    trx,
    returning.map((each) => {
      const { subscriber, entry } = each
      const { id: subscriberId } = subscriber
      const status = statusBefore(each)
      if (entry?.dueBefore && status === 'active' && entry.dueBefore.getTime() >= earliest)
        return { subscriberId, nextDueAt: entry.dueBefore, carriedDue: entry.carriedBefore ?? 0 }
      const { nextDueAt } = whenDue(ctx.config, { ...subscriber, status }, chosen.get(subscriberId) ?? [], now)
      return { subscriberId, nextDueAt, carriedDue: 0 }
    }),
  )
}
