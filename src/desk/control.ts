// What an editor does to an edition that exists: hold, release, pause, resume, cancel, retry what failed. Each is one transaction
// with its line in the audit log; workers read the edition's state in the statement that puts a mail on the wire, so it counts
// for the very next one.

import { type RawBuilder, sql } from 'kysely'
import { type Actor, audit } from '../access/audit.ts'
import { Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import type { Trx } from '../db/connect.ts'
import { deliveryChannel } from '../delivery/outbox.ts'
import { resolveUncertain } from '../delivery/uncertain.ts'
import type { Edition, EditionState } from '../db/schema.ts'
import { addCount } from '../editions/store.ts'
import { lockPlanning } from '../planning/plan.ts'
import { canSendAgain, isRetryable, laterEditions } from './send-again.ts'

export const editionMoves = {
  hold: ['awaiting_approval'],
  release: ['awaiting_approval', 'held'],
  pause: ['sending'],
  resume: ['paused'],
  cancel: ['planning', 'awaiting_approval', 'held', 'sending', 'paused'],
} as const satisfies Record<string, readonly EditionState[]>
export type EditionMove = keyof typeof editionMoves

const pastTense = {
  hold: 'edition.held',
  release: 'edition.released',
  pause: 'edition.paused',
  resume: 'edition.resumed',
  cancel: 'edition.cancelled',
} as const satisfies Record<EditionMove, string>

/** Waits for its slot only, as an editor has released it. Pure. */
export function isReleased({ state, approvedAt }: Pick<Edition, 'state' | 'approvedAt'>): boolean {
  return state === 'awaiting_approval' && approvedAt !== null
}

/** What an editor may do now. Pure. */
export function movesOf(edition: Pick<Edition, 'state' | 'closedAt' | 'approvedAt'>): EditionMove[] {
  if (edition.closedAt) return []
  const all = Object.entries(editionMoves) as [EditionMove, readonly EditionState[]][]
  return all
    .filter(([move, from]) => from.includes(edition.state) && !(move === 'release' && isReleased(edition)))
    .map(([move]) => move)
}

/** The state in words for editors. Pure. */
export function stateWords(edition: Pick<Edition, 'state' | 'approvedAt'>): string {
  return isReleased(edition) ? 'released' : edition.state.replaceAll('_', ' ')
}

export async function moveEdition(
  ctx: Context,
  input: { editionId: number; move: EditionMove; actor: Actor },
): Promise<void> {
  const now = ctx.clock.now()
  const { editionId, move, actor } = input
  await ctx.db.transaction().execute(async (trx) => {
    const edition = await lock(trx, editionId)
    if (!movesOf(edition).includes(move))
      throw new Refusal(
        'conflict',
        `Edition ${editionId} is ${stateWords(edition)}: it can't be ${pastTense[move].slice(8)}.`,
      )
    await trx
      .updateTable('editions')
      .set({ ...changeOf(move, edition, now), progressAt: sql<Date>`now()` })
      .where('id', '=', editionId)
      .execute()
    await audit(trx, { at: now, actor, action: pastTense[move], subject: `edition:${editionId}` })
    await sql`select pg_notify(${deliveryChannel}, 'digest')`.execute(trx)
  })
  if (move === 'cancel') await cancelDeliveries(ctx, editionId)
}

/** The state after a legal move. A release before the slot is an approval: the edition still waits for its slot. */
function changeOf(move: EditionMove, edition: Edition, now: Date) {
  switch (move) {
    case 'hold':
      return { state: 'held', approvedAt: null, note: 'Held by an editor.' } as const
    case 'pause':
      return { state: 'paused', note: 'Paused by an editor.' } as const
    case 'resume':
      return { state: 'sending', note: '' } as const
    case 'cancel':
      return { state: 'cancelled', note: 'Cancelled by an editor.' } as const
    case 'release':
      return edition.slotAt && edition.slotAt > now
        ? ({ state: 'awaiting_approval', approvedAt: now, note: 'Approved.' } as const)
        : ({ state: 'sending', approvedAt: now, note: '' } as const)
  }
}

/** Continues cancellations that a crash interrupted. */
export async function finishCancelled(ctx: Context): Promise<void> {
  const open = await ctx.db
    .selectFrom('editions')
    .select('id')
    .where('closedAt', 'is', null)
    .where('state', '=', 'cancelled')
    .execute()
  for (const { id } of open) await cancelDeliveries(ctx, id)
}

const cancelChunk = 20_000

/** What a worker leases at this moment is skipped by the worker itself. Uncertain mails stay what they are. */
async function cancelDeliveries(ctx: Context, editionId: number): Promise<void> {
  for (let touched = cancelChunk; touched === cancelChunk;)
    touched = await ctx.db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ cancelled: number; kept: number }>`
        with picked as materialized (
          select id, state from deliveries
          where edition_id = ${editionId} and lane = 'digest' and next_attempt_at is not null
          order by next_attempt_at, id limit ${cancelChunk} for update skip locked
        ), done as (
          update deliveries d set next_attempt_at = null, settled_at = now(),
            state = case when d.state = 'uncertain' then 'uncertain' else 'skipped' end,
            reason = case when d.state = 'uncertain' then null else 'cancelled' end
          from picked p where d.id = p.id returning p.state
        )
        select count(*) filter (where state <> 'uncertain')::int as cancelled,
          count(*) filter (where state = 'uncertain')::int as kept from done`.execute(trx)
      const { cancelled, kept } = rows[0]!
      await addCount(trx, editionId, 'skipped:cancelled', cancelled)
      return cancelled + kept
    })
}

