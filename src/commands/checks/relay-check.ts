// `doctor`'s check of a relay: it connects like a worker, signs in, and disconnects. No mail is sent. If that fails, the dialogue
// is quoted, without secrets.

import { isLoopbackHost } from '../../base/loopback.ts'
import type { Relay } from '../../base/relay.ts'
import type { AnnouncementsOff } from '../../delivery/announcements.ts'
import { RelayUnavailable } from '../../delivery/relay-dial.ts'
import type { RelayFacts } from '../../delivery/relay-facts.ts'
import { SmtpConnection } from '../../delivery/smtp-connection.ts'
import type { Finding } from './finding.ts'

const timeouts = { connectSeconds: 5, commandSeconds: 5, dotSeconds: 5 }
/** A certificate that expires sooner gets a warning: certificates are usually renewed a month before. */
const soonMs = 14 * 86_400_000

export interface RelayToCheck {
  relay: Relay
  /** What the database stores about it. */
  off: AnnouncementsOff | null
  /** A rate limit or a warm-up applies to it: then no mail is announced. */
  isPaced: boolean
}

export async function checkRelay(given: RelayToCheck, now: Date): Promise<Finding[]> {
  const { relay } = given
  const dialogue: string[] = []
  const hear = (lines: string) => dialogue.push(...lines.split(/\r?\n/).map((line, at) => (at ? `  ${line}` : line)))
  try {
    const connection = await SmtpConnection.open(relay, timeouts, { hear })
    const { facts } = connection
    connection.quit()
    const greeting = dialogue.find((line) => line.startsWith('< '))?.slice(2) ?? ''
    return [
      { what: `relay ${relay.name}`, state: 'ok', found: `greets with "${greeting}"; we say EHLO ${facts.ehloName}` },
      checkTls(relay, facts, now),
      checkSignIn(relay, facts),
      checkAbilities(given, facts),
    ]
  } catch (cause) {
    if (!(cause instanceof RelayUnavailable)) throw cause
    const found = cause.message.replace(`${relay.name}: `, '')
    return [{ what: `relay ${relay.name}`, state: 'fail', found, fix: fixOf(cause, relay), quote: dialogue }]
  }
}

function checkTls(relay: Relay, { tls, certificate }: RelayFacts, now: Date): Finding {
  const what = `relay ${relay.name}, TLS`
  if (tls === null) {
    if (isLoopbackHost(relay.host)) return { what, state: 'ok', found: 'none, on this machine' }
    return {
      what,
      state: 'warn',
      found: 'none: mails are sent unencrypted',
      fix: 'Use a relay with STARTTLS and ?tls=required.',
    }
  }
  if (!certificate) return { what, state: 'ok', found: tls }
  const until = new Date(certificate.validTo)
  const { subject, issuer } = certificate
  const found = `${tls}, certificate for ${subject} by ${issuer}, until ${until.toISOString().slice(0, 10)}`
  if (until.getTime() - now.getTime() > soonMs) return { what, state: 'ok', found }
  return { what, state: 'warn', found, fix: 'The operator of the relay must renew it.' }
}

function checkSignIn(relay: Relay, { mechanism, tls }: RelayFacts): Finding {
  const what = `relay ${relay.name}, sign-in`
  if (mechanism === null) return { what, state: 'ok', found: 'none: SMTP_URL has no user name' }
  const found = `by ${mechanism.toUpperCase()} as ${relay.user}`
  if (tls !== null || mechanism === 'cram-md5' || isLoopbackHost(relay.host)) return { what, state: 'ok', found }
  return { what, state: 'warn', found: `${found}, unencrypted`, fix: 'Use a relay with STARTTLS and ?tls=required.' }
}

function checkAbilities({ relay, off, isPaced }: RelayToCheck, { sizeLimit, extensions }: RelayFacts): Finding {
  const what = `relay ${relay.name}, abilities`
  const size = sizeLimit === null ? 'no size limit announced' : `mails up to ${(sizeLimit / 1e6).toFixed(1)} MB`
  const found = (pipelining: string) => `${size}; ${pipelining}`
  if (!extensions.includes('PIPELINING'))
    return { what, state: 'ok', found: found('no PIPELINING, so each mail waits for the answer to each command') }
  if (isPaced)
    return { what, state: 'ok', found: found('PIPELINING; no mail is announced early, because the rate is limited') }
  if (!off)
    return { what, state: 'ok', found: found('PIPELINING, so the next mail is announced right after the last one') }
  return {
    what,
    state: 'warn',
    found: found(`PIPELINING, but no mail is announced early for a day from ${off.since}: ${off.why}`),
    fix: 'No mail is lost. Each mail takes one more round trip to this relay.',
  }
}

function fixOf({ message }: RelayUnavailable, relay: Relay): string {
  if (/sign in|signing in|sign-in/.test(message)) return 'Check the user name, the password and ?auth= in SMTP_URL.'
  if (/EHLO|HELO/.test(message)) return 'Give a name that the relay accepts: ?name=mail.example.com in SMTP_URL.'
  if (/STARTTLS/.test(message))
    return 'Use a relay that encrypts, or another port: 587 with STARTTLS, or 465 with smtps://.'
  if (/certificate|TLS|SSL/i.test(message))
    return `The relay needs TLS 1.2 or newer and a certificate for ${relay.host}, by an authority that this machine knows (NODE_EXTRA_CA_CERTS adds one).`
  return 'Check SMTP_URL, and that this machine can connect to it.'
}
