// The DNS records that receivers need to trust mail from MAIL_FROM's domain: SPF, DKIM, DMARC, and an MX for the return path. The
// resolver is passed in, so that tests need no network. Without the relay's outgoing addresses an SPF record can't be evaluated:
// the check is only that there is exactly one.

import { createPublicKey } from 'node:crypto'
import type { Config } from '../../base/config.ts'
import { domainOf } from '../../base/email-address.ts'
import type { Finding } from './finding.ts'

export interface DnsLookups {
  resolveTxt(name: string): Promise<string[][]>
  resolveMx(name: string): Promise<{ exchange: string; priority: number }[]>
}

export async function checkMailDns(config: Config, dns: DnsLookups): Promise<Finding[]> {
  const from = domainOf(config.mail.from.address)
  const { dkim, bounceDomain } = config.mail
  const found = await Promise.all([
    checkSpf(bounceDomain ?? from, dns),
    checkDmarc(from, dns),
    ...(dkim?.keys.map(({ selector, pem }) => checkDkimKey(`${selector}._domainkey.${dkim.domain}`, pem, dns)) ?? []),
    ...(bounceDomain ? [checkMx(bounceDomain, dns)] : []),
  ])
  return [...found, ...checkSigning(config)]
}

async function checkSpf(domain: string, dns: DnsLookups): Promise<Finding> {
  const what = `SPF of ${domain}`
  const records = await textRecords(domain, /^v=spf1( |$)/i, dns)
  if (typeof records === 'string') return { what, state: 'warn', found: records, fix: tryAgain }
  if (records.length === 1) return { what, state: 'ok', found: records[0]! }
  const found = records.length ? `${records.length} records, but receivers accept only one` : 'no record'
  return { what, state: 'fail', found, fix: `Publish one TXT record at ${domain}: "v=spf1 include:YOUR-RELAY -all".` }
}

async function checkDmarc(domain: string, dns: DnsLookups): Promise<Finding> {
  const what = `DMARC of ${domain}`
  // RFC 7489 §6.6.3: the domain's own record, otherwise its organisation's. Walking up finds it without a public suffix list.
  for (let name = domain; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
    const records = await textRecords(`_dmarc.${name}`, /^v=DMARC1\s*;/i, dns)
    if (typeof records === 'string') return { what, state: 'warn', found: records, fix: tryAgain }
    if (records.length > 0) return { what, state: 'ok', found: records[0]! }
  }
  return {
    what,
    state: 'fail',
    found: 'no record',
    fix: `Publish a TXT record at _dmarc.${domain}: "v=DMARC1; p=none".`,
  }
}

async function checkDkimKey(name: string, pem: string, dns: DnsLookups): Promise<Finding> {
  const what = `DKIM at ${name}`
  const { type, bits, text } = publicKeyOf(pem)
  if (bits !== null && bits < 1024)
    return { what, state: 'fail', found: `the key has only ${bits} bits, which receivers don't accept`, fix: longerKey }
  const fix = `Publish a TXT record at ${name}: "v=DKIM1; k=${type}; p=${text}".`
  const records = await textRecords(name, /(^|;)\s*p\s*=/i, dns)
  if (typeof records === 'string') return { what, state: 'warn', found: records, fix: tryAgain }
  const [record, another] = records
  if (record === undefined) return { what, state: 'fail', found: 'no record', fix }
  if (another !== undefined)
    return { what, state: 'fail', found: `${records.length} records, but receivers accept only one`, fix }
  const tags = new Map(record.split(';').map((tag) => [tag.split('=', 1)[0]!.trim().toLowerCase(), valueOf(tag)]))
  const wrong = wrongIn(tags, type, text)
  if (wrong) return { what, state: 'fail', found: wrong, fix }
  if (tags.get('t')?.split(':').includes('y'))
    return { what, state: 'warn', found: 'says that it is a test (t=y), so receivers may ignore the signature', fix }
  const found = `matches the private key${bits === null ? '' : ` (RSA, ${bits} bits)`}`
  if (bits !== null && bits < 2048) return { what, state: 'warn', found, fix: longerKey }
  if (bits !== null && bits > 4096)
    return { what, state: 'warn', found, fix: 'Receivers need not verify keys of more than 4096 bits (RFC 8301).' }
  return { what, state: 'ok', found }
}

/** An error in a key record that keeps receivers from verifying with it. */
function wrongIn(tags: ReadonlyMap<string, string>, type: string, text: string): string | null {
  const published = tags.get('p')
  if (published === '') return 'the key was revoked (p= is empty)'
  if (published !== text) return 'contains another key'
  if ((tags.get('k') ?? 'rsa') !== type) return `gives the key type as ${tags.get('k') ?? 'rsa'}`
  if (tags.has('v') && tags.get('v') !== 'DKIM1') return `has the version ${tags.get('v')}, not DKIM1`
  if (!(tags.get('h') ?? 'sha256').split(':').includes('sha256')) return `allows only ${tags.get('h')}`
  if (!/^(.*:)?(\*|email)(:.*)?$/.test(tags.get('s') ?? '*')) return `is for ${tags.get('s')}, not for email`
  return null
}

