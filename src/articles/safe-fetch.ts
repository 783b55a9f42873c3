// Outbound HTTP to addresses that strangers may have chosen. Only public unicast addresses, checked when the socket is opened, so
// that neither IP literals, nor changing DNS answers, nor redirects bypass the check; only ports 80 and 443; limits on time and on
// bytes, before and after decompression. Hosts on the allow-list (`host[:port]`) may be private and use any port.

import dns from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Agent, buildConnector, request } from 'undici'
import { readBody } from './fetch-body.ts'
import { Blocked, codeOf, inWords } from './fetch-errors.ts'

export interface FetchOptions {
  userAgent: string
  /** `host[:port]`, lower case; without a port, any. */
  allowHosts: readonly string[]
  etag?: string | null
  lastModified?: string | null
  timeoutMs?: number
  mostBytes?: number
  method?: 'GET' | 'POST'
  /** Sent as a form: POST only. */
  form?: URLSearchParams
  accept?: string
  /** The resolver: dns.lookup by default. */
  lookup?: LookupFunction
}

export interface Fetched {
  outcome: 'fetched'
  status: number
  /** The address after all redirects. */
  url: string
  /** The address to store: after the permanent redirects at the beginning. */
  permanentUrl: string | null
  /** Names in lower case; repeated ones joined with ", ". */
  headers: Record<string, string>
  /** Decompressed. Empty for 304. */
  bytes: Uint8Array
}
export interface NotFetched {
  outcome: 'failed'
  /** A sentence for screens. */
  reason: string
  /** For the log. */
  code?: string | undefined
}
export type FetchResult = Fetched | NotFetched

const mostRedirects = 5
const feedTypes =
  'application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.3'

/**
 * One exchange, following redirects. Never throws. Any status is an answer, which the caller judges; only an exchange without an
 * answer has failed.
 */
export async function safeFetch(given: string, options: FetchOptions): Promise<FetchResult> {
  const timeoutMs = options.timeoutMs ?? 20_000
  const signal = AbortSignal.timeout(timeoutMs)
  // One agent per fetch, so no socket stays open, and none that was opened under other rules is reused.
  const agent = new Agent({
    connect: guardedConnector(options),
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxHeaderSize: 32_768,
    pipelining: 0,
  })
  try {
    return await follow(given, options, agent, signal)
  } catch (error) {
    if (signal.aborted) return { outcome: 'failed', reason: `It took longer than ${timeoutMs / 1000} s.` }
    const code = codeOf(error)
    return { outcome: 'failed', reason: inWords(error), ...(code === undefined ? {} : { code }) }
  } finally {
    await agent.destroy().catch(() => {})
  }
}

async function follow(given: string, options: FetchOptions, agent: Agent, signal: AbortSignal): Promise<FetchResult> {
  let url = given
  let isPermanent = true
  let permanentUrl: string | null = null
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const refusal = refuseUrl(url, options.allowHosts)
    if (refusal) return { outcome: 'failed', reason: refusal }
    const response = await request(url, {
      method: options.method ?? 'GET',
      dispatcher: agent,
      signal,
      headers: requestHeaders(options),
      ...(options.form ? { body: options.form.toString() } : {}),
    })
    const headers = flatten(response.headers)
    const status = response.statusCode
    if ([301, 302, 303, 307, 308].includes(status) && headers.location && options.method !== 'POST') {
      response.body.on('error', () => {}).destroy()
      const next = URL.parse(headers.location, url)
      if (!next) return { outcome: 'failed', reason: `It redirects to an address that isn't one.` }
      isPermanent &&= status === 301 || status === 308
      url = next.href
      if (isPermanent) permanentUrl = url
      continue
    }
    if (status === 304) {
      response.body.on('error', () => {}).destroy()
      return { outcome: 'fetched', status, url, permanentUrl, headers, bytes: new Uint8Array() }
    }
    const bytes = await readBody(response.body, headers, options.mostBytes ?? 10_000_000, signal)
    return { outcome: 'fetched', status, url, permanentUrl, headers, bytes }
  }
  return { outcome: 'failed', reason: `It redirects more than ${mostRedirects} times.` }
}

/** What is wrong with an address before any request; null: nothing. */
export function refuseUrl(given: string, allowHosts: readonly string[]): string | null {
  const url = URL.parse(given)
  if (!url) return `${given.slice(0, 200)} is not an address.`
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `${url.protocol} is not http: or https:.`
  if (url.username || url.password) return 'An address with a password in it is not fetched.'
  if (isAllowed(url.hostname, portOf(url), allowHosts)) return null
  if (url.port && url.port !== '80' && url.port !== '443')
    return `Port ${url.port} is not one that feeds are served on.`
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) && !isPublicAddress(literal)) return `${literal} is not a public address.`
  return null
}

/** Public unicast addresses that are routed today. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address.replace(/%.*$/, ''))
  if (parsed.range() !== 'unicast') return false
  // All of public IPv6 is in 2000::/3. Addresses such as ::127.0.0.1 only look like unicast.
  return parsed.kind() === 'ipv4' || (parsed.toByteArray()[0]! & 0xe0) === 0x20
}

function isAllowed(hostname: string, port: string, allowHosts: readonly string[]): boolean {
  const host = hostname.replace(/\.$/, '').toLowerCase()
  return allowHosts.includes(host) || allowHosts.includes(`${host}:${port}`)
}

function portOf(url: { protocol: string; port: string }): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80')
}

function guardedConnector(options: FetchOptions): buildConnector.connector {
  const resolve: LookupFunction = options.lookup ?? (dns.lookup as LookupFunction)
  const guarded: LookupFunction = (hostname, lookupOptions, callback) => {
    resolve(hostname, { ...lookupOptions, all: true }, (error, found) => {
      if (error) return callback(error, [])
      const addresses = (
        Array.isArray(found) ? found : [{ address: String(found), family: isIP(String(found)) }]
      ).filter((one) => isPublicAddress(one.address))
      if (addresses.length === 0) return callback(new Blocked(`${hostname} has no public address.`), [])
      if (lookupOptions.all) callback(null, addresses)
      else callback(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
  const connectTimeout = { timeout: 10_000 }
  const open = buildConnector({ ...connectTimeout, ...(options.lookup ? { lookup: options.lookup } : {}) })
  const guard = buildConnector({ ...connectTimeout, lookup: guarded })
  return (target, callback) => {
    if (isAllowed(target.hostname, portOf(target), options.allowHosts)) return open(target, callback)
    // lookup isn't called for IP literals.
    const literal = target.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) && !isPublicAddress(literal))
      return callback(new Blocked(`${literal} is not a public address.`), null)
    return guard(target, callback)
  }
}

function requestHeaders(options: FetchOptions): Record<string, string> {
  return {
    'user-agent': options.userAgent,
    accept: options.accept ?? feedTypes,
    'accept-encoding': 'gzip, br, deflate',
    ...(options.etag ? { 'if-none-match': options.etag } : {}),
    ...(options.lastModified ? { 'if-modified-since': options.lastModified } : {}),
    ...(options.form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
  }
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}
