// The first half of receiving: the mail as received, or a provider's verified event, is committed before the sender gets
// "accepted". The chore reads it later (work.ts).

import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { inboundSources, ReportClass } from '../db/schema.ts'

export type InboundSource = (typeof inboundSources)[number]

/** Notified with each commit. The worker role listens. */
export const inboundChannel = 'broadsheet_inbound'

/** The content of a provider's event with a verified signature. It must not contain bytes that the signature doesn't cover. */
export interface InboundFacts {
  /** The provider's own id of this event, so that it counts once. */
  id: string
  /** The envelope sender of our mail, if the event contains it. */
  returnPath: string | null
  /** Our header of that name. */
  deliveryHeader: string | null
  messageId: string | null
  reports: {
    recipient: string
    class: ReportClass
    /** A Reason of delivery/reasons.ts, such as `user_unknown`. */
    reason: string
    status: string | null
    diagnostic: string | null
  }[]
}

export interface NewInbound {
  source: InboundSource
  /** Of the SMTP envelope; null: there was none. */
  envelopeTo: string | null
  /** The mail as received; null: there are `facts`. */
  raw: Buffer | null
  facts?: InboundFacts
  receivedAt: Date
}

/** Twice what is ever read of a mail (open.ts), so that junk doesn't fill the database. */
const mostKept = 512 * 1024

/** Durable once the promise resolves. `known`: it was stored before, and isn't stored again. */
export async function storeInbound(db: Db, mail: NewInbound): Promise<'stored' | 'known'> {
  const { rows } = await sql`
    with stored as (
      insert into inbound_events (received_at, source, fingerprint, envelope_to, raw, facts)
      values (${mail.receivedAt}, ${mail.source}, ${fingerprintOf(mail)}, ${mail.envelopeTo},
        ${mail.raw && mail.raw.subarray(0, mostKept)}, ${mail.facts ? JSON.stringify(mail.facts, withoutNul) : null}::jsonb)
      on conflict (fingerprint) do nothing returning id
    )
    select pg_notify(${inboundChannel}, '') from stored`.execute(db)
  return rows.length === 0 ? 'known' : 'stored'
}

/** JSON in the database refuses NUL. */
const withoutNul = (_: string, value: unknown) => (typeof value === 'string' ? value.replaceAll('\0', '') : value)

/** The same mail received in another way has the same fingerprint; the same mail to another recipient doesn't. */
export function fingerprintOf({ source, envelopeTo, raw, facts }: NewInbound): string {
  const hash = createHash('sha256')
  if (facts) hash.update(`facts\0${source}\0${facts.id}`)
  else hash.update(`mail\0${envelopeTo?.toLowerCase() ?? ''}\0`).update(raw ?? '')
  return hash.digest('hex')
}
