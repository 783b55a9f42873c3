// Mails to one person because of something that person (or an editor) did. Each composer loads what its batch needs in one
// statement; links are signed here, when the mail is built, and never stored.
//
// A confirmation carries no story, offer or picture: German courts call that advertising.

import { categoryName } from '../articles/category-names.ts'
import type { Config } from '../base/config.ts'
import { signInUrl } from '../access/sign-in.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { ClaimedDelivery, Composers, MailKind } from '../delivery/composer.ts'
import {
  addressChangeUrl,
  addressUndoUrl,
  confirmUrl,
  linkDays,
  preferencesUrl,
  resubscribeUrl,
  unsubscribeUrl,
  type LinkHolder,
} from '../subscribers/links.ts'
import type { Say } from '../messages/messages.ts'
import { listChoices, listRequestedChoices, type Choice, type SubscriberChoices } from './choices.ts'
import { composer, consoleLocale, date, number, subscriberOf, text } from './letter.ts'
import { addressOf } from '../base/addresses.ts'

type TransactionalKind = Exclude<MailKind, 'digest' | 'announcement' | 'test'>

export function transactionalComposers(ctx: Context): Pick<Composers, TransactionalKind> {
  return {
    confirmation: composer(ctx, 'confirmation', async (deliveries) => {
      const requested = await listRequestedChoices(
        ctx.db,
        deliveries.map((mail) => number(mail, 'signupRequestId')),
      )
      const asked = await listChoices(ctx.db, deliveries.filter(isOfImport).map(subscriberOf))
      return (delivery, now) => {
        const isImported = isOfImport(delivery)
        // Their answer may have come while the mail waited, or another list's.
        if (isImported && recipientOf(delivery, asked)?.status !== 'pending') return null
        const requestId = number(delivery, 'signupRequestId')
        const { locale = null, choices = [] } = requested.get(requestId) ?? {}
        return {
          locale,
          values: (say) => ({
            recipient: delivery.recipient,
            isImported,
            choices: choiceWords(choices, say),
            confirmUrl: confirmUrl(ctx.config, requestId, isImported ? now : date(delivery, 'requestedAt')),
            days: linkDays.confirm,
          }),
        }
      }
    }),
    welcome: composer(ctx, 'welcome', async (deliveries) => {
      const subscribers = await listChoices(ctx.db, deliveries.map(subscriberOf))
      return (delivery, now) => {
        const subscriber = recipientOf(delivery, subscribers)
        if (!subscriber) return null
        return {
          locale: subscriber.locale,
          values: (say) => ({
            firstDigest: firstDigest(ctx.config, subscriber, say),
            choices: choiceWords(subscriber.choices, say),
            ...subscriberLinks(ctx.config, subscriber, now),
          }),
          unsubscribable: true,
        }
      }
    }),
    'preferences-link': composer(ctx, 'preferences-link', async (deliveries) => {
      const subscribers = await listChoices(ctx.db, deliveries.map(subscriberOf))
      return (delivery, now) => {
        const subscriber = recipientOf(delivery, subscribers)
        if (!subscriber) return null
        const isActive = subscriber.status === 'active'
        return {
          locale: subscriber.locale,
          values: () => ({ isActive, ...subscriberLinks(ctx.config, subscriber, now) }),
          unsubscribable: isActive,
        }
      }
    }),
    goodbye: composer(ctx, 'goodbye', async (deliveries) => {
      const subscribers = await listChoices(ctx.db, deliveries.map(subscriberOf))
      return (delivery) => {
        const subscriber = recipientOf(delivery, subscribers)
        // It may have been taken back while the mail waited.
        if (subscriber?.status !== 'unsubscribed') return null
        const undoUrl = resubscribeUrl(ctx.config, subscriber, date(delivery, 'unsubscribedAt'))
        return {
          locale: subscriber.locale,
          values: () => ({ recipient: delivery.recipient, undoUrl, days: linkDays.resubscribe }),
        }
      }
    }),
    'address-change': composer(ctx, 'address-change', async (deliveries) => {
      const locales = await listLocales(ctx.db, deliveries)
      return (delivery) => ({
        locale: locales.get(delivery) ?? null,
        values: () => ({
          recipient: delivery.recipient,
          confirmUrl: addressChangeUrl(ctx.config, number(delivery, 'addressChangeId'), date(delivery, 'requestedAt')),
          days: linkDays['address-change'],
        }),
      })
    }),
    'address-changed': composer(ctx, 'address-changed', async (deliveries) => {
      const locales = await listLocales(ctx.db, deliveries)
      return (delivery) => {
        const changedAt = date(delivery, 'changedAt')
        const isUndoable = typeof delivery.payload?.addressChangeId === 'number'
        return {
          locale: locales.get(delivery) ?? null,
          values: () => ({
            recipient: delivery.recipient,
            newAddress: text(delivery, 'newAddress'),
            undoUrl: isUndoable ? addressUndoUrl(ctx.config, number(delivery, 'addressChangeId'), changedAt) : null,
            days: linkDays['address-undo'],
          }),
        }
      }
    }),
    'sign-in': composer(ctx, 'sign-in', async () => (delivery) => {
      const expiresAt = date(delivery, 'expiresAt')
      const { timezone } = ctx.config.digest
      return {
        locale: consoleLocale,
        values: (say) => ({
          signInUrl: signInUrl(ctx.config, { id: number(delivery, 'linkId'), expiresAt }),
          until: `${say.date(expiresAt, 'time', timezone)} (${zoneWords(timezone)})`,
        }),
      }
    }),
    alert: composer(ctx, 'alert', async () => (delivery) => {
      const paragraphs = text(delivery, 'text').split(/\n+/).filter(Boolean)
      return {
        locale: consoleLocale,
        values: () => ({
          title: text(delivery, 'subject'),
          summary: paragraphs[0] ?? '',
          paragraphs,
          url: addressOf(ctx.config, '/admin'),
        }),
      }
    }),
  }
}

