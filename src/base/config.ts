// The environment, read once, checked whole: the only reader of process.env's product variables. Every problem is reported at
// once, by variable name. `variables` is the one list that .env.example, the README's table and `doctor` are checked against.
//
// With no SMTP_URL and a loopback PUBLIC_URL the program is a trial (`config.trial`): it needs nothing else.

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { z } from 'zod'
import { parseEmailAddress } from './email-address.ts'

const text = (fallback: string) => z.string().default(fallback)
const optional = z.string().optional()
const whole = (least: number, most: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`))
    .default(fallback)
const webAddress = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
  .transform((url) => url.replace(/\/+$/, ''))
const zone = z.string().refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin')
const mailbox = z.string().refine((value) => parseMailbox(value) !== null, 'must be an address, or: Name <address>')

/** Every variable, in the order in which people meet them. */
export const variables = {
  SITE_NAME: text('The Whale Gazette').describe('name of the site, as in the masthead and the sender'),
  SITE_URL: webAddress
    .optional()
    .describe('home page of the news site; default: PUBLIC_URL, in the trial its sample site'),
  SITE_TAGLINE: text('The stories you chose, at the hour you chose.').describe('one line under the name'),
  SITE_LOGO_URL: webAddress.optional().describe('picture shown instead of the name'),
  SITE_ACCENT: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #7a1f2b')
    .default('#7a1f2b')
    .describe('colour of links and the one button, on light paper'),
  SITE_ACCENT_DARK: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #e58f97')
    .default('#e58f97')
    .describe('the same on dark paper'),
  SITE_LOCALE: text('en').describe('language of pages and mails'),
  PUBLIC_URL: webAddress
    .optional()
    .describe('address of this program as readers reach it; default: http://127.0.0.1:PORT'),
  HOST: optional.describe('address to listen on; default 127.0.0.1 in the trial, else 0.0.0.0'),
  PORT: whole(0, 65535, 3000).describe('port to listen on'),
  METRICS_PORT: whole(0, 65535, 0).describe(
    'port of /healthz, /readyz and /metrics in a process of role worker; 0: none',
  ),
  TRUST_PROXY: text('').describe('proxies whose X-Forwarded-For counts: a number of hops, or addresses; empty: none'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgres://')
    .optional()
    .describe('Postgres 15 or newer; unset: the embedded database in DATA_DIR'),
  DATABASE_POOL: whole(2, 100, 10).describe('connections to Postgres per process'),
  DATA_DIR: text('./data').describe('folder of the embedded database, the trial secret and the control file'),
  SECRET_KEY: optional.describe('32 characters or more; several separated by commas, the first signs'),
  MAIL_FROM: mailbox.optional().describe('sender of digests: Name <address>'),
  MAIL_FROM_SYSTEM: mailbox.optional().describe('sender of confirmations and sign-in links; default: MAIL_FROM'),
  MAIL_REPLY_TO: mailbox.optional().describe('where replies go'),
  POSTAL_ADDRESS: optional.describe('postal address in every footer, as the law wants it'),
  DISCLAIMER: text('').describe('small print in every digest'),
  SMTP_URL: optional.describe('relays, separated by spaces: smtp://user:password@host:587?tls=required&weight=1'),
  SMTP_CONNECTIONS: whole(1, 500, 20).describe('open connections per relay and process for digests'),
  SMTP_RATE_PER_SECOND: whole(0, 100000, 0).describe('mails a second over all workers; 0: unlimited'),
  DKIM_DOMAIN: optional.describe('domain that signs; needs DKIM_SELECTOR and a key'),
  DKIM_SELECTOR: optional.describe('selector of the key in DNS'),
  DKIM_PRIVATE_KEY: optional.describe('PEM of the RSA (2048 bits) or Ed25519 key; \\n stands for a line end'),
  DKIM_PRIVATE_KEY_FILE: optional.describe('file with that PEM'),
  BOUNCE_DOMAIN: optional.describe('domain of the return path (VERP); unset: bounces go to MAIL_FROM'),
  UNCERTAIN_POLICY: z
    .enum(['resend', 'hold'])
    .default('resend')
    .describe('mails whose fate is unknown: resend once, or hold'),
  RETRY_HOURS: whole(1, 240, 48).describe('how long a deferred mail is tried'),
  DIGEST_HOUR: whole(0, 23, 7).describe("the site's local hour for digests"),
  DIGEST_WEEKDAY: whole(1, 7, 1).describe('day of weekly digests, 1 = Monday'),
  DIGEST_MONTHDAY: whole(1, 31, 1).describe("day of monthly digests, clamped to the month's end"),
  TIMEZONE: zone.default('UTC').describe("the site's time zone"),
  DIGEST_GRACE_HOURS: whole(0, 72, 6).describe('how late a missed slot may still fire'),
  DIGEST_STORIES: whole(1, 50, 5).describe('stories per category in a digest'),
  DIGEST_MINIMUM: whole(1, 50, 1).describe('new stories a category needs to be shown'),
  APPROVAL_MINUTES: whole(0, 1440, 0).describe('build editions this long before the slot for approval; 0: no approval'),
  APPROVAL_POLICY: z.enum(['send', 'hold']).default('send').describe('what happens at the slot when nobody has acted'),
  FEED_ALLOW_HOSTS: text('').describe(
    'host[:port] that may be private or on another port, separated by spaces or commas',
  ),
  FEED_FIRST_HOURS: whole(1, 8760, 24).describe('how far back the first fetch of a feed reaches'),
  FEED_USER_AGENT: optional.describe('User-Agent of the feed fetcher'),
  OPT_IN_STATEMENT: text(
    'I agree to receive the newsletter by e-mail as often as I choose above. I can change or stop it at any time, with one click in every mail.',
  ).describe('the statement at the form; its version goes into the consent record'),
  PRIVACY_URL: optional.describe('privacy policy; default: SITE_URL/privacy'),
  TERMS_URL: optional.describe('terms; default: SITE_URL/terms'),
  SIGNUPS_PER_IP: whole(0, 1_000_000, 30).describe('sign-ups an hour from one IP address; 0: unlimited'),
  SIGNUPS_PER_NETWORK: whole(0, 1_000_000, 60).describe('sign-ups an hour from one IPv6 /64; 0: unlimited'),
  SIGNUPS_PER_DOMAIN: whole(0, 10_000_000, 5000).describe('sign-ups an hour for one e-mail domain; 0: unlimited'),
  SIGNUPS_PER_HOUR: whole(0, 10_000_000, 20_000).describe('sign-ups an hour in all; 0: unlimited'),
  CLICK_COUNTS: z.enum(['off', 'on']).default('off').describe('count clicks per story, never per person'),
  ALERT_WEBHOOK: webAddress.optional().describe('address that alerts are posted to'),
  RETENTION_DAYS: whole(7, 3650, 90).describe('days that settled deliveries are kept'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .optional()
    .describe('default: info; warn in the trial'),
} as const

export type VariableName = keyof typeof variables

export interface Mailbox {
  name: string
  address: string
}

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

export type Config = ReturnType<typeof readConfig>

/** All that is wrong with an environment; `problems` are sentences that start with the variable's name. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(
      `The environment has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((p) => `  ${p}`).join('\n')}`,
    )
    this.problems = problems
  }
}

/** Turns an environment into a frozen configuration, or throws one ConfigError with everything that is wrong. Empty variables
 * count as unset. Reads DKIM_PRIVATE_KEY_FILE; touches nothing else. */
export function readConfig(environment: Record<string, string | undefined>) {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name in variables && value !== '' && value !== undefined),
  )
  const schema = z.object(variables)
  const parsed = schema.safeParse(given)
  const problems: string[] = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  // The rest is judged without what was wrong, so that all problems come at once.
  const wrong = new Set(parsed.error?.issues.map((issue) => String(issue.path[0])))
  const env =
    parsed.data ?? schema.parse(Object.fromEntries(Object.entries(given).filter(([name]) => !wrong.has(name))))

  const publicUrl = env.PUBLIC_URL ?? `http://127.0.0.1:${env.PORT}`
  const trial = env.SMTP_URL === undefined && isLoopbackHost(new URL(publicUrl).hostname)
  if (!trial) {
    for (const name of ['SMTP_URL', 'PUBLIC_URL', 'SECRET_KEY', 'MAIL_FROM', 'POSTAL_ADDRESS'] as const)
      if (env[name] === undefined && !wrong.has(name))
        problems.push(`${name}: is required outside the trial (which is: no SMTP_URL and a loopback PUBLIC_URL)`)
  }
  const secretKeys = env.SECRET_KEY?.split(',').map((key) => key.trim()) ?? []
  if (secretKeys.some((key) => key.length < 32)) problems.push('SECRET_KEY: each key must have 32 characters or more')

  const relays: Relay[] = []
  for (const url of env.SMTP_URL?.split(/\s+/).filter(Boolean) ?? []) {
    const relay = parseRelay(url)
    if (typeof relay === 'string') problems.push(`SMTP_URL: ${relay}`)
    else relays.push(relay)
  }

  const dkimGiven = [env.DKIM_DOMAIN, env.DKIM_SELECTOR, env.DKIM_PRIVATE_KEY ?? env.DKIM_PRIVATE_KEY_FILE]
  let dkimKey = env.DKIM_PRIVATE_KEY?.replaceAll('\\n', '\n')
  if (dkimGiven.some(Boolean) && !dkimGiven.every(Boolean))
    problems.push(
      'DKIM_DOMAIN: DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY (or DKIM_PRIVATE_KEY_FILE) belong together',
    )
  if (!dkimKey && env.DKIM_PRIVATE_KEY_FILE) {
    try {
      dkimKey = readFileSync(env.DKIM_PRIVATE_KEY_FILE, 'utf8')
    } catch (cause) {
      problems.push(
        `DKIM_PRIVATE_KEY_FILE: can't read ${env.DKIM_PRIVATE_KEY_FILE} (${(cause as NodeJS.ErrnoException).code})`,
      )
    }
  }
  if (dkimKey && !/^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(dkimKey.trim()))
    problems.push('DKIM_PRIVATE_KEY: must be a PEM private key (-----BEGIN PRIVATE KEY-----)')
  if (problems.length) throw new ConfigError(problems)

  // The trial has a news site of its own: trial/sample-site.ts.
  const siteUrl = env.SITE_URL ?? (trial ? `${publicUrl}/gazette` : publicUrl)
  const mailFrom = parseMailbox(env.MAIL_FROM ?? 'newsletter@broadsheet.example')!
  if (!mailFrom.name) mailFrom.name = env.SITE_NAME
  const mailFromSystem = env.MAIL_FROM_SYSTEM ? parseMailbox(env.MAIL_FROM_SYSTEM)! : { ...mailFrom }
  if (!mailFromSystem.name) mailFromSystem.name = env.SITE_NAME

  return deepFreeze({
    trial,
    site: {
      name: env.SITE_NAME,
      url: siteUrl,
      tagline: env.SITE_TAGLINE,
      logoUrl: env.SITE_LOGO_URL ?? null,
      accent: env.SITE_ACCENT,
      accentDark: env.SITE_ACCENT_DARK,
      locale: env.SITE_LOCALE,
      postalAddress: env.POSTAL_ADDRESS ?? 'The Whale Gazette (a trial), 1 Harbour Street, Port Lantern',
      disclaimer: env.DISCLAIMER,
      optInStatement: env.OPT_IN_STATEMENT,
      privacyUrl: env.PRIVACY_URL ?? `${env.SITE_URL ?? publicUrl}/privacy`,
      termsUrl: env.TERMS_URL ?? `${env.SITE_URL ?? publicUrl}/terms`,
    },
    web: {
      publicUrl,
      secure: publicUrl.startsWith('https:'),
      host: env.HOST ?? (trial ? '127.0.0.1' : '0.0.0.0'),
      port: env.PORT,
      metricsPort: env.METRICS_PORT,
      trustProxy: env.TRUST_PROXY,
    },
    database: { url: env.DATABASE_URL ?? null, pool: env.DATABASE_POOL, dataDir: env.DATA_DIR },
    /** Empty in a trial until the secret of DATA_DIR has been read: see trial/secret.ts. */
    secretKeys,
    mail: {
      from: mailFrom,
      fromSystem: mailFromSystem,
      replyTo: env.MAIL_REPLY_TO ? parseMailbox(env.MAIL_REPLY_TO) : null,
      bounceDomain: env.BOUNCE_DOMAIN ?? null,
      uncertain: env.UNCERTAIN_POLICY,
      retryHours: env.RETRY_HOURS,
      dkim: dkimKey ? { domain: env.DKIM_DOMAIN!, selector: env.DKIM_SELECTOR!, privateKey: dkimKey } : null,
    },
    smtp: { relays, connections: env.SMTP_CONNECTIONS, ratePerSecond: env.SMTP_RATE_PER_SECOND },
    digest: {
      hour: env.DIGEST_HOUR,
      weekday: env.DIGEST_WEEKDAY,
      monthday: env.DIGEST_MONTHDAY,
      timezone: env.TIMEZONE,
      graceHours: env.DIGEST_GRACE_HOURS,
      stories: env.DIGEST_STORIES,
      minimum: env.DIGEST_MINIMUM,
      approvalMinutes: env.APPROVAL_MINUTES,
      approvalPolicy: env.APPROVAL_POLICY,
    },
    feeds: {
      allowHosts: env.FEED_ALLOW_HOSTS.split(/[\s,]+/).filter(Boolean),
      firstHours: env.FEED_FIRST_HOURS,
      userAgent: env.FEED_USER_AGENT ?? `Broadsheet (newsletter of ${siteUrl}; feed reader)`,
    },
    signups: {
      perIp: env.SIGNUPS_PER_IP,
      perNetwork: env.SIGNUPS_PER_NETWORK,
      perDomain: env.SIGNUPS_PER_DOMAIN,
      perHour: env.SIGNUPS_PER_HOUR,
    },
    clickCounts: env.CLICK_COUNTS === 'on',
    alertWebhook: env.ALERT_WEBHOOK ?? null,
    retentionDays: env.RETENTION_DAYS,
    logLevel: env.LOG_LEVEL ?? (trial ? 'warn' : 'info'),
  })
}

/** `Name <address>` or a bare address; null when it is neither, or when a control character is in it. */
export function parseMailbox(value: string): Mailbox | null {
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(value)) return null
  const match = /^\s*(?:"?([^"<>]*?)"?\s*<([^<>]+)>|([^<>\s]+))\s*$/.exec(value)
  const parsed = parseEmailAddress(match?.[2] ?? match?.[3])
  return parsed ? { name: match?.[1] ?? '', address: parsed.email } : null
}

const knownZones = new Set<string>()

export function isTimeZone(name: string): boolean {
  if (knownZones.has(name)) return true
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false
  try {
    Intl.DateTimeFormat('en', { timeZone: name })
    // Asking Intl takes longer than a sign-up's SQL. Bounded, as any mixture of case is a name.
    if (knownZones.size < 2000) knownZones.add(name)
    return true
  } catch {
    return false
  }
}

/** 127.0.0.0/8, ::1 and localhost. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}

function parseRelay(given: string): Relay | string {
  let url: URL
  try {
    url = new URL(given)
  } catch {
    return 'must look like smtp://user:password@host:587'
  }
  if (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') return `${url.protocol}// is not smtp:// or smtps://`
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

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const child of Object.values(value)) deepFreeze(child)
  }
  return value
}
