// An editor's decision about a brake (delivery/brakes.ts). Either the addresses are alive, and their mail is sent again; or they
// are dead, and the server is believed. "Dead" can be undone by "send again", which removes exactly its suppressions.
//
// Only addresses that a server has called dead are ever suppressed. Mail that waited untried is tried in either case; the decision
// is whether the answers count.

import { sql } from 'kysely'
import { type Actor, audit } from '../access/audit.ts'
import { parseEmailAddress } from '../base/email-address.ts'
import { Refusal } from '../base/errors.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Context } from '../db/context.ts'
import type { Db, Trx } from '../db/connect.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import type { Brake, Edition } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { listStanding, lockBrakes, setDecision } from '../delivery/brakes.ts'
import type { DeadAddress } from '../delivery/dead-addresses.ts'
import { countWaiting, failCaught, failedUnder, releaseWaiting } from '../delivery/held-mail.ts'
import { deadAddressesOf } from '../subscribers/suppression.ts'
import { unsuppressBrake } from '../subscribers/suppression-list.ts'
import { clearAlert } from './alerts.ts'
import { type BrakeDecision, decisionsOf, decisionWords, type UnderBrake } from './brake-words.ts'
import { sendFailedAgain } from './control.ts'
import { addCount } from '../editions/account.ts'
import { canSendAgain } from '../delivery/send-again.ts'

/** Returns how many mails are tried now, and how many addresses were suppressed or restored. */
export async function decideBrake(
  ctx: Context,
  input: { brakeId: number; decision: BrakeDecision; actor: Actor },
): Promise<{ deliveries: number; addresses: number }> {
  const now = ctx.clock.now()
  const { brakeId, decision, actor } = input
  const pepper = await getPepper(ctx.db)
  await checkDecision(ctx.db, brakeId, decision)
  // Before any lock that all workers need. If it is killed here, the brake still has its former decision.
  const restored = decision === 'send-again' ? await unsuppressBrake(ctx, brakeId) : 0
  const decide = async (trx: Trx) => {
    await lockBrakes(trx)
    const brake = await checkDecision(trx, brakeId, decision)
    await setDecision(trx, brakeId, { decision, by: actor })
    const done = await (decision === 'send-again' ? sendAgain(trx, ctx, brake) : believe(trx, ctx, brake, pepper))
    done.deliveries += await releaseWaiting(trx, brake)
    done.addresses += restored
    await clearAlert(trx, `brake:${brakeId}`, now)
    await audit(trx, {
      at: now,
      actor,
      action: decision === 'send-again' ? 'brake.sent_again' : 'brake.addresses_suppressed',
      subject: `brake:${brakeId}`,
      detail: done,
    })
    return done
  }
  return retryDeadlock(() => ctx.db.transaction().execute(decide))
}

/** Throws a Refusal if this decision isn't possible. */
async function checkDecision(db: Db, brakeId: number, decision: BrakeDecision): Promise<Brake> {
  const brake = await findBrake(db, brakeId)
  if (!brake) throw new Refusal('not_found', `There is no brake ${brakeId}.`)
  if (!decisionsOf(brake).includes(decision))
    throw new Refusal('conflict', `Brake ${brakeId} is decided already: ${decisionWords[brake.decision!]}.`)
  return brake
}

async function sendAgain(trx: Trx, ctx: Context, brake: Brake) {
  const editions = (await lockEditions(trx, brake)).filter(canSendAgain)
  // What the former decision suppressed.
  const suppressed = await trx
    .selectFrom('suppressions')
    .select('deliveryId')
    .where('brakeId', '=', brake.id)
    .where('deliveryId', 'is not', null)
    .execute()
  const deliveryIds = suppressed.map(({ deliveryId }) => deliveryId!)
  await deadAddressesOf(ctx).restore(trx, deliveryIds)
  return { deliveries: await sendFailedAgain(trx, editions, failedUnder(brake)), addresses: deliveryIds.length }
}