/** Of the subscribers whom mails are about. A mail whose subscriber has been erased is in the site's language. */
async function listLocales(db: Db, deliveries: readonly ClaimedDelivery[]) {
  const ids = deliveries.map(({ subscriberId }) => subscriberId ?? 0)
  const rows = await db.selectFrom('subscribers').select(['id', 'locale']).where('id', 'in', ids).execute()
  const byId = new Map(rows.map(({ id, locale }) => [id, locale]))
  return new Map(deliveries.map((delivery) => [delivery, byId.get(delivery.subscriberId ?? 0) ?? null]))
}

/** Somebody of a list that was imported, who is asked to opt in again: the mail may have waited for days, so its link counts from now. */
const isOfImport = ({ payload }: ClaimedDelivery): boolean => typeof payload?.source === 'string'

/** undefined: erased, or moved to another address since; a link to the subscription mustn't go to the former one. */
function recipientOf(delivery: ClaimedDelivery, subscribers: ReadonlyMap<number, SubscriberChoices>) {
  const subscriber = subscribers.get(subscriberOf(delivery))
  return subscriber?.email === delivery.recipient ? subscriber : undefined
}

function subscriberLinks(config: Config, subscriber: LinkHolder, now: Date) {
  return {
    preferencesUrl: preferencesUrl(config, subscriber, now),
    unsubscribeUrl: unsubscribeUrl(config, subscriber.id),
  }
}

/** When it comes, in the subscriber's own time. */
export function firstDigest(
  config: Config,
  { nextDueAt, timezone }: { nextDueAt: Date | null; timezone: string | null },
  say: Say,
): string {
  if (!nextDueAt) return say('mails.noCategory')
  const zone = timezone ?? config.digest.timezone
  const day = say.date(nextDueAt, 'day', zone)
  return say('mails.firstDigest', { day, time: say.date(nextDueAt, 'time', zone), zone: zoneWords(zone) })
}

function choiceWords(choices: readonly Choice[], say: Say) {
  return choices.map(({ frequency, ...category }) => ({
    name: categoryName(category, say.locale),
    frequency: say(`mails.${frequency}`),
  }))
}

function zoneWords(zone: string): string {
  return zone.replaceAll('_', ' ')
}
