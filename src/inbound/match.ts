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
  messageId: string | null
  /** Sent, or perhaps sent, within 30 days: a report may be about it. */
  isRecent: boolean
}

export interface Match {
  proof: Proof
  delivery: MatchedDelivery | null
  subscriberId: number | null
}

type AddressConfig = Pick<Config, 'mail' | 'secretKeys'>

export const reportDays = 30

/** A mail to be matched. `recipients`: the addresses that it names as recipients of our mail. */
export interface Question {
  hints: Hints
  recipients: readonly string[]
}

/** Answers in the same order, by one query. null: nothing in that mail is ours. */
export async function findMatches(
  db: Db,
  config: AddressConfig & Pick<Config, 'web'>,
  questions: readonly Question[],
  now: Date,
): Promise<(Match | null)[]> {
  const named = questions.map(({ hints }) => ({ proven: provenIn(config, hints), guessed: idOf(hints.messageId) }))
  const deliveries = await findDeliveries(
    db,
    named.flatMap(({ proven, guessed }) => [proven?.id, guessed]).filter((id) => typeof id === 'number'),
  )
  return questions.map(({ hints, recipients }, i) => {
    const { proven, guessed } = named[i]!
    if (proven) return ofDelivery(proven.proof, deliveries.get(proven.id) ?? null)
    const found = deliveries.get(guessed ?? 0) ?? null
    const isNamed =
      found !== null &&
      found.messageId === `<${hints.messageId!.replace(/[<>\s]/g, '')}>` &&
      recipients.some((each) => isSameAddress(each, found.recipient))
    if (isNamed && hints.isVerified) return ofDelivery('webhook', found)
    for (const token of hints.unsubscribeTokens) {
      const link = readLink(config, 'unsubscribe', token, now)
      if (link.outcome === 'valid') return { proof: 'unsubscribe-token', delivery: null, subscriberId: link.id }
    }
    return isNamed ? ofDelivery('message-id', found) : null
  })
}

/** By a MAC of ours. Pure. */
function provenIn(
  config: AddressConfig,
  { envelopeTo, quoted, isVerified }: Hints,
): { proof: Proof; id: number } | null {
  const id = envelopeTo === null ? null : deliveryAt(config, envelopeTo)
  if (id !== null) return { proof: 'return-path', id }
  for (const each of quoted) {
    const quotedId = each.includes('@') ? deliveryAt(config, each) : readReturnPath(config.secretKeys, each)
    if (quotedId !== null) return { proof: isVerified ? 'webhook' : 'header', id: quotedId }
  }
  return null
}

export function isSameAddress(a: string, b: string): boolean {
  return (parseEmailAddress(a)?.key ?? a.toLowerCase()) === (parseEmailAddress(b)?.key ?? b.toLowerCase())
}

/** A purged delivery was proven too: it is too old for any effect. */
function ofDelivery(proof: Proof, delivery: MatchedDelivery | null): Match {
  return { proof, delivery, subscriberId: delivery?.subscriberId ?? null }
}

function deliveryAt(config: AddressConfig, address: string): number | null {
  const own = readOurAddress(config, address)
  return own?.kind === 'delivery' ? own.id : null
}

/** Our Message-IDs begin with the delivery's id, so no index is needed. */
function idOf(messageId: string | null): number | null {
  const id = /^<?([0-9a-z]{1,10})\./i.exec(messageId ?? '')?.[1]
  return id ? parseInt(id, 36) : null
}

async function findDeliveries(db: Db, ids: readonly number[]): Promise<Map<number, MatchedDelivery>> {
  if (ids.length === 0) return new Map()
  const found = await db
    .selectFrom('deliveries')
    .select(['id', 'editionId', 'subscriberId', 'recipient', 'lane', 'relay', 'state', 'messageId'])
    .select(
      sql<boolean>`state in ('sent', 'uncertain')
        and coalesce(settled_at, now()) > now() - ${reportDays} * interval '1 day'`.as('isRecent'),
    )
    .where(sql<boolean>`id = any(${[...new Set(ids)]}::bigint[])`)
    .execute()
  return new Map(found.map((delivery) => [delivery.id, delivery]))
}
