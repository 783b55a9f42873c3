// One address, as typed. We accept what a form's type="email" accepts (HTML Living Standard, "valid e-mail address"), with the
// lengths of RFC 5321 §4.5.3.1 and a dot in the domain. Comments, quotes, lists and control characters are refused, so no input
// can become a header or an SMTP command.

import { domainToASCII, domainToUnicode } from 'node:url'

const local = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/
const label = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/

const asciiLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
/** Letters that any domain name may contain. Other domains must be written as in DNS, `xn--…`. */
const letters = 'ß-öø-ÿά-ώа-яぁ-ゖァ-ヺ一-鿿가-힣'
const anyLabel = `(?:${asciiLabel}|[a-zA-Z0-9${letters}]{1,15})`
const atoms = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]"
/**
 * The pattern in the API's document. Addresses that don't match are refused by parseEmailAddress, or too unusual to matter. It
 * also refuses lengths that a pattern can't count.
 */
export const addressPattern = new RegExp(
  `^\\s*${atoms}+(?:\\.${atoms}+)*@(?:${anyLabel}\\.)+(?:[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?|[${letters}]{1,15})\\s*$`,
)

export interface EmailAddress {
  /** As entered, trimmed, with the domain in ASCII: the mail is sent to it. */
  email: string
  /** Case-folded, so that two spellings are one subscriber. */
  key: string
}

/** null for anything except exactly one address. Pure. */
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

/**
 * The address in pasted text: `Ana <ana@example.com>`, `mailto:ana@example.com`, one with a full stop or invisible characters
 * behind it. A name that contains another address isn't removed, because nobody knows which one is meant. Pure.
 */
export function unwrapAddress(text: string): string {
  const visible = text
    .replace(/[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '')
    .replaceAll('＠', '@')
    .trim()
  const named = /^([^<>\r\n]*)<\s*([^<>\s]+)\s*>$/.exec(visible)
  const isOne = named && (!named[1]!.includes('@') || named[1]!.replaceAll(/["'\s]/g, '') === named[2])
  const bare = isOne ? named[2]! : visible
  return bare.replace(/^mailto:([^?]*)(?:\?.*)?$/i, '$1').replace(/[.,;]+$/, '')
}

type AddressProblem = 'empty' | 'several' | 'spaces' | { letter: string } | 'long' | 'odd' | 'incomplete'

/** Why `parseEmailAddress` refuses this text. `letter`: one before the @ that we can't send mail to. Pure. */
export function addressProblem(text: string): AddressProblem {
  if (text === '') return 'empty'
  if (text.split('@').length > 2) return 'several'
  const name = text.slice(0, text.lastIndexOf('@'))
  if (/\s/.test(text)) return 'spaces'
  const letter = /[^\x21-\x7e]/u.exec(name)?.[0]
  if (letter && text.includes('@')) return { letter }
  if (text.length > 254 || name.length > 64) return 'long'
  return name !== '' && /.@.+\../.test(text) ? 'odd' : 'incomplete'
}

/** For a page: with the letters of an international domain. Pure. */
export function readableAddress(email: string): string {
  const domain = domainOf(email)
  return domain.includes('xn--') ? `${email.slice(0, -domain.length)}${readableDomain(domain)}` : email
}

/** A domain as people write it: exämple.com, not xn--exmple-cua.com. Pure. */
export function readableDomain(domain: string): string {
  return domainToUnicode(domain) || domain
}

/** Its owner recognises it, and nobody else can use it: `a•••@e•••.com`. Pure. */
export function maskAddress(stored: string): string {
  const email = readableAddress(stored)
  const at = email.lastIndexOf('@')
  return `${email.slice(0, 1)}•••@${email.slice(at + 1, at + 2)}•••${email.slice(email.lastIndexOf('.'))}`
}

/**
 * The mailbox that an address most probably reaches: `A.da+news@googlemail.com` and `ada@gmail.com` are the same. For limits only,
 * never to identify a person: it is a guess about other people's servers. Pure.
 */
export function mailboxOf(email: string): string {
  const key = email.toLowerCase()
  const at = key.lastIndexOf('@')
  const rule = providerOf(key.slice(at + 1))
  let name = key.slice(0, at)
  for (const mark of ['+', ...(rule?.tag ?? '')]) if (name.indexOf(mark) > 0) name = name.slice(0, name.indexOf(mark))
  if (rule?.ignored) name = name.replace(rule.ignored, '') || name
  const subdomain = rule?.byName && key.slice(at + 1, -(rule.byName.length + 1))
  return subdomain ? `${subdomain.split('.').at(-1)}@${rule.byName}` : `${name}@${rule?.domain ?? key.slice(at + 1)}`
}

interface Provider {
  /** The domain whose mailboxes are the same. */
  domain?: string
  /** Characters that make no difference. */
  ignored?: RegExp
  /** The character that begins a tag, as + does everywhere. */
  tag?: string
  /** anything@NAME.domain reaches NAME@domain. */
  byName?: string
}

const providers: [domains: RegExp, Provider][] = [
  [/^(gmail|googlemail)\.com$/, { domain: 'gmail.com', ignored: /\./g }],
  [/^(icloud|me|mac)\.com$/, { domain: 'icloud.com' }],
  [/^(proton\.me|protonmail\.(com|ch)|pm\.me)$/, { domain: 'proton.me', ignored: /[._-]/g }],
  [/^(yandex\.(ru|com|by|kz|ua|com\.tr)|ya\.ru|narod\.ru)$/, { domain: 'yandex.ru', ignored: /[.-]/g }],
  [/^(yahoo\.[a-z.]+|ymail\.com|rocketmail\.com|myyahoo\.com)$/, { tag: '-' }],
  [/^(.+\.)?fastmail\.com$/, { byName: 'fastmail.com' }],
  [/^(.+\.)?fastmail\.fm$/, { byName: 'fastmail.fm' }],
]

function providerOf(domain: string): Provider | undefined {
  return providers.find(([domains]) => domains.test(domain))?.[1]
}

/** The part after the @, lower case. Limits per domain use it. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase()
}
