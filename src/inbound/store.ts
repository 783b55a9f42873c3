// The first half of receiving: the mail as it came, or a provider's verified event, is committed before anybody is told "accepted".
// What it means is found out later, by the chore (work.ts).

import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { inboundSources, ReportClass } from '../db/schema.ts'

export type InboundSource = (typeof inboundSources)[number]

/** Notified with each commit; the worker role listens. */
export const inboundChannel = 'broadsheet_inbound'

/** What a provider's event says, once its signature was verified. Bytes that the signature doesn't cover must not be in it. */
export interface InboundFacts {
  /** The provider's own id of this event: it counts once. */
  id: string
  /** The envelope sender of our mail, if the event names it. */
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
  /** Of the SMTP envelope; null where there was none. */
  envelopeTo: string | null
  /** The mail as it came; null: there are `facts`. */
  raw: Buffer | null
  facts?: InboundFacts
  receivedAt: Date
}

/** Twice what is ever read of a mail (open.ts): megabytes of junk shouldn't fill the database. */
const mostKept = 512 * 1024

/** Durable once the promise resolves. `known`: it was stored before, and isn't stored again. */
export async function storeInbound(db: Db, mail: NewInbound): Promise<'stored' | 'known'> {
  return db.transaction().execute(async (trx) => {
    const stored = await trx
      .insertInto('inboundEvents')
      .values({
        receivedAt: mail.receivedAt,
        source: mail.source,
        fingerprint: fingerprintOf(mail),
        envelopeTo: mail.envelopeTo,
        raw: mail.raw && mail.raw.subarray(0, mostKept),
        facts: mail.facts ? JSON.stringify(mail.facts) : null,
      })
      .onConflict((conflict) => conflict.column('fingerprint').doNothing())
      .returning('id')
      .executeTakeFirst()
    if (!stored) return 'known'
    await sql`select pg_notify(${inboundChannel}, '')`.execute(trx)
    return 'stored'
  })
}

/** The same mail by another door is the same; to another recipient it isn't. */
export function fingerprintOf({ source, envelopeTo, raw, facts }: NewInbound): string {
  const hash = createHash('sha256')
  if (facts) hash.update(`facts\0${source}\0${facts.id}`)
  else hash.update(`mail\0${envelopeTo?.toLowerCase() ?? ''}\0`).update(raw ?? '')
  return hash.digest('hex')
}
