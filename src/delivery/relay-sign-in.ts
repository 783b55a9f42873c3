// How to sign in at a relay: which mechanism, with which credentials, and what this process has learned about the relay.
// nodemailer implements the mechanisms.

import type { SMTPConnectionAuth } from 'nodemailer/lib/smtp-connection'
import XOAuth2 from 'nodemailer/lib/xoauth2'
import type { Relay, SignInMechanism } from '../base/relay.ts'

interface Memory {
  /** The mechanism that worked where the usual one was refused. */
  mechanism: SignInMechanism | null
  /** One access token for all connections. nodemailer refreshes it. */
  token: XOAuth2 | null
}
const memories = new WeakMap<Relay, Memory>()

const usual: readonly SignInMechanism[] = ['plain', 'login', 'cram-md5']
/** The mechanism that doesn't reveal the password comes first. */
const inClear: readonly SignInMechanism[] = ['cram-md5', 'plain', 'login']

/**
 * `hello`: the answer to EHLO; `isSecure`: over TLS. If `mechanism` is refused, `other` may be tried on a new connection. Throws
 * when the relay offers no mechanism that may be used.
 */
export function chooseMechanism(
  relay: Relay,
  { hello, isSecure }: { hello: string; isSecure: boolean },
): { mechanism: SignInMechanism; other: SignInMechanism | null } {
  const offered = offeredMechanisms(hello)
  const preferred = memoryOf(relay).mechanism
  const allowed = relay.auth ? [relay.auth] : [...(preferred ? [preferred] : []), ...(isSecure ? usual : inClear)]
  const mechanism = allowed.find((name) => offered.includes(name))
  if (!mechanism) {
    const wanted = relay.auth ? relay.auth.toUpperCase() : 'PLAIN, LOGIN or CRAM-MD5'
    const names = offered.map((name) => name.toUpperCase()).join(', ') || 'no mechanism'
    throw new Error(`the relay doesn't offer ${wanted} for signing in; it offers ${names}`)
  }
  const hasOther = mechanism === 'plain' && !relay.auth && offered.includes('login')
  return { mechanism, other: hasOther ? 'login' : null }
}

/** The next connections use this mechanism first. */
export function prefer(relay: Relay, mechanism: SignInMechanism): void {
  memoryOf(relay).mechanism = mechanism
}

export function credentialsOf(relay: Relay, mechanism: SignInMechanism): SMTPConnectionAuth {
  const user = relay.user!
  if (mechanism !== 'xoauth2') return { method: mechanism.toUpperCase(), user, pass: relay.password ?? '' }
  return { method: 'XOAUTH2', user, oauth2: (memoryOf(relay).token ??= openToken(relay)) }
}

/** `AUTH PLAIN LOGIN`, or the older `AUTH=LOGIN`. */
function offeredMechanisms(hello: string): string[] {
  const names = hello
    .split(/\r?\n/)
    .flatMap((line) => /^250[ -]AUTH[ =](.*)$/i.exec(line)?.[1]?.split(/[ =]+/) ?? [])
    .map((name) => name.toLowerCase())
  return [...new Set(names)].filter(Boolean)
}

function openToken({ user, password, oauth }: Relay): XOAuth2 {
  if (!oauth) return new XOAuth2({ user: user!, accessToken: password ?? '' }, false)
  const { tokenUrl, clientId, clientSecret, refreshToken, scope } = oauth
  return new XOAuth2(
    {
      user: user!,
      accessUrl: tokenUrl,
      clientId,
      clientSecret,
      // nodemailer renews only if there is a refresh token. An empty parameter counts as omitted (RFC 6749 §3.2).
      refreshToken: refreshToken ?? 'none',
      customParams: {
        ...(refreshToken === null ? { grant_type: 'client_credentials', refresh_token: '' } : {}),
        ...(scope === null ? {} : { scope }),
      },
      requestTimeout: 15_000,
    },
    false,
  )
}

function memoryOf(relay: Relay): Memory {
  const known = memories.get(relay)
  if (known) return known
  const memory: Memory = { mechanism: null, token: null }
  memories.set(relay, memory)
  return memory
}
