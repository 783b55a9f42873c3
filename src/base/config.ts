// Reads the environment once and checks all of it: no other file reads the product's variables. All problems are reported at once,
// by variable name.
//
// With no SMTP_URL and a loopback PUBLIC_URL the program is a trial (`config.trial`), which needs no other variables.

import { z } from 'zod'
import { addressOf } from './addresses.ts'
import { passwordProblem } from './address-password.ts'
import { type Brand, contrastOf, leastContrast } from './colours.ts'
import { readDkim } from './dkim.ts'
import { isSnsTopic, parseImap } from './inbound-ways.ts'
import { isLoopbackHost } from './loopback.ts'
import { parseMailbox } from './mailbox.ts'
import { ehloNameOf, parseRelay, type Relay } from './relay.ts'
import { originsOf, variables } from './variables.ts'

/** The fictional newspaper of the trial. */
export const trialName = 'The Whale Gazette'
export const trialDisclaimer = `This is a trial. ${trialName} and all its stories are invented.`

export type Config = ReturnType<typeof readConfig>

/** Everything that is wrong with an environment. `problems` are sentences that start with the variable's name. */
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

/**
 * Turns an environment into a frozen configuration, or throws one ConfigError with all problems. Empty variables count as unset.
 * Reads the file at DKIM_PRIVATE_KEY_FILE, and no other.
 */
