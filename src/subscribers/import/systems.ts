// Known systems. Each entry says how its files are recognised and what its columns and statuses mean. To add a system, add an
// entry; docs/moving-in.md has the same table in words. Titles are compared by their words, so `OPTIN_TIME` and `Optin Time` are
// the same. A column that an entry doesn't name is read as in any other file (titles.ts).

import { marketingSystems } from './marketing-systems.ts'
import { against, field, inFavour, nothing, status, tags } from './readings.ts'
import { all, each, type System } from './system-entry.ts'
import { plain } from './words.ts'

export const systems: readonly System[] = [
  ...marketingSystems,
  {
    name: 'Broadsheet',
    has: [['email', 'status', 'suppression reason', 'status before']],
    isOurs: true,
    columns: {
      status: status({ active: 'subscribed', suppressed: 'blocked' }),
      'suppressed at': field('suppressed_at'),
      'confirmed at': field('confirmed_at'),
      'unsubscribed at': field('unsubscribed_at'),
      ...each('name, attributes', nothing),
    },
  },
  {
    // Subscribed, unsubscribed and cleaned people are in separate files, which their names and columns tell apart.
    name: 'Mailchimp',
    has: [
      ['email address', 'member rating'],
      ['email address', 'leid', 'euid'],
      ['email address', 'optin time', 'last changed'],
      ['email address', 'clean time'],
      ['email address', 'unsub time'],
    ],
    columns: {
      'email address': field('email'),
      'optin time': field('consent_at'),
      'optin ip': field('consent_ip'),
      'confirm time': field('confirmed_at'),
      'unsub time': against('unsubscribed', 'unsubscribed_at'),
      'unsub reason': { as: 'trace', standing: 'unsubscribed' },
      'clean time': against('bounced', 'suppressed_at'),
      'clean campaign title': { as: 'trace', standing: 'bounced' },
      'clean campaign id': { as: 'trace', standing: 'bounced' },
      status: status({ transactional: 'unsubscribed', 'non subscribed': 'unsubscribed', archived: 'unsubscribed' }),
      tags,
      ...each(
        `member rating, confirm ip, latitude, longitude, gmtoff, dstoff, timezone, cc, region, last changed, leid,
        euid, notes, unsub campaign title, unsub campaign id, unsub reason other, first name, last name, address,
        phone number, birthday`,
        nothing,
      ),
    },
  },
  {
    name: 'listmonk',
    has: [
      ['uuid', 'email', 'status'],
      ['email', 'attribs', 'status'],
    ],
    columns: {
      status: status({ enabled: 'subscribed', disabled: 'unsubscribed', blocklisted: 'blocked' }),
      'subscription status': status({ unconfirmed: 'pending', confirmed: 'subscribed', unsubscribed: 'unsubscribed' }),
      lists: tags,
      'created at': field('created_at'),
      ...each(`uuid, id, name, attributes, attribs, updated at, optin`, nothing),
    },
  },
  {
    name: 'MailPoet',
    has: [
      ['email', 'global status'],
      ['email', 'list status'],
    ],
    columns: {
      'global status': status({ inactive: 'unsubscribed' }),
      'list status': status({ inactive: 'unsubscribed' }),
      'subscription time': field('consent_at'),
      'subscription ip': field('consent_ip'),
      'confirmation time': field('confirmed_at'),
      'confirmation ip': nothing,
      list: tags,
      ...each(`first name, last name`, nothing),
    },
  },
  {
    // A free reader has no active (paid) subscription. A reader who gets no mail has `email_disabled`.
    name: 'Substack',
    has: [
      ['email', 'active subscription'],
      ['email', 'email disabled'],
      ['email', 'subscription type'],
    ],
    columns: {
      'email disabled': against('unsubscribed'),
      unsubscribed: against('unsubscribed'),
      'unsubscribed at': against('unsubscribed', 'unsubscribed_at'),
      'subscription type': status(
        all(`free, paid, monthly, annual, yearly, monthly subscriber, yearly subscriber, founding, founding member, comp, gift,
          trial, free trial, group, author, lifetime, other`),
      ),
      'created at': field('created_at'),
      'start date': field('consent_at'),
      ...each(
        `active subscription, expiry, plan, stripe plan, first payment at, prefer digests, name, cancel date,
        paid upgrade date, activity, revenue, subscription source free, subscription source paid, expiration,
        expires at, days active 30d, subscription country`,
        nothing,
      ),
    },
  },
  {
    name: 'Ghost',
    has: [
      ['email', 'subscribed to emails'],
      ['email', 'subscribed', 'stripe customer id'],
      ['email', 'complimentary plan'],
    ],
    columns: {
      'subscribed to emails': inFavour('unsubscribed', 'consent_at'),
      subscribed: inFavour('unsubscribed', 'consent_at'),
      'email disabled': against('bounced'),
      'deleted at': against('unsubscribed', 'unsubscribed_at'),
      'created at': field('created_at'),
      labels: tags,
      ...each(`id, name, note, complimentary plan, stripe customer id, products, tiers, expiry at`, nothing),
    },
  },
  {
    name: 'Buttondown',
    has: [
      ['email address', 'type', 'creation date'],
      ['email', 'type', 'creation date'],
      ['email', 'subscriber type', 'creation date'],
      ['email address', 'unsubscription date'],
      ['email', 'unsubscription date', 'creation date'],
    ],
    columns: {
      'email address': field('email'),
      email: field('email'),
      ...each(
        'type, subscriber type',
        status({
          ...all('regular, premium, trialed, unpaid, gifted, churning, churned, paused, past due'),
          unactivated: 'pending',
          upcoming: 'pending',
          spammy: 'blocked',
          removed: 'unsubscribed',
          undeliverable: 'bounced',
        }),
      ),
      'creation date': field('consent_at'),
      'ip address': field('consent_ip'),
      'unsubscription date': against('unsubscribed', 'unsubscribed_at'),
      'unsubscription reason': { as: 'trace', standing: 'unsubscribed' },
      'undeliverability date': against('bounced', 'suppressed_at'),
      'undeliverability reason': { as: 'trace', standing: 'bounced' },
      tags,
      ...each(
        `id, notes, metadata, referrer url, secondary id, source, avatar url, churn date, last open date,
        last click date, risk score, referral code, stripe customer id`,
        nothing,
      ),
    },
  },
  {
    name: 'phpList',
    has: [
      ['email', 'confirmed', 'blacklisted'],
      ['email', 'is this user blacklisted'],
      ['email', 'is this subscriber blacklisted'],
      ['email', 'is the email of this user confirmed'],
      ['email', 'is the email of this subscriber confirmed'],
    ],
    columns: {
      ...Object.fromEntries(
        ['confirmed', 'is the email of this user confirmed', 'is the email of this subscriber confirmed'].map(
          (title) => [title, inFavour('pending', 'confirmed_at')],
        ),
      ),
      ...each(
        'blacklisted, is this user blacklisted, is this subscriber blacklisted',
        against('blocked', 'suppressed_at'),
      ),
      disabled: against('unsubscribed'),
      'is this account disabled': against('unsubscribed'),
      entered: field('created_at'),
      'list membership': tags,
      ...each(
        `id, bouncecount, number of bounces on this user, number of bounces on this subscriber, modified,
        last modified, uniqid, unique id, unique id for user, uuid, htmlemail, subscribepage, password,
        send this user html emails, send this subscriber html emails, rssfrequency, rss frequency, extradata,
        additional data, foreignkey, foreign key, optedin, passwordchanged, did this subscriber manually confirm,
        did this user manually confirm, password changed`,
        nothing,
      ),
    },
  },
  {
    // C confirmed, S not confirmed, U unsubscribed, B bounced, P complained.
    name: 'Newsletter (WordPress)',
    has: [
      ['email', 'status', 'token'],
      ['email', 'surname', 'gender', 'status'],
      ['email', 'name', 'surname', 'status', 'date'],
    ],
    columns: {
      status: status({
        c: 'subscribed',
        s: 'pending',
        u: 'unsubscribed',
        b: 'bounced',
        p: 'complained',
        confirmed: 'subscribed',
        'not confirmed': 'pending',
      }),
      date: field('created_at'),
      created: field('created_at'),
      ip: field('consent_ip'),
      ...each(`name, surname, gender, sex, token, id, wp user id, country, region, city`, nothing),
    },
  },
  {
    name: 'Kit',
    has: [
      ['email', 'first name', 'status', 'created at'],
      ['email address', 'first name', 'state', 'created at'],
      ['email', 'first name', 'created at', 'tags'],
    ],
    columns: {
      ...each('status, state', status({ active: 'subscribed', cancelled: 'unsubscribed', inactive: 'pending' })),
      'created at': field('created_at'),
      'cancelled at': against('unsubscribed', 'unsubscribed_at'),
      tags,
      ...each(`id, first name, last name, referrer, referrer utm source`, nothing),
    },
  },
]

/** undefined: no known system. Pure. */
export function recognise(titles: readonly string[]): System | undefined {
  const there = new Set(titles.map(plain))
  return systems.find(({ has }) => has.some((set) => set.every((title) => there.has(title))))
}
