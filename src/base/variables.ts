// Every environment variable, with its description and default. docs/configuration.md and .env.example are made from this list
// (npm run docs), and `doctor` checks against it.

import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { passwordProblem } from './address-password.ts'
import { homeProblem, pathOf } from './addresses.ts'
import { type LinkParameters, readLinkParameters } from './link-parameters.ts'
import { parseMailbox } from './mailbox.ts'
import { shareNetworks } from './share-links.ts'
import { isTimeZone } from './time-zone.ts'
import { usualDark, usualLight } from './colours.ts'

const text = (fallback: string) => z.string().default(fallback)
const optional = z.string().optional()
const whole = (least: number, most: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`))
    .default(fallback)
const httpAddress = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
const webAddress = httpAddress
  // In ASCII, because it also becomes part of headers.
  .transform((url) => new URL(url).href.replace(/\/+$/, ''))
/** A page of the site; a contact may be a mail address. */
const pageAddress = z
  .url({ protocol: /^(https?|mailto)$/, error: 'must be an http://, https:// or mailto: address' })
  .transform((url) => new URL(url).href)
/** The program's own address: only a host and perhaps a path. */
const homeAddress = httpAddress
  .superRefine((address, context) => {
    const problem = homeProblem(address)
    if (problem) context.addIssue(problem)
  })
  .transform((address) => new URL(address).origin + pathOf(address))
const zone = z.string().refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin')
const locale = z.string().refine(isLocale, 'must be a language that dates can be written in, such as de or pt-BR')
const mailbox = z.string().refine((value) => parseMailbox(value) !== null, 'must be an address, or: Name <address>')

function areProxies(given: string): boolean {
  const isProxy = (one: string) =>
    /^(?:loopback|linklocal|uniquelocal)$/.test(one) || ipaddr.isValid(one) || ipaddr.isValidCIDR(one)
  return given === '' || /^\d{1,4}$/.test(given) || given.split(',').every((one) => isProxy(one.trim()))
}

function isLocale(tag: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0
  } catch {
    return false
  }
}

/** Scheme, host and port of each; null: one of them isn't an origin. Pure. */
export function originsOf(list: string): string[] | null {
  const origins = list.split(/[\s,]+/).filter(Boolean)
  const isOrigin = (text: string) => /^https?:\/\/[^*]+$/i.test(text) && URL.parse(text)?.origin === text.toLowerCase()
  return origins.every(isOrigin) ? origins.map((text) => text.toLowerCase()) : null
}

/** Ink and accent must be readable on paper: config.ts checks the pairs. */
const colour = (usual: string) =>
  z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, `must be a colour such as ${usual}`)
    .default(usual)

/** Every variable, in documentation order. */
export const variables = {
  SITE_NAME: optional.describe(
    'name of the site, shown in the masthead and as the sender; default in the trial: The Whale Gazette',
  ),
  SITE_URL: webAddress
    .optional()
    .describe('home page of the news site; default: PUBLIC_URL, or the sample site in the trial'),
  SITE_TAGLINE: text('The stories you chose, at the hour you chose.').describe('one line below the name'),
  SITE_LOGO_URL: webAddress.optional().describe('address of a picture that replaces the name'),
  SITE_ACCENT: colour(usualLight.accent).describe('colour of links and buttons on a light background'),
  SITE_PAPER: colour(usualLight.paper).describe('light background of pages and mails'),
  SITE_INK: colour(usualLight.ink).describe('colour of text on the light background'),
  SITE_ACCENT_DARK: colour(usualDark.accent).describe('colour of links and buttons on a dark background'),
  SITE_PAPER_DARK: colour(usualDark.paper).describe('dark background of pages and mails'),
  SITE_INK_DARK: colour(usualDark.ink).describe('colour of text on the dark background'),
  SITE_LOCALE: locale
    .default('en')
    .describe(
      'language of the site, such as de or pt-BR: for readers whose own language has no messages, and for subscribers without one',
    ),
  PUBLIC_URL: homeAddress
    .optional()
    .describe(
      'address of this program as readers reach it, such as https://paper.example/letters; default: http://127.0.0.1:PORT',
    ),
  ADMIN_URL: homeAddress
    .optional()
    .describe('address of the console, on a host of its own; default: PUBLIC_URL. The console is at ADMIN_URL/admin'),
  HOST: optional.describe('address to listen on; default 127.0.0.1 in the trial, else 0.0.0.0'),
  PORT: whole(0, 65535, 3000).describe('port to listen on'),
  METRICS_PORT: whole(0, 65535, 0).describe(
    'port of /healthz, /readyz and /metrics in a process of role worker; 0: none',
  ),
  TRUST_PROXY: text('')
    .refine(areProxies, 'must be a number of hops, or addresses such as 10.0.0.0/8')
    .describe('proxies whose X-Forwarded-For is trusted: a number of hops, or addresses; empty: none'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgres://')
    .superRefine((url, context) => {
      const problem =
        passwordProblem(url) ?? (URL.canParse(url) ? null : 'must look like postgres://user:password@host/name')
      if (problem) context.addIssue(problem)
    })
    .optional()
    .describe('Postgres 15 or newer; unset: the embedded database in DATA_DIR'),
  DATABASE_POOL: whole(2, 100, 10).describe('connections to Postgres per process'),
  DATA_DIR: text('./data').describe(
    'folder of the embedded database, the trial secret, the control file and what is known of the installation',
  ),
  SECRET_KEY: optional.describe(
    'key that signs every link, 32 characters or more; several separated by commas, of which the first signs',
  ),
  MAIL_FROM: mailbox.optional().describe('sender of digests: Name <address>'),
  MAIL_FROM_SYSTEM: mailbox.optional().describe('sender of confirmations and sign-in links; default: MAIL_FROM'),
  MAIL_REPLY_TO: mailbox.optional().describe('address for replies'),
  GOODBYE_MAIL: z
    .enum(['off', 'on'])
    .default('off')
    .describe('send a mail that confirms an unsubscribe on the page, with an undo link; never after one click'),
  POSTAL_ADDRESS: optional.describe('postal address, shown in every footer as many laws require'),
  DISCLAIMER: text('').describe('small print at the end of every digest and page, and the text of /disclaimer'),
  SMTP_URL: optional.describe('relays, separated by spaces: smtp://user:password@host:587?tls=required&weight=1'),
  SMTP_CONNECTIONS: whole(1, 500, 20).describe('open connections per relay and process for digests'),
  SMTP_RATE_PER_SECOND: whole(0, 100000, 0).describe('mails a second over all workers; 0: unlimited'),
  DKIM_DOMAIN: optional.describe('domain of the DKIM signature; needs DKIM_SELECTOR and a key'),
  DKIM_SELECTOR: optional.describe('selector of the key in the DNS; several separated by commas, one for each key'),
  DKIM_PRIVATE_KEY: optional.describe(
    'PEM of the RSA (2048 bits) or Ed25519 key, or of several; \\n stands for a line end',
  ),
  DKIM_PRIVATE_KEY_FILE: optional.describe('file with that PEM'),
  DKIM_LEAVE_OUT: text('').describe(
    'headers that stay unsigned because the relay replaces them; for Amazon SES: Message-ID, Date',
  ),
  BOUNCE_DOMAIN: z
    .string()
    .regex(/^(?=.{1,190}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i, 'must be a domain in ASCII such as bounces.news.example')
    .transform((domain) => domain.toLowerCase())
    .optional()
    .describe('domain of the return path (VERP); unset: bounces go to MAIL_FROM'),
  INBOUND_LISTEN: z
    .string()
    .regex(/^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\]):\d{1,5}$/i, 'must be host:port, such as 127.0.0.1:2525')
    .optional()
    .describe('host:port where a worker receives mail to BOUNCE_DOMAIN, by SMTP or LMTP'),
  INBOUND_IMAP: optional.describe(
    'mailbox that returned mail is read from: imaps://user:password@host/Folder; without a folder, INBOX',
  ),
  INBOUND_SES_TOPIC: text('').describe(
    'SNS topics, separated by spaces or commas, whose Amazon SES notifications are accepted at /inbound/ses',
  ),
  INBOUND_MAILGUN_KEY: optional.describe('HTTP webhook signing key of Mailgun, for its webhooks to /inbound/mailgun'),
  UNCERTAIN_POLICY: z
    .enum(['resend', 'hold'])
    .default('resend')
    .describe('what to do with uncertain deliveries: resend once, or hold for an editor'),
  RETRY_HOURS: whole(1, 240, 48).describe('hours for which a deferred mail is retried'),
  DIGEST_HOUR: whole(0, 23, 7).describe('local hour of digests, for subscribers who chose none'),
  DIGEST_WEEKDAY: whole(1, 7, 1).describe('day of weekly digests: 1 (Monday) to 7'),
  DIGEST_MONTHDAY: whole(1, 31, 1).describe('day of monthly digests: 1 to 31, or the last day of a shorter month'),
  TIMEZONE: zone.default('UTC').describe('time zone of the site, and of subscribers who chose none'),
  DIGEST_GRACE_HOURS: whole(0, 72, 6).describe('hours for which a slot that was missed is still sent late'),
  DIGEST_STORIES: whole(1, 50, 5).describe('stories shown per category in a digest'),
  DIGEST_MINIMUM: whole(1, 50, 1).describe('new stories that a category needs to be in a digest'),
  DIGEST_SUBJECT: z
    .enum(['lead', 'summary'])
    .default('lead')
    .describe(
      'subject of digests: lead (the first headline), or summary (Tuesday: 9 stories in Politics and Business); editors can write their own',
    ),
  APPROVAL_MINUTES: whole(0, 1440, 0).describe(
    'minutes before the slot at which an edition is ready for approval; 0: no approval',
  ),
  APPROVAL_POLICY: z
    .enum(['send', 'hold'])
    .default('send')
    .describe('what happens at the slot if no editor has decided: send, or hold'),
  FEED_ALLOW_HOSTS: text('').describe(
    'hosts (host or host:port) that may have a private address or another port, separated by spaces or commas',
  ),
  FEED_FIRST_HOURS: whole(1, 8760, 24).describe('hours of past stories that the first fetch of a feed takes'),
  FEED_USER_AGENT: optional.describe('User-Agent of the feed fetcher'),
  OPT_IN_STATEMENT: text(
    'I agree to receive the newsletter by e-mail as often as I choose above. I can change or stop it at any time, with one click in every mail.',
  ).describe('statement that the form shows; its version is stored in the consent record'),
  ABOUT_URL: pageAddress.optional().describe('page about the site, for all footers; default: PUBLIC_URL/about'),
  CONTACT_URL: pageAddress.optional().describe('contact page, or mailto: and an address; default: PUBLIC_URL/contact'),
  PRIVACY_URL: pageAddress.optional().describe('privacy policy; default: PUBLIC_URL/privacy'),
  TERMS_URL: pageAddress.optional().describe('terms; default: PUBLIC_URL/terms'),
  DISCLAIMER_URL: pageAddress.optional().describe('disclaimer; default: PUBLIC_URL/disclaimer, which shows DISCLAIMER'),
  SHARE_LINKS: z
    .string()
    .transform((given) =>
      given.trim() === 'none'
        ? []
        : given
            .toLowerCase()
            .split(/[\s,]+/)
            .filter(Boolean),
    )
    .pipe(z.array(z.enum(shareNetworks, `must be none, or names out of ${shareNetworks.join(', ')}`)))
    .transform((names) => [...new Set(names)])
    .default(['mail', 'facebook', 'x', 'linkedin', 'whatsapp'])
    .describe(`where readers can share stories, in this order: ${shareNetworks.join(', ')}; none: nowhere`),
  EMBED_ORIGINS: text('')
    .refine((list) => originsOf(list) !== null, 'must be origins such as https://paper.example, separated by spaces')
    .describe(
      'other sites whose sign-up form is answered in place, and whose pages readers may return to, such as https://paper.example; SITE_URL is always among them',
    ),
  SIGNUPS_PER_IP: whole(0, 1_000_000, 30).describe('sign-ups an hour from one IP address; 0: unlimited'),
  SIGNUPS_PER_NETWORK: whole(0, 1_000_000, 60).describe(
    'sign-ups an hour from one IPv6 /64; a /56 may make twice as many, a /48 four times; 0: unlimited',
  ),
  SIGNUPS_PER_DOMAIN: whole(0, 10_000_000, 5000).describe('sign-ups an hour for one e-mail domain; 0: unlimited'),
  SIGNUPS_PER_HOUR: whole(0, 10_000_000, 20_000).describe('sign-ups an hour in all; 0: unlimited'),
  LINK_PARAMETERS: z
    .string()
    .transform((given, context): LinkParameters => {
      const pairs = readLinkParameters(given)
      if (!pairs)
        context.addIssue(
          'must be like utm_source=newsletter&utm_campaign={edition}, each name once; {edition} is the one blank',
        )
      return pairs ?? []
    })
    .default([])
    .describe(
      'parameters of links in mails that lead to this site, such as utm_source=newsletter&utm_campaign={edition}; {edition} becomes its number',
    ),
  CLICK_COUNTS: z.enum(['off', 'on']).default('off').describe('count clicks by story, never by person'),
  ALERT_WEBHOOK: webAddress.optional().describe('address that alerts are posted to'),
  RETENTION_DAYS: whole(7, 3650, 90).describe('days that settled deliveries are kept'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .optional()
    .describe('least level that is logged; default: info, or warn in the trial'),
} as const
