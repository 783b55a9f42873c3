// What the DNS must say so that mail from MAIL_FROM's domain is believed: SPF, DKIM, DMARC, and an MX for the return path. The
// resolver is given, so that tests need no network. An SPF record can't be judged without knowing the relay's outgoing
// addresses: that there is one, and only one, is what can be said from here.

import { createPublicKey } from 'node:crypto'
import type { Config } from '../base/config.ts'
import { domainOf } from '../base/email-address.ts'
import type { Finding } from './doctor.ts'

export interface DnsLookups {
  resolveTxt(name: string): Promise<string[][]>
  resolveMx(name: string): Promise<{ exchange: string; priority: number }[]>
}

export async function checkMailDns(config: Config, dns: DnsLookups): Promise<Finding[]> {
  const from = domainOf(config.mail.from.address)
  const { dkim, bounceDomain } = config.mail
  const checks = [
    checkSpf(bounceDomain ?? from, dns),
    checkDmarc(from, dns),
    dkim
      ? checkDkim(dkim, dns)
      : Promise.resolve<Finding>({
          what: 'DKIM',
          state: 'warn',
          found: 'mails are not signed here',
          fix: 'Set DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY, unless the relay signs.',
        }),
  ]
  if (dkim && !isAligned(dkim.domain, from))
    checks.push(
      Promise.resolve({
        what: 'DKIM alignment',
        state: 'fail',
        found: `signed by ${dkim.domain}, sent from ${from}`,
        fix: `Sign with ${from} or the domain above it, else DMARC doesn't count the signature.`,
      }),
    )
  if (bounceDomain) checks.push(checkMx(bounceDomain, dns))
  return Promise.all(checks)
}

async function checkSpf(domain: string, dns: DnsLookups): Promise<Finding> {
  const what = `SPF of ${domain}`
  const records = await textRecords(domain, /^v=spf1( |$)/i, dns)
  if (typeof records === 'string') return { what, state: 'warn', found: records, fix: tryAgain }
  if (records.length === 1) return { what, state: 'ok', found: records[0]! }
  const found = records.length ? `${records.length} records, where receivers want one` : 'no record'
  return { what, state: 'fail', found, fix: `One TXT record at ${domain}: "v=spf1 include:YOUR-RELAY -all".` }
}

async function checkDmarc(domain: string, dns: DnsLookups): Promise<Finding> {
  const what = `DMARC of ${domain}`
  // RFC 7489 §6.6.3: the domain's own record, else its organisation's; walking up finds it without a public suffix list.
  for (let name = domain; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
    const records = await textRecords(`_dmarc.${name}`, /^v=DMARC1\s*;/i, dns)
    if (typeof records === 'string') return { what, state: 'warn', found: records, fix: tryAgain }
    if (records.length > 0) return { what, state: 'ok', found: records[0]! }
  }
  return { what, state: 'fail', found: 'no record', fix: `A TXT record at _dmarc.${domain}: "v=DMARC1; p=none".` }
}

async function checkDkim(dkim: NonNullable<Config['mail']['dkim']>, dns: DnsLookups): Promise<Finding> {
  const name = `${dkim.selector}._domainkey.${dkim.domain}`
  const what = `DKIM at ${name}`
  const expected = publicKeyOf(dkim.privateKey)
  if (!expected) return { what, state: 'fail', found: 'the private key can’t be read', fix: 'Check DKIM_PRIVATE_KEY.' }
  const fix = `A TXT record at ${name}: "v=DKIM1; k=${expected.type}; p=${expected.text}".`
  const records = await textRecords(name, /(^|;)\s*p=/i, dns)
  if (typeof records === 'string') return { what, state: 'warn', found: records, fix: tryAgain }
  if (records.length === 0) return { what, state: 'fail', found: 'no record', fix }
  const published = /(?:^|;)\s*p=([^;]*)/i.exec(records[0]!)?.[1]?.replace(/\s/g, '')
  if (published === expected.text) return { what, state: 'ok', found: 'matches the private key' }
  return { what, state: 'fail', found: published ? 'holds another key' : 'the key was revoked (p= is empty)', fix }
}

async function checkMx(domain: string, dns: DnsLookups): Promise<Finding> {
  const what = `MX of ${domain}`
  const fix = `An MX record at ${domain} that leads to where bounces are received.`
  try {
    const [first] = (await dns.resolveMx(domain)).toSorted((a, b) => a.priority - b.priority)
    return first ? { what, state: 'ok', found: first.exchange } : { what, state: 'fail', found: 'no record', fix }
  } catch (cause) {
    return isAbsent(cause)
      ? { what, state: 'fail', found: 'no record', fix }
      : { what, state: 'warn', found: codeOf(cause), fix: tryAgain }
  }
}

/** DKIM's p=: the key as DER in base64; for Ed25519 the bare 32 bytes (RFC 8463 §4.2). */
function publicKeyOf(privateKey: string): { type: 'rsa' | 'ed25519'; text: string } | null {
  try {
    const key = createPublicKey(privateKey)
    const der = key.export({ type: 'spki', format: 'der' })
    return key.asymmetricKeyType === 'ed25519'
      ? { type: 'ed25519', text: der.subarray(-32).toString('base64') }
      : { type: 'rsa', text: der.toString('base64') }
  } catch {
    return null
  }
}

/** The TXT records that look like `wanted`; a text says why they couldn't be asked for. */
async function textRecords(name: string, wanted: RegExp, dns: DnsLookups): Promise<string[] | string> {
  try {
    return (await dns.resolveTxt(name)).map((parts) => parts.join('')).filter((text) => wanted.test(text))
  } catch (cause) {
    return isAbsent(cause) ? [] : `the DNS didn't answer (${codeOf(cause)})`
  }
}

const tryAgain = 'Try again; if it lasts, check this machine’s resolver.'
const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? String(cause)
const isAbsent = (cause: unknown): boolean => ['ENOTFOUND', 'ENODATA'].includes(codeOf(cause))

/** Relaxed alignment, without a public suffix list: one is the other or below it. */
function isAligned(signer: string, from: string): boolean {
  const [a, b] = [signer.toLowerCase(), from.toLowerCase()]
  return a === b || b.endsWith(`.${a}`) || a.endsWith(`.${b}`)
}