/** Problems with signing itself, independent of the DNS. */
function checkSigning({ mail: { dkim, from }, smtp }: Config): Finding[] {
  if (!dkim)
    return [
      {
        what: 'DKIM',
        state: 'warn',
        found: 'mails are not signed here',
        fix: 'Set DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY, unless the relay signs.',
      },
    ]
  const findings: Finding[] = []
  const sender = domainOf(from.address)
  if (!isAligned(dkim.domain, sender))
    findings.push({
      what: 'DKIM alignment',
      state: 'fail',
      found: `signed by ${dkim.domain}, sent from ${sender}`,
      fix: `Set DKIM_DOMAIN to ${sender} or the domain above it, or DMARC ignores the signature.`,
    })
  if (dkim.keys.every(({ pem }) => publicKeyOf(pem).type === 'ed25519'))
    findings.push({
      what: 'DKIM keys',
      state: 'warn',
      found: 'Ed25519 only, which many receivers can’t verify',
      fix: 'Add an RSA key of 2048 bits: two selectors, two keys.',
    })
  const isSigned = (name: string) => !dkim.leaveOut.includes(name.toLowerCase())
  const amazon = smtp.relays.find(({ host }) => /\.amazonaws\.com(\.cn)?\.?$/i.test(host))
  const replaced = ['Message-ID', 'Date'].filter(isSigned)
  if (amazon && replaced.length > 0)
    findings.push({
      what: `DKIM through ${amazon.name}`,
      state: 'warn',
      found: `${replaced.join(' and ')} ${replaced.length > 1 ? 'are' : 'is'} signed, but Amazon SES replaces ${replaced.length > 1 ? 'them' : 'it'}`,
      fix: 'Set DKIM_LEAVE_OUT="Message-ID, Date", or every signature is invalid. See docs/relays.md for the consequences.',
    })
  const unsigned = ['List-Unsubscribe', 'List-Unsubscribe-Post'].filter((name) => !isSigned(name))
  if (unsigned.length > 0)
    findings.push({
      what: 'DKIM_LEAVE_OUT',
      state: 'warn',
      found: `${unsigned.join(' and ')} not signed`,
      fix: 'Sign both headers. Receivers offer one-click unsubscribing only then (RFC 8058).',
    })
  return findings
}

async function checkMx(domain: string, dns: DnsLookups): Promise<Finding> {
  const what = `MX of ${domain}`
  const fix = `Publish an MX record at ${domain} for the server that receives bounces.`
  try {
    const [first] = (await dns.resolveMx(domain)).toSorted((a, b) => a.priority - b.priority)
    return first ? { what, state: 'ok', found: first.exchange } : { what, state: 'fail', found: 'no record', fix }
  } catch (cause) {
    return isAbsent(cause)
      ? { what, state: 'fail', found: 'no record', fix }
      : { what, state: 'warn', found: codeOf(cause), fix: tryAgain }
  }
}

/** The value of DKIM's p=: the key as DER in base64; for Ed25519 the bare 32 bytes (RFC 8463 §4.2). `bits`: of an RSA key. */
function publicKeyOf(pem: string): { type: 'rsa' | 'ed25519'; bits: number | null; text: string } {
  const key = createPublicKey(pem)
  const der = key.export({ type: 'spki', format: 'der' })
  return key.asymmetricKeyType === 'ed25519'
    ? { type: 'ed25519', bits: null, text: der.subarray(-32).toString('base64') }
    : { type: 'rsa', bits: key.asymmetricKeyDetails!.modulusLength!, text: der.toString('base64') }
}

/** The value of a tag such as `p=MIIB…`, without white space, which may be anywhere in it. */
function valueOf(tag: string): string {
  return tag.slice(tag.indexOf('=') + 1).replace(/\s/g, '')
}

/** The TXT records that match `wanted`; a string says why the query failed. */
async function textRecords(name: string, wanted: RegExp, dns: DnsLookups): Promise<string[] | string> {
  try {
    return (await dns.resolveTxt(name)).map((parts) => parts.join('')).filter((text) => wanted.test(text))
  } catch (cause) {
    return isAbsent(cause) ? [] : `the DNS lookup failed (${codeOf(cause)})`
  }
}

const longerKey = 'Make an RSA key of 2048 bits under a new selector. See docs/keys.md.'
const tryAgain = 'Try again. If it still fails, check the DNS resolver of this machine.'
const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? String(cause)
const isAbsent = (cause: unknown): boolean => ['ENOTFOUND', 'ENODATA'].includes(codeOf(cause))

/** Relaxed alignment, without a public suffix list: one domain equals the other or is below it. */
function isAligned(signer: string, from: string): boolean {
  const [a, b] = [signer.toLowerCase(), from.toLowerCase()]
  return a === b || b.endsWith(`.${a}`) || a.endsWith(`.${b}`)
}
