// For tests of delivery: an edition, a composer that stands in for the real digests, and a worker that talks to a capture server.

import { readConfig } from '../../src/base/config.ts'
import type { Relay } from '../../src/base/relay.ts'
import { createLog } from '../../src/base/log.ts'
import { systemClock } from '../../src/base/clock.ts'
import { hashAddress } from '../../src/base/tokens.ts'
import type { Database } from '../../src/db/connect.ts'
import { getPepper } from '../../src/db/settings.ts'
import type { Composed, Composer, Composers, Mail, MailKind } from '../../src/delivery/composer.ts'
import { mailKinds } from '../../src/delivery/composer.ts'
import { DeliveryWorker, type DeliveryWorkerOptions } from '../../src/delivery/worker.ts'
import { deadAddressesOf } from '../../src/subscribers/suppression.ts'

export const quietLog = createLog('silent')

export const sendingConfig = readConfig({
  SECRET_KEY: 'a secret for tests that is long enough',
  BOUNCE_DOMAIN: 'bounces.news.example',
  MAIL_FROM: 'The Gazette <news@news.example>',
})

/** As the program is put together. */
export const plainDeadAddresses = deadAddressesOf({ config: sendingConfig, clock: systemClock })

export function plainMail(recipient: string, subject: string): Mail {
  return {
    from: { name: 'The Gazette', address: 'news@news.example' },
    replyTo: null,
    subject,
    headers: [
      ['List-Id', 'The Gazette <daily.news.example>'],
      ['List-Unsubscribe', '<https://news.example/unsubscribe?token=abc>'],
      ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
    ],
    contentType: 'text/plain; charset=utf-8',
    body: [Buffer.from(`Hello ${recipient},\r\n`), Buffer.from('.a line with a dot\r\n\r\nThe end.\r\n')],
    htmlBytes: 0,
  }
}

/** Composes the same few lines for every kind; digests carry stories 1 and 2 and move the watermark of category 7 to 70. */
export function plainComposers(change: (recipient: string) => Composed | null = () => null): Composers {
  const of = (kind: MailKind): Composer => ({
    prepare: async () => (delivery) =>
      change(delivery.recipient) ?? {
        outcome: 'mail',
        mail: plainMail(delivery.recipient, `A ${kind}`),
        record: kind === 'digest' ? { articleIds: [1, 2], watermarks: { 7: 70 } } : null,
      },
  })
  return Object.fromEntries(mailKinds.map((kind) => [kind, of(kind)])) as Composers
}

/** One edition that is sending, with a subscriber and a queued digest for each address. Returns the edition's id. */
export async function planEdition({ db }: Database, addresses: readonly string[]): Promise<number> {
  const pepper = await getPepper(db)
  const now = new Date()
  const { id } = await db
    .insertInto('editions')
    .values({ kind: 'manual', state: 'sending', createdAt: now, plannedAt: now, audience: addresses.length })
    .returning('id')
    .executeTakeFirstOrThrow()
  for (let at = 0; at < addresses.length; at += 1000) {
    const chunk = addresses.slice(at, at + 1000)
    const subscribers = await db
      .insertInto('subscribers')
      .values(
        chunk.map((email) => ({
          email,
          emailKey: email.toLowerCase(),
          emailHash: hashAddress(pepper, email.toLowerCase()),
          status: 'active' as const,
          createdAt: now,
        })),
      )
      .onConflict((conflict) => conflict.column('emailKey').doUpdateSet({ status: 'active' }))
      .returning(['id', 'email'])
      .execute()
    await db
      .insertInto('deliveries')
      .values(
        subscribers.map((subscriber) => ({
          editionId: id,
          subscriberId: subscriber.id,
          kind: 'digest',
          lane: 'digest' as const,
          recipient: subscriber.email,
          due: 1,
          nextAttemptAt: now,
        })),
      )
      .execute()
  }
  return id
}

export function makeWorker(
  database: Database,
  relays: readonly Relay[],
  options: Partial<DeliveryWorkerOptions> = {},
): DeliveryWorker {
  return new DeliveryWorker({
    database,
    config: sendingConfig,
    log: quietLog,
    composers: plainComposers(),
    deadAddresses: plainDeadAddresses,
    relays,
    ...options,
  })
}

/** How many deliveries of the edition are in each state. */
export async function countStates({ db }: Database, editionId: number): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('deliveries')
    .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
    .where('editionId', '=', editionId)
    .groupBy('state')
    .execute()
  return Object.fromEntries(rows.map((row) => [row.state, row.count]))
}

/** What the workers counted. */
export async function countOutcomes({ db }: Database, editionId: number): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('editionCounts')
    .select((eb) => ['outcome', eb.fn.sum<number>('count').as('count')])
    .where('editionId', '=', editionId)
    .groupBy('outcome')
    .execute()
  return Object.fromEntries(rows.filter((row) => row.count !== 0).map((row) => [row.outcome, row.count]))
}
