// Proof of consent: one append-only line each time a subscriber agrees, changes or withdraws. The version is a hash of the
// wording, so it changes exactly when the words do.

import { createHash } from 'node:crypto'
import type { Config } from '../base/config.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { ConsentsTable } from '../db/schema.ts'

export interface Wording {
  wording: string
  version: string
  /** The language of the wording. */
  language: string
}

/** Where a request came from. `formUrl` is a path of ours, or the page that our form is embedded in. */
export interface Origin {
  ip: string | null
  formUrl: string | null
}

const wordings = new WeakMap<Config['site'], Wording>()

/** The opt-in statement in the site's own language. */
export function wordingOf({ site }: Config): Wording {
  let known = wordings.get(site)
  if (!known) {
    known = wordingShown({ text: site.optInStatement, language: site.locale })
    wordings.set(site, known)
  }
  return known
}

/** An opt-in statement as it was shown on a form. Pure. */
export function wordingShown({ text, language }: { text: string; language: string }): Wording {
  return { wording: text, version: createHash('sha256').update(text).digest('hex').slice(0, 12), language }
}

export interface ConsentEntry {
  subscriberId: number
  action: ConsentsTable['action']
  at: Date
  origin: Origin
  wording: Wording
  detail?: Record<string, unknown>
}

/** Returns the record's id. */
export async function recordConsent(trx: Trx, entry: ConsentEntry): Promise<number> {
  const { id } = await trx
    .insertInto('consents')
    .values({
      subscriberId: entry.subscriberId,
      action: entry.action,
      wording: entry.wording.wording,
      wordingVersion: entry.wording.version,
      language: entry.wording.language,
      at: entry.at,
      ip: entry.origin.ip,
      formUrl: entry.origin.formUrl?.slice(0, 500) ?? null,
      detail: JSON.stringify(entry.detail ?? {}),
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

/** The opt-in statement that a subscriber agreed to last on a form, as it was shown; undefined: they never filled one in. */
export async function wordingAgreed(db: Db, subscriberId: number): Promise<Wording | undefined> {
  const row = await db
    .selectFrom('consents')
    .select(['wording', 'wordingVersion as version', 'language'])
    .where('subscriberId', '=', subscriberId)
    .where('action', '=', 'requested')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && { ...row, language: row.language ?? 'en' }
}

/** The page of the form of the subscriber's last sign-up: a path of ours, or another site's address. */
export async function signupPageOf(db: Db, subscriberId: number): Promise<string | null> {
  const row = await db
    .selectFrom('consents')
    .select('formUrl')
    .where('subscriberId', '=', subscriberId)
    .where('action', '=', 'requested')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.formUrl ?? null
}
