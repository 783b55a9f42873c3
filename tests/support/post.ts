// The post office of a house: delivery workers with the real composers, over real SMTP.

import { sql } from 'kysely'
import type { Clock } from '../../src/base/clock.ts'
import { composersOf } from '../../src/composers.ts'
import type { Context } from '../../src/db/context.ts'
import { DeliveryWorker, type DeliveryWorkerOptions } from '../../src/delivery/worker.ts'
import { deadAddressesOf } from '../../src/subscribers/suppression.ts'
import { type Fault, startCaptureServer } from './capture-server.ts'
import type { House } from './house.ts'

export interface PostingHouse extends Pick<House, 'database' | 'db' | 'config'> {
  ctx: Context
  clock: Clock
}

/** Not started. Its relay is the house's inbox, unless another is given. */
export function openWorker(house: PostingHouse, options: Partial<DeliveryWorkerOptions> = {}): DeliveryWorker {
  const { database, config, ctx, clock } = house
  const deadAddresses = deadAddressesOf(ctx)
  return new DeliveryWorker({
    database,
    config,
    log: ctx.log,
    composers: composersOf(ctx),
    deadAddresses,
    clock,
    ...options,
  })
}

/** Sends everything that is waiting into the house's inbox. */
export async function sendWaitingMail(house: PostingHouse): Promise<void> {
  await openWorker(house).runOnce()
}

/** What a relay may do to a mail. */
export const relayFaults = {
  defers: { reply: '451 4.3.0 not now' },
  refuses: { reply: '552 5.2.2 mailbox full' },
  'takes and hangs up': { hangUp: true, stored: true },
  'hangs up': { hangUp: true },
} satisfies Record<string, Fault>
export type RelayFault = keyof typeof relayFaults

/** At this step the relay shows that fault. */
export const stepOf = (fault: RelayFault) => (fault === 'defers' || fault === 'refuses' ? 'rcpt' : 'dot')

/** Sends as `sendWaitingMail` does, to a relay that does this to every mail. */
export async function sendThroughFaulty(house: PostingHouse, fault: RelayFault): Promise<void> {
  await using relay = await startCaptureServer()
  relay.fault = (step) => (step === stepOf(fault) ? relayFaults[fault] : undefined)
  await openWorker(house, { relays: [relay.relay] }).runOnce()
}

export interface Posted {
  editionId: number
  subscriberId: number
  /** null: no mail, as there was nothing new. */
  articleIds: number[] | null
}

/** Sends what is waiting, and says what became of the digests. `limit`: the first so many of them; the others go on waiting. */
export async function postAll(house: PostingHouse, options: { limit?: number } = {}): Promise<Posted[]> {
  const { db } = house
  const waiting = await db
    .selectFrom('deliveries')
    .select('id')
    .where('kind', '=', 'digest')
    .where('nextAttemptAt', 'is not', null)
    .orderBy('id')
    .execute()
  const later = `{${waiting.slice(options.limit ?? waiting.length).map(({ id }) => id)}}`
  const shift = (by: string) =>
    sql`update deliveries set next_attempt_at = next_attempt_at + ${by}::interval where id = any(${later}::bigint[])`.execute(
      db,
    )
  await shift('1 hour')
  await sendWaitingMail(house)
  await shift('-1 hour')
  return db
    .selectFrom('deliveries')
    .select(['editionId', 'subscriberId', 'articleIds'])
    .where('settledAt', 'is not', null)
    .where(sql<boolean>`id = any(${`{${waiting.map(({ id }) => id)}}`}::bigint[])`)
    .orderBy('id')
    .$castTo<Posted>()
    .execute()
}
