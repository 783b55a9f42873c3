// A relay as SMTP_URL names it: smtp:// or smtps://, with tls, weight, connections, rate and warmup as options.

import { isLoopbackHost } from './loopback.ts'

export interface Relay {
  /** Shown to people and in metrics: host:port, never the password. */
  name: string
  host: string
  port: number
  /** smtps: TLS from the first byte. */
  implicitTls: boolean
  /** Whether STARTTLS is demanded, taken when offered, or never asked for. */
  tls: 'required' | 'opportunistic' | 'never'
  user: string | null
  password: string | null
  weight: number
  /** Connections for digests; null: SMTP_CONNECTIONS, in proportion to its weight. */
  connections?: number | null
  /** Mails a second over all workers; null: only SMTP_RATE_PER_SECOND counts. */
  ratePerSecond?: number | null
  /** Mails on the day `from` (UTC), and by what that grows each day after. */
  warmUp?: { mails: number; growth: number; from: string } | null
}

/** A sentence says what is wrong with it. */
export function parseRelay(given: string): Relay | string {
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
    if (!['tls', 'weight', 'connections', 'rate', 'warmup'].includes(name)) return `doesn't know the option ${name}`
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
    weight: Number(weight),
    connections: Number(connections) || null,
    ratePerSecond: Number(rate) || null,
    warmUp: plan ? { mails: Number(plan[1]), growth: Number(plan[2]), from: plan[3]! } : null,
  }
}
