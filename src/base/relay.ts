// A relay in SMTP_URL: smtp:// or smtps://, a user name and password, and options after the question mark.

import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isLoopbackHost } from './loopback.ts'

export const signInMechanisms = ['plain', 'login', 'cram-md5', 'xoauth2'] as const
export type SignInMechanism = (typeof signInMechanisms)[number]

export interface Relay {
  /** Shown on screen and in metrics: host:port, never the password. */
  name: string
  host: string
  port: number
  /** smtps: TLS from the first byte. */
  implicitTls: boolean
  /** Whether STARTTLS is required, used if offered, or never used. */
  tls: 'required' | 'opportunistic' | 'never'
  user: string | null
  password: string | null
  /** How to sign in; null: the first mechanism that the relay offers. */
  auth?: SignInMechanism | null
  /** Where XOAUTH2 tokens come from; null: the password is an access token. */
  oauth?: OauthClient | null
  /** Our name at EHLO: a full host name, or an address literal. */
  ehloName?: string
  weight: number
  /** Connections for digests; null: SMTP_CONNECTIONS, in proportion to its weight. */
  connections?: number | null
  /** Mails per second over all workers; null: only SMTP_RATE_PER_SECOND counts. */
  ratePerSecond?: number | null
  /** Mails on the day `from` (UTC), and the daily growth. */
  warmUp?: { mails: number; growth: number; from: string } | null
}

/** RFC 6749: a refresh token (§6), or without one the client's own credentials (§4.4). */
export interface OauthClient {
  tokenUrl: string
  clientId: string
  clientSecret: string
  refreshToken: string | null
  scope: string | null
}

const options = [
  'tls',
  'weight',
  'connections',
  'rate',
  'warmup',
  'name',
  'auth',
  'token-url',
  'client-id',
  'client-secret',
  'refresh-token',
  'scope',
]

/** A full host name, or an address literal (RFC 5321 §4.1.3). */
const ehloPattern =
  /^(?=.{4,255}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$|^\[(\d{1,3}(\.\d{1,3}){3}|IPv6:[0-9a-f:.]+)\]$/i

/** A string is a sentence that says what is wrong. `ehloName`: our name at EHLO unless the address has `?name=`. */
export function parseRelay(given: string, ehloName?: string): Relay | string {
  let url: URL
  try {
    url = new URL(given)
  } catch {
    return 'must look like smtp://user:password@host:587, the user and the password percent-encoded'
  }
  if (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') return 'must start with smtp:// or smtps://'
  if (!url.hostname) return 'has no host'
  const tls = url.searchParams.get('tls') ?? (isLoopbackHost(url.hostname) ? 'opportunistic' : 'required')
  if (tls !== 'required' && tls !== 'opportunistic' && tls !== 'never')
    return 'tls must be required, opportunistic or never'
  const weight = url.searchParams.get('weight') ?? '1'
  if (!/^[1-9]\d{0,3}$/.test(weight)) return 'weight must be a whole number from 1 to 9999'
  const connections = url.searchParams.get('connections') ?? '0'
  if (!/^\d{1,3}$/.test(connections)) return 'connections must be a whole number up to 999'
  const rate = url.searchParams.get('rate') ?? '0'
  if (!/^\d{1,5}$/.test(rate)) return 'rate must be a whole number of mails a second'
  const warmUp = url.searchParams.get('warmup')
  const plan = /^(\d{1,7})x(\d(?:\.\d+)?)@(\d{4}-\d{2}-\d{2})$/.exec(warmUp ?? '')
  if (warmUp !== null && (!plan || Number.isNaN(Date.parse(plan[3]!))))
    return 'warmup must look like 500x1.5@2026-11-23: mails on the first day, daily growth, first day'
  for (const name of url.searchParams.keys())
    if (!options.includes(name)) return `doesn't know the option ${name}; it knows ${options.join(', ')}`
  const name = url.searchParams.get('name') ?? ehloName
  if (name !== undefined && !ehloPattern.test(name))
    return 'name must be a full host name such as mail.paper.example, or an address such as [192.0.2.1]'
  const auth = url.searchParams.get('auth')?.toLowerCase() ?? null
  if (auth !== null && !isMechanism(auth)) return `auth must be one of ${signInMechanisms.join(', ')}`
  const oauth = parseOauth(url.searchParams)
  if (typeof oauth === 'string') return oauth
  if (oauth && auth !== 'xoauth2') return 'token-url and the client options need auth=xoauth2'
  if (auth && !url.username) return `auth=${auth} needs a user name: smtp://user:password@host`
  if (url.username && !url.password && !oauth) return 'has a user name but no password'
  const implicitTls = url.protocol === 'smtps:'
  const port = url.port ? Number(url.port) : implicitTls ? 465 : 587
  return {
    name: `${url.hostname}:${port}`,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    implicitTls,
    tls,
    user: url.username ? decodeURIComponent(url.username) : null,
    password: url.password ? decodeURIComponent(url.password) : null,
    auth,
    oauth,
    ...(name === undefined ? {} : { ehloName: name }),
    weight: Number(weight),
    connections: Number(connections) || null,
    ratePerSecond: Number(rate) || null,
    warmUp: plan ? { mails: Number(plan[1]), growth: Number(plan[2]), from: plan[3]! } : null,
  }
}

function isMechanism(value: string): value is SignInMechanism {
  return (signInMechanisms as readonly string[]).includes(value)
}

function parseOauth(given: URLSearchParams): OauthClient | null | string {
  const names = ['token-url', 'client-id', 'client-secret', 'refresh-token', 'scope']
  if (!names.some((name) => given.has(name))) return null
  const [tokenUrl, clientId, clientSecret, refreshToken, scope] = names.map((name) => given.get(name))
  if (!tokenUrl || !clientId || !clientSecret) return 'needs token-url, client-id and client-secret together'
  if (!URL.canParse(tokenUrl)) return 'token-url must be an address: https://…'
  const { protocol, hostname } = new URL(tokenUrl)
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopbackHost(hostname)))
    return 'token-url must begin with https://'
  return { tokenUrl, clientId, clientSecret, refreshToken: refreshToken ?? null, scope: scope ?? null }
}

/**
 * This machine's name: PUBLIC_URL's host if that is a full name, otherwise one of its addresses. Relays refuse a bare name, such
 * as a container's, with 504 or 421.
 */
export function ehloNameOf(publicUrl: string): string {
  const host = new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')
  if (isIP(host)) return addressLiteral(host)
  if (host.includes('.') && ehloPattern.test(host)) return host
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return addressLiteral(own.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1')
}

function addressLiteral(address: string): string {
  return isIP(address) === 6 ? `[IPv6:${address}]` : `[${address}]`
}
