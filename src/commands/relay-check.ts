// What `doctor` says of a relay: it dials as a worker does, signs in, and hangs up. No mail is sent. Where that fails, the dialogue
// is quoted, without secrets.

import { isLoopbackHost } from '../base/loopback.ts'
import type { Relay } from '../base/relay.ts'
import type { AnnouncementsOff } from '../delivery/announcements.ts'
import { RelayUnavailable } from '../delivery/relay-dial.ts'
import type { RelayFacts } from '../delivery/relay-facts.ts'
import { SmtpConnection } from '../delivery/smtp-connection.ts'
import type { Finding } from './doctor.ts'

const timeouts = { connectSeconds: 5, commandSeconds: 5, dotSeconds: 5 }
/** A certificate that ends sooner deserves a word: certificates are usually renewed a month before. */
const soonMs = 14 * 86_400_000

/** `off`: what is remembered of it. */
export async function checkRelay(relay: Relay, off: AnnouncementsOff | null, now: Date): Promise<Finding[]> {
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
      checkAbilities(relay, facts, off),
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
      found: 'none: mails go in clear',
      fix: 'Use a relay with STARTTLS and ?tls=required.',
    }
  }
  if (!certificate) return { what, state: 'ok', found: tls }
  const until = new Date(certificate.validTo)
  const { subject, issuer } = certificate
  const found = `${tls}, certificate for ${subject} by ${issuer}, until ${until.toISOString().slice(0, 10)}`
  if (until.getTime() - now.getTime() > soonMs) return { what, state: 'ok', found }
  return { what, state: 'warn', found, fix: 'Whoever runs the relay must renew it.' }
}

function checkSignIn(relay: Relay, { mechanism, tls }: RelayFacts): Finding {
  const what = `relay ${relay.name}, sign-in`
  if (mechanism === null) return { what, state: 'ok', found: 'none: SMTP_URL has no user name' }
  const found = `by ${mechanism.toUpperCase()} as ${relay.user}`
  if (tls !== null || mechanism === 'cram-md5' || isLoopbackHost(relay.host)) return { what, state: 'ok', found }
  return { what, state: 'warn', found: `${found}, in clear`, fix: 'Use a relay with STARTTLS and ?tls=required.' }
}

function checkAbilities(relay: Relay, { sizeLimit, extensions }: RelayFacts, off: AnnouncementsOff | null): Finding {
  const what = `relay ${relay.name}, abilities`
  const size = sizeLimit === null ? 'no limit of size announced' : `mails up to ${(sizeLimit / 1e6).toFixed(1)} MB`
  if (!extensions.includes('PIPELINING'))
    return { what, state: 'ok', found: `${size}; no PIPELINING, so each mail waits for the answer to each command` }
  if (!off)
    return { what, state: 'ok', found: `${size}; PIPELINING, so the next mail is announced behind the last one` }
  return {
    what,
    state: 'warn',
    found: `${size}; PIPELINING, but no mail is announced behind another one for a day from ${off.since}: ${off.why}`,
    fix: 'Nothing is lost by it. Each mail takes one more round trip to this relay.',
  }
}

function fixOf({ message }: RelayUnavailable, relay: Relay): string {
  if (/sign|token|XOAUTH2/i.test(message)) return 'Check the user name, the password and ?auth= in SMTP_URL.'
  if (/EHLO|HELO/.test(message)) return 'Give a name that the relay accepts: ?name=mail.example.com in SMTP_URL.'
  if (/STARTTLS/.test(message))
    return 'Use a relay that encrypts, or another port: 587 with STARTTLS, smtps:// with 465.'
  if (/certificate|TLS|SSL/i.test(message))
    return `The relay needs TLS 1.2 or newer and a certificate for ${relay.host}, by an authority that this machine knows (NODE_EXTRA_CA_CERTS adds one).`
  return 'Check SMTP_URL and that this machine may connect there.'
}