/** The answers under the brake count after all. */
async function believe(trx: Trx, ctx: Context, brake: Brake, pepper: string) {
  const dead = await listCalledDead(trx, brake.id, pepper)
  await deadAddressesOf(ctx).suppress(trx, dead)
  for (const [editionId, count] of await failCaught(trx, brake)) await addCount(trx, editionId, 'failed', count)
  return { deliveries: 0, addresses: dead.length }
}

/**
 * The addresses that a brake's answers call dead, each once, with its proof. Without those that have received mail since, and
 * without those of subscribers who have another address by now, or were erased.
 */
async function listCalledDead(db: Db, brakeId: number, pepper: string): Promise<DeadAddress[]> {
  const caught = await db
    .selectFrom('deadAnswers')
    .innerJoin('deliveries', 'deliveries.id', 'deadAnswers.deliveryId')
    .select(['deliveryId', 'emailHash', 'domain', 'deadAnswers.relay', 'reply', 'recipient'])
    .where('brakeId', '=', brakeId)
    .where((eb) => eb.or([eb('state', '!=', 'sent'), eb('returned', '=', true)]))
    .orderBy('deadAnswers.id', 'desc')
    .execute()
  const isTheirs = ({ recipient, emailHash }: (typeof caught)[number]) =>
    hashAddress(pepper, parseEmailAddress(recipient)?.key ?? '') === emailHash
  const byHash = new Map(caught.filter(isTheirs).map((answer) => [answer.emailHash, answer]))
  return [...byHash.values()].map(({ recipient, ...proof }) => ({ ...proof, email: recipient, brakeId }))
}

/**
 * What a decision affects: addresses that were called dead, and waiting mails that haven't been tried. The first can be
 * suppressed, the second are tried in either case.
 */
export async function countUnderBrake(ctx: Pick<Context, 'db'>, brake: Brake): Promise<UnderBrake> {
  const calledDead = await listCalledDead(ctx.db, brake.id, await getPepper(ctx.db))
  const waits = brake.decision === null ? await countWaiting(ctx.db, brake) : { waiting: 0, untried: 0 }
  return { calledDead: calledDead.length, ...waits }
}

/** The editions with mail under the brake, in the order of their ids. */
async function lockEditions(trx: Trx, brake: Brake): Promise<Edition[]> {
  return trx
    .selectFrom('editions')
    .selectAll()
    .where(
      brake.domain === null
        ? sql<boolean>`id = ${brake.editionId}::bigint`
        : sql<boolean>`(closed_at is null or closed_at >= ${brake.since}
            or id in (select edition_id from dead_answers where brake_id = ${brake.id}))`,
    )
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
}

export async function findBrake(db: Db, id: number): Promise<Brake | undefined> {
  return db.selectFrom('brakes').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Brakes that are on first, then newest first. `before`: the id of the last one of the previous page. */
export async function listBrakes(
  db: Db,
  page: { limit: number; isOn?: boolean | undefined; before?: number | undefined },
): Promise<Brake[]> {
  return db
    .selectFrom('brakes')
    .selectAll()
    .$if(page.isOn !== undefined, (query) => query.where('decidedAt', page.isOn ? 'is' : 'is not', null))
    .$if(page.before !== undefined, (query) => query.where('id', '<', page.before!))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute()
}

/** The brakes that are on for an edition, or for a domain to which it may be sent. */
export async function listBrakesOf(db: Db, edition: Pick<Edition, 'id' | 'closedAt'>): Promise<Brake[]> {
  const standing = edition.closedAt ? [] : await listStanding(db)
  return standing.filter((brake) => brake.holdsDigests && (brake.editionId === null || brake.editionId === edition.id))
}

/** The answers under a brake, oldest first, with the current state of their deliveries. */
export async function listCaught(db: Db, brakeId: number, limit: number) {
  return db
    .selectFrom('deadAnswers')
    .innerJoin('deliveries', 'deliveries.id', 'deadAnswers.deliveryId')
    .select(['at', 'recipient', 'reply', 'state', 'reason'])
    .where('brakeId', '=', brakeId)
    .orderBy('deadAnswers.id')
    .limit(limit)
    .execute()
}