export function readConfig(environment: Record<string, string | undefined>) {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name in variables && value !== '' && value !== undefined),
  )
  const schema = z.object(variables)
  const parsed = schema.safeParse(given)
  const problems: string[] = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  // The rest is checked without the wrong variables, so that all problems are reported at once.
  const wrong = new Set(parsed.error?.issues.map((issue) => String(issue.path[0])))
  const env =
    parsed.data ?? schema.parse(Object.fromEntries(Object.entries(given).filter(([name]) => !wrong.has(name))))

  const publicUrl = env.PUBLIC_URL ?? `http://127.0.0.1:${env.PORT}`
  const adminUrl = env.ADMIN_URL ?? publicUrl
  if (env.ADMIN_URL !== undefined && new URL(adminUrl).host === new URL(publicUrl).host)
    problems.push(
      'ADMIN_URL: must have another host than PUBLIC_URL; leave it out to have the console at PUBLIC_URL/admin',
    )
  const trial = env.SMTP_URL === undefined && isLoopbackHost(new URL(publicUrl).hostname)
  if (!trial) {
    for (const name of ['SITE_NAME', 'SMTP_URL', 'PUBLIC_URL', 'SECRET_KEY', 'MAIL_FROM', 'POSTAL_ADDRESS'] as const)
      if (env[name] === undefined && !wrong.has(name))
        problems.push(`${name}: is required, except in the trial (no SMTP_URL, and a loopback PUBLIC_URL)`)
  }
  const secretKeys = env.SECRET_KEY?.split(',').map((key) => key.trim()) ?? []
  if (secretKeys.some((key) => key.length < 32)) problems.push('SECRET_KEY: each key must have 32 characters or more')

  const relays: Relay[] = []
  for (const url of env.SMTP_URL?.split(/\s+/).filter(Boolean) ?? []) {
    const relay = passwordProblem(url) ?? parseRelay(url, ehloNameOf(publicUrl))
    if (typeof relay === 'string') problems.push(`SMTP_URL: ${relay}`)
    else relays.push(relay)
  }

  const imap =
    env.INBOUND_IMAP === undefined ? null : (passwordProblem(env.INBOUND_IMAP) ?? parseImap(env.INBOUND_IMAP))
  if (typeof imap === 'string') problems.push(`INBOUND_IMAP: ${imap}`)
  const sesTopics = env.INBOUND_SES_TOPIC.split(/[\s,]+/).filter(Boolean)
  for (const topic of sesTopics.filter((each) => !isSnsTopic(each)))
    problems.push(`INBOUND_SES_TOPIC: ${topic} is not like arn:aws:sns:eu-west-1:123456789012:bounces`)
  if (env.INBOUND_LISTEN !== undefined && env.BOUNCE_DOMAIN === undefined && !wrong.has('BOUNCE_DOMAIN'))
    problems.push('INBOUND_LISTEN: needs BOUNCE_DOMAIN, the domain whose mail it receives')

  const light = { paper: env.SITE_PAPER, ink: env.SITE_INK, accent: env.SITE_ACCENT }
  const dark = { paper: env.SITE_PAPER_DARK, ink: env.SITE_INK_DARK, accent: env.SITE_ACCENT_DARK }
  problems.push(...contrastProblems(light, ''), ...contrastProblems(dark, '_DARK'))

  const dkim = readDkim(env, problems)
  if (problems.length) throw new ConfigError(problems)

  const siteName = env.SITE_NAME ?? trialName
  const ownPage = (path: string) => addressOf({ web: { publicUrl, adminUrl } }, path)
  // The trial has its own news site: trial/sample-site.ts.
  const siteUrl = env.SITE_URL ?? (trial ? ownPage('/gazette') : publicUrl)
  const mailFrom = parseMailbox(env.MAIL_FROM ?? 'newsletter@broadsheet.example')!
  if (!mailFrom.name) mailFrom.name = siteName
  const mailFromSystem = env.MAIL_FROM_SYSTEM ? parseMailbox(env.MAIL_FROM_SYSTEM)! : { ...mailFrom }
  if (!mailFromSystem.name) mailFromSystem.name = siteName

  return deepFreeze({
    trial,
    site: {
      name: siteName,
      url: siteUrl,
      tagline: env.SITE_TAGLINE,
      logoUrl: env.SITE_LOGO_URL ?? null,
      linkParameters: env.LINK_PARAMETERS,
      light,
      dark,
      /** Other sites that may embed the form and to which readers may return. */
      embedOrigins: [...new Set([new URL(siteUrl).origin, ...originsOf(env.EMBED_ORIGINS)!])],
      locale: env.SITE_LOCALE,
      postalAddress: env.POSTAL_ADDRESS ?? `${trialName} (a trial), 1 Harbour Street, Port Lantern`,
      disclaimer: env.DISCLAIMER || (trial ? trialDisclaimer : ''),
      optInStatement: env.OPT_IN_STATEMENT,
      aboutUrl: env.ABOUT_URL ?? ownPage('/about'),
      contactUrl: env.CONTACT_URL ?? ownPage('/contact'),
      privacyUrl: env.PRIVACY_URL ?? ownPage('/privacy'),
      termsUrl: env.TERMS_URL ?? ownPage('/terms'),
      disclaimerUrl: env.DISCLAIMER_URL ?? ownPage('/disclaimer'),
      shareLinks: env.SHARE_LINKS,
    },
    web: {
      publicUrl,
      /** PUBLIC_URL, unless the console has its own host. */
      adminUrl,
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
      goodbye: env.GOODBYE_MAIL === 'on',
      dkim,
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
      subject: env.DIGEST_SUBJECT,
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
    /** How returned mail is received. */
    inbound: {
      listen: env.INBOUND_LISTEN ? hostAndPort(env.INBOUND_LISTEN) : null,
      /** Mail to BOUNCE_DOMAIN reaches us, so unsubscribing by mail works. */
      takesMail: env.INBOUND_LISTEN !== undefined || env.INBOUND_IMAP !== undefined,
      imap: typeof imap === 'string' ? null : imap,
      sesTopics,
      mailgunKey: env.INBOUND_MAILGUN_KEY ?? null,
    },
    clickCounts: env.CLICK_COUNTS === 'on',
    alertWebhook: env.ALERT_WEBHOOK ?? null,
    retentionDays: env.RETENTION_DAYS,
    logLevel: env.LOG_LEVEL ?? (trial ? 'warn' : 'info'),
  })
}

function hostAndPort(text: string): { host: string; port: number } {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text)!
  return { host: host!, port: Number(port) }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const child of Object.values(value)) deepFreeze(child)
  }
  return value
}

/** Pairs with too little contrast, as sentences that start with the variable's name. */
function contrastProblems(brand: Brand, suffix: '' | '_DARK'): string[] {
  return (['ink', 'accent'] as const).flatMap((name) => {
    const contrast = contrastOf(brand[name], brand.paper)
    if (contrast >= leastContrast) return []
    const paper = `SITE_PAPER${suffix} (${brand.paper})`
    return `SITE_${name.toUpperCase()}${suffix}: ${brand[name]} on ${paper} has a contrast of ${(Math.floor(contrast * 100) / 100).toFixed(2)}; text needs ${leastContrast} or more`
  })
}
