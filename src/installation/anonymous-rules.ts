// Removes people from a copy. Every value that identifies somebody is replaced by one that is derived from it with a key that is
// then thrown away. The same address has the same replacement in every table, and nothing can be reversed.

import { createHmac, randomBytes } from 'node:crypto'
import { hashAddress } from '../base/tokens.ts'

/* oxlint-disable typescript/no-explicit-any -- a row of any table, as JSON */
type Row = Record<string, any>

export interface Anonymous {
  /** The copy's own key for hashes of addresses. */
  pepper: string
  /** A replacement below `anonymous.invalid`, which receives no mail (RFC 2606 §2). */
  email(given: string): string
  /** Of the replacement, with the copy's own pepper. */
  emailHash(given: string): string
  domain(given: string): string
  /** A feed's address without user, password and other possible secrets. */
  address(url: string | null, row: Row): string | null
  /** For hashes and tokens: 64 hexadecimal digits. */
  other(given: string): string
}

export type Change = (anonymous: Anonymous, value: any, row: Row) => unknown

/** `kept`: unchanged. `drop`: null; for a table: no rows. */
export const kept = 'kept'
export const drop = 'drop'
export const changed = (change: Change): Change => change

export type Rule = typeof kept | typeof drop | Change

/** By column. `row`: whether a row is copied. */
export type Rules = typeof drop | ({ row?: (row: Row) => boolean } & Record<string, Rule | ((row: Row) => boolean)>)

export function makeAnonymous(): Anonymous {
  const secret = randomBytes(32)
  const pepper = randomBytes(32).toString('hex')
  const other = (given: string) => createHmac('sha256', secret).update(given).digest('hex')
  const email = (given: string) => `reader-${other(given.toLowerCase()).slice(0, 20)}@anonymous.invalid`
  return {
    pepper,
    other,
    email,
    emailHash: (given) => hashAddress(pepper, email(given)),
    domain: (given) => `${other(given.toLowerCase()).slice(0, 12)}.invalid`,
    address: (url, row) => url && withoutKeys(url, String(row['id'])),
  }
}

/** Parameters that identify the feed, in WordPress and other programs. */
const harmlessParameters = new Set(['feed', 'format', 'cat', 'category', 'tag', 'lang', 'post_type', 'paged'])
const looksLikeKey = /^(?=.*\d)(?=.*[a-z])[a-z0-9_]{16,}$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^\d{12,}$/i

/** Removed parts are replaced by the feed's number, because no two feeds may have the same address. Pure. */
export function withoutKeys(text: string, id: string): string {
  if (!URL.canParse(text)) return `https://feed-${id}.anonymous.invalid/`
  const url = new URL(text)
  const before = url.href
  url.username = ''
  url.password = ''
  url.hash = ''
  for (const name of new Set(url.searchParams.keys()))
    if (!harmlessParameters.has(name.toLowerCase()) || looksLikeKey.test(url.searchParams.get(name)!))
      url.searchParams.delete(name)
  url.pathname = url.pathname
    .split('/')
    .map((part) => (looksLikeKey.test(part) ? 'left-out' : part))
    .join('/')
  if (url.href === before) return text
  url.searchParams.set('anonymous-feed', id)
  return url.href
}

/** One row's JSON, or null if it isn't copied. Throws if a column that contains text has no rule. */
export function anonymiseRow(
  rules: Rules,
  texts: readonly string[],
  line: string,
  anonymous: Anonymous,
): string | null {
  if (rules === drop) return null
  const row = JSON.parse(line) as Row
  if (rules.row && !rules.row(row)) return null
  const result: Row = { ...row }
  for (const column of new Set([...texts, ...Object.keys(rules)])) {
    if (column === 'row') continue
    const rule = rules[column] as Rule | undefined
    if (rule === undefined) throw new Error(`Nothing says what an anonymous copy does with the column ${column}.`)
    if (rule === drop) result[column] = null
    else if (rule !== kept) result[column] = rule(anonymous, row[column], row) ?? null
  }
  return JSON.stringify(result)
}
