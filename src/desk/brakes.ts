// What an editor decides about a brake (delivery/brakes.ts): that the addresses are alive, and their mail is sent again; or that they
// are dead, and the server is believed. "Dead" can be taken back by "send again", which undoes its suppressions exactly.
//
// Only addresses that a server has called dead are ever suppressed. What waited untried is tried in either case; the decision is
// whether those answers count.

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
  // Before anything is locked for all workers. If it is killed here, the brake is still decided as before.
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

/** Throws a Refusal where that can't be decided. */
async function checkDecision(db: Db, brakeId: number, decision: BrakeDecision): Promise<Brake> {
  const brake = await findBrake(db, brakeId)
  if (!brake) throw new Refusal('not_found', `There is no brake ${brakeId}.`)
  if (!decisionsOf(brake).includes(decision))
    throw new Refusal('conflict', `Brake ${brakeId} is decided already: ${decisionWords[brake.decision!]}.`)
  return brake
}

async function sendAgain(trx: Trx, ctx: Context, brake: Brake) {
  const editions = (await lockEditions(trx, brake)).filter(canSendAgain)
  // What was believed until now.
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

/** The answers that the brake has caught are true after all. */
async function believe(trx: Trx, ctx: Context, brake: Brake, pepper: string) {
  const dead = await listCalledDead(trx, brake.id, pepper)
  await deadAddressesOf(ctx).suppress(trx, dead)
  for (const [editionId, count] of await failCaught(trx, brake)) await addCount(trx, editionId, 'failed', count)
  return { deliveries: 0, addresses: dead.length }
}

/** The addresses that a brake's answers call dead, each once, with its proof. Not those that a mail has reached since, and not those of
 * subscribers who have another address by now, or were erased. */
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

/** What a decision is about: addresses that were called dead, and mails that wait and haven't been tried. The first can be suppressed,
 * the second are tried in either case. */
export async function countUnderBrake(ctx: Pick<Context, 'db'>, brake: Brake): Promise<UnderBrake> {
  const calledDead = await listCalledDead(ctx.db, brake.id, await getPepper(ctx.db))
  const waits = brake.decision === null ? await countWaiting(ctx.db, brake) : { waiting: 0, untried: 0 }
  return { calledDead: calledDead.length, ...waits }
}

/** The editions that the brake kept mail of, in the order of their ids. */
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

/** Those that are on first, then newest first. `before`: the id of the last one seen. */
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

/** The brakes that are on for an edition, or for a domain that it may go to. */
export async function listBrakesOf(db: Db, edition: Pick<Edition, 'id' | 'closedAt'>): Promise<Brake[]> {
  const standing = edition.closedAt ? [] : await listStanding(db)
  return standing.filter((brake) => brake.holdsDigests && (brake.editionId === null || brake.editionId === edition.id))
}

/** What a brake has caught, oldest first, as it stands now. */
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
