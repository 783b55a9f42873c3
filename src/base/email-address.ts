// One address, as people type it. What we accept is what a form's type="email" accepts (HTML Living Standard, "valid e-mail
// address"), with RFC 5321 §4.5.3.1's lengths and a dot in the domain: no comments, quotes, lists or control characters, so
// that nothing given here can become a header or an SMTP command.

import { domainToASCII } from 'node:url'

const local = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/
const label = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/

const asciiLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
/** Letters of domain names that any host name may hold; others come as they stand in DNS, `xn--…`. */
const letters = 'ß-öø-ÿά-ώа-яぁ-ゖァ-ヺ一-鿿가-힣'
const anyLabel = `(?:${asciiLabel}|[a-zA-Z0-9${letters}]{1,15})`
const atoms = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]"
/** What the API's document says of an address. What doesn't match, parseEmailAddress refuses or isn't worth taking; of what does,
 * it still refuses lengths that a pattern can't count. */
export const addressPattern = new RegExp(
  `^\\s*${atoms}+(?:\\.${atoms}+)*@(?:${anyLabel}\\.)+(?:[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?|[${letters}]{1,15})\\s*$`,
)

export interface EmailAddress {
  /** As given, trimmed, the domain in ASCII: what the mail is sent to. */
  email: string
  /** Case-folded: what makes two spellings one subscriber. */
  key: string
}

/** null for anything that isn't exactly one address. Pure. */
export function parseEmailAddress(text: unknown): EmailAddress | null {
  if (typeof text !== 'string' || text.length > 320) return null
  const trimmed = text.trim()
  const at = trimmed.lastIndexOf('@')
  if (at < 1) return null
  const name = trimmed.slice(0, at)
  const host = trimmed.slice(at + 1)
  if (!local.test(name) || name.startsWith('.') || name.endsWith('.') || name.includes('..')) return null
  // oxlint-disable-next-line no-control-regex
  const ascii = /^[\x00-\x7f]*$/.test(host) ? host : domainToASCII(host)
  const labels = ascii.split('.')
  if (labels.length < 2 || !labels.every((part) => label.test(part)) || /^\d+$/.test(labels.at(-1)!)) return null
  const email = `${name}@${ascii}`
  if (email.length > 254) return null
  return { email, key: email.toLowerCase() }
}

/** The part after the @, lower case: what politeness limits count by. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase()
}
