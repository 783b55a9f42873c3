// Finds the delivery of a returned mail, with the proof, best first.
//
// 1. It was sent to the return path of that delivery, whose MAC nobody can forge.
// 2. It quotes that return path or our signed header, or it is an event that a provider has signed.
// 3. It quotes the token of an unsubscribe link: proves the subscriber, not the delivery.
// 4. It quotes our Message-ID and the recipient: others may know both. It is shown, and has no effect.

import { sql } from 'kysely'
import type { Config } from '../base/config.ts'
import { parseEmailAddress } from '../base/email-address.ts'
import type { Db } from '../db/connect.ts'
import type { DeliveryState, Lane, Proof } from '../db/schema.ts'
import { readReturnPath } from '../delivery/return-path.ts'
import { readLink } from '../subscribers/links.ts'
import { readOurAddress } from './our-addresses.ts'

/** Values that may prove it. */
export interface Hints {
  /** Of the SMTP envelope. */
  envelopeTo: string | null
  /** Addresses and tokens in the quoted headers. */
  quoted: readonly string[]
  unsubscribeTokens: readonly string[]
  messageId: string | null
  /** Signed by the provider. */
  isVerified: boolean
}

export interface MatchedDelivery {
  id: number
  editionId: number | null
  subscriberId: number | null
  recipient: string
  lane: Lane
  relay: string | null
  state: DeliveryState
  /** Sent, or perhaps sent, within 30 days: a report may be about it. */
  isRecent: boolean
}

export interface Match {
  proof: Proof
  delivery: MatchedDelivery | null
  subscriberId: number | null
}

export const reportDays = 30

/** null: nothing in it is ours. */
export async function findMatch(
  db: Db,
  config: Pick<Config, 'mail' | 'secretKeys' | 'web'>,
  hints: Hints,
  recipients: readonly string[],
  now: Date,
): Promise<Match | null> {
  const own = hints.envelopeTo ? readOurAddress(config, hints.envelopeTo) : null
  if (own?.kind === 'delivery') return ofDelivery('return-path', await findDelivery(db, own.id))
  for (const each of hints.quoted) {
    const id = each.includes('@') ? deliveryAt(config, each) : readReturnPath(config.secretKeys, each)
    if (id !== null) return ofDelivery(hints.isVerified ? 'webhook' : 'header', await findDelivery(db, id))
  }
  const named = hints.messageId ? await findByMessageId(db, hints.messageId) : null
  const isNamed = named !== null && recipients.some((each) => isSameAddress(each, named.recipient))
  if (named && isNamed && hints.isVerified) return ofDelivery('webhook', named)
  for (const token of hints.unsubscribeTokens) {
    const link = readLink(config, 'unsubscribe', token, now)
    if (link.outcome === 'valid') return { proof: 'unsubscribe-token', delivery: null, subscriberId: link.id }
  }
  return named && isNamed ? ofDelivery('message-id', named) : null
}

export function isSameAddress(a: string, b: string): boolean {
  return (parseEmailAddress(a)?.key ?? a.toLowerCase()) === (parseEmailAddress(b)?.key ?? b.toLowerCase())
}

/** A purged delivery was proven too: it is too old for any effect. */
function ofDelivery(proof: Proof, delivery: MatchedDelivery | null): Match {
  return { proof, delivery, subscriberId: delivery?.subscriberId ?? null }
}

function deliveryAt(config: Pick<Config, 'mail' | 'secretKeys'>, address: string): number | null {
  const own = readOurAddress(config, address)
  return own?.kind === 'delivery' ? own.id : null
}

/** Our Message-IDs begin with the delivery's id, so no index is needed. */
async function findByMessageId(db: Db, given: string): Promise<MatchedDelivery | null> {
  const id = /^<?([0-9a-z]{1,10})\./i.exec(given)?.[1]
  if (!id) return null
  return findDelivery(db, parseInt(id, 36), `<${given.replace(/[<>\s]/g, '')}>`)
}

async function findDelivery(db: Db, id: number, messageId?: string): Promise<MatchedDelivery | null> {
  const found = await db
    .selectFrom('deliveries')
    .select(['id', 'editionId', 'subscriberId', 'recipient', 'lane', 'relay', 'state'])
    .select(
      sql<boolean>`state in ('sent', 'uncertain')
        and coalesce(settled_at, now()) > now() - ${reportDays} * interval '1 day'`.as('isRecent'),
    )
    .where('id', '=', id)
    .$if(messageId !== undefined, (query) => query.where('messageId', '=', messageId!))
    .executeTakeFirst()
  return found ?? null
}