/** Sends again what failed, as far as it can (send-again.ts). Opens a closed edition again. Returns how many. */
export async function retryFailed(ctx: Context, input: { editionId: number; actor: Actor }): Promise<number> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const edition = await lock(trx, input.editionId)
    if (!canSendAgain(edition))
      throw new Refusal('conflict', `Edition ${edition.id} is ${edition.state}: nothing of it can be sent again.`)
    const deliveries = await sendFailedAgain(trx, [edition], sql`true`)
    await audit(trx, {
      at: now,
      actor: input.actor,
      action: 'edition.retried',
      subject: `edition:${edition.id}`,
      detail: { deliveries },
    })
    return deliveries
  })
}

/** Of editions that the caller has locked, in the order of their ids: the failed deliveries `d` that a condition names. */
export async function sendFailedAgain(
  trx: Trx,
  editions: readonly Edition[],
  isWanted: RawBuilder<unknown>,
): Promise<number> {
  await lockPlanning(trx)
  let total = 0
  for (const edition of editions) {
    const { rows } = await sql<{ id: number }>`
      with later as materialized (${laterEditions(edition)}), picked as materialized (
        select d.id from deliveries d join subscribers s on s.id = d.subscriber_id
        where d.edition_id = ${edition.id} and ${isRetryable} and ${isWanted}
      )
      update deliveries d set state = 'deferred', next_attempt_at = now(), settled_at = null
      from picked p where d.id = p.id and d.state = 'failed' returning d.id`.execute(trx)
    await addCount(trx, edition.id, 'failed', -rows.length)
    if (rows.length > 0) await reopen(trx, edition)
    total += rows.length
  }
  return total
}

/** Ends the doubt about mails that may have arrived (delivery/uncertain.ts). Returns how many. */
export async function decideUncertain(
  ctx: Context,
  input: { editionId: number; as: 'sent' | 'resend'; actor: Actor },
): Promise<number> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const edition = await lock(trx, input.editionId)
    if (!canSendAgain(edition))
      throw new Refusal('conflict', `Edition ${edition.id} is ${edition.state}: nothing of it can be decided.`)
    const deliveries = await resolveUncertain(trx, edition.id, input.as)
    await audit(trx, {
      at: now,
      actor: input.actor,
      action: 'edition.resolved',
      subject: `edition:${edition.id}`,
      detail: { deliveries, as: input.as },
    })
    return deliveries
  })
}

/** Its account is counted again when it closes again. */
async function reopen(trx: Trx, edition: Edition): Promise<void> {
  await trx
    .updateTable('editions')
    .set({ account: null, closedAt: null, progressAt: sql<Date>`now()` })
    .$if(edition.state === 'closed', (query) => query.set({ state: 'sending', note: '' }))
    .where('id', '=', edition.id)
    .execute()
  await sql`select pg_notify(${deliveryChannel}, 'digest')`.execute(trx)
}

async function lock(trx: Trx, editionId: number): Promise<Edition> {
  const edition = await trx
    .selectFrom('editions')
    .selectAll()
    .where('id', '=', editionId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!edition) throw new Refusal('not_found', `There is no edition ${editionId}.`)
  return edition
}
