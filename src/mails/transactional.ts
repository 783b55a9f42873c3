// Mails to one person because of something that person (or an editor) did. Each composer loads what its batch needs in one
// statement; links are signed here, when the mail is built, and never stored.
//
// A confirmation carries no story, offer or picture: German courts call that advertising.

import type { Config } from '../base/config.ts'
import { formatDate } from '../base/dates.ts'
import { signInUrl } from '../access/sign-in.ts'
import type { Context } from '../db/context.ts'
import type { ClaimedDelivery, Composed, Composer, Composers, Mail, MailKind } from '../delivery/composer.ts'
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
import { listChoices, listRequestedChoices, type Choice, type SubscriberChoices } from './choices.ts'
import { listHeaders, automaticHeaders } from './list-headers.ts'
import { composeAlternative } from './mime.ts'
import { frameValues, loadTemplate, siteValues, type MailTemplate, type TemplateName } from './templates.ts'
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
        return {
          values: {
            recipient: delivery.recipient,
            isImported,
            choices: choiceWords(requested.get(requestId) ?? []),
            confirmUrl: confirmUrl(ctx.config, requestId, isImported ? now : date(delivery, 'requestedAt')),
            days: linkDays.confirm,
          },
        }
      }
    }),
    welcome: composer(ctx, 'welcome', async (deliveries) => {
      const subscribers = await listChoices(ctx.db, deliveries.map(subscriberOf))
      return (delivery, now) => {
        const subscriber = recipientOf(delivery, subscribers)
        if (!subscriber) return null
        return {
          values: {
            firstDigest: firstDigest(ctx.config, subscriber),
            choices: choiceWords(subscriber.choices),
            ...subscriberLinks(ctx.config, subscriber, now),
          },
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
          values: { isActive, ...subscriberLinks(ctx.config, subscriber, now) },
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
        return { values: { recipient: delivery.recipient, undoUrl, days: linkDays.resubscribe } }
      }
    }),
    'address-change': composer(ctx, 'address-change', async () => (delivery) => ({
      values: {
        recipient: delivery.recipient,
        confirmUrl: addressChangeUrl(ctx.config, number(delivery, 'addressChangeId'), date(delivery, 'requestedAt')),
        days: linkDays['address-change'],
      },
    })),
    'address-changed': composer(ctx, 'address-changed', async () => (delivery) => {
      const changedAt = date(delivery, 'changedAt')
      const isUndoable = typeof delivery.payload?.addressChangeId === 'number'
      return {
        values: {
          recipient: delivery.recipient,
          newAddress: text(delivery, 'newAddress'),
          undoUrl: isUndoable ? addressUndoUrl(ctx.config, number(delivery, 'addressChangeId'), changedAt) : null,
          days: linkDays['address-undo'],
        },
      }
    }),
    'sign-in': composer(ctx, 'sign-in', async () => (delivery) => {
      const expiresAt = date(delivery, 'expiresAt')
      const { timezone } = ctx.config.digest
      return {
        values: {
          signInUrl: signInUrl(ctx.config, { id: number(delivery, 'linkId'), expiresAt }),
          until: `${formatDate(expiresAt, 'time', timezone, ctx.config.site.locale)} (${zoneWords(timezone)})`,
        },
      }
    }),
    alert: composer(ctx, 'alert', async () => (delivery) => {
      const paragraphs = text(delivery, 'text').split(/\n+/).filter(Boolean)
      return {
        values: {
          title: text(delivery, 'subject'),
          summary: paragraphs[0] ?? '',
          paragraphs,
          url: addressOf(ctx.config, '/admin'),
        },
      }
    }),
  }
}

interface Letter {
  values: Record<string, unknown>
  /** Mail of the list: it can be left from here. */
  unsubscribable?: boolean
}
/** null: whom it concerns is gone; nothing goes out. */
type Write = (delivery: ClaimedDelivery, now: Date) => Letter | null

function composer(
  ctx: Context,
  name: TemplateName,
  load: (deliveries: readonly ClaimedDelivery[]) => Promise<Write>,
): Composer {
  return {
    async prepare(deliveries) {
      const now = ctx.clock.now()
      const [template, write] = await Promise.all([loadTemplate(name, ctx.config.site), load(deliveries)])
      return async (delivery): Promise<Composed> => {
        const letter = write(delivery, now)
        if (!letter) return { outcome: 'skip', reason: 'cancelled' }
        const leaveAs = letter.unsubscribable ? subscriberOf(delivery) : null
        return { outcome: 'mail', record: null, mail: await fillLetter(ctx.config, template, letter.values, leaveAs) }
      }
    },
  }
}

/** `leaveAs`: the subscriber whom the List-Unsubscribe headers are for; null: mail that isn't the list's. */
export async function fillLetter(
  config: Config,
  template: MailTemplate,
  given: Record<string, unknown>,
  leaveAs: number | null,
): Promise<Mail> {
  const values = { site: siteValues(config, template.name), ...frameValues('en', 'ltr'), ...given }
  return {
    from: config.mail.fromSystem,
    replyTo: config.mail.replyTo,
    subject: template.subject(values),
    headers: leaveAs === null ? automaticHeaders : [...automaticHeaders, ...listHeaders(config, leaveAs)],
    ...(await composeAlternative({
      text: template.text.get('open')!(values),
      html: template.html.get('open')!(values),
    })),
  }
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

function firstDigest(config: Config, subscriber: { nextDueAt: Date | null; timezone: string | null }): string {
  if (!subscriber.nextDueAt) return 'No category is switched on yet. Choose topics and how often they come.'
  const zone = subscriber.timezone ?? config.digest.timezone
  const day = formatDate(subscriber.nextDueAt, 'day', zone, config.site.locale)
  const time = formatDate(subscriber.nextDueAt, 'time', zone, config.site.locale)
  return `The first digest comes on ${day} at ${time} (${zoneWords(zone)}).`
}

function choiceWords(choices: readonly Choice[]) {
  return choices.map(({ name, frequency }) => ({ name, frequency }))
}

function zoneWords(zone: string): string {
  return zone.replaceAll('_', ' ')
}

function subscriberOf(delivery: ClaimedDelivery): number {
  return delivery.subscriberId ?? number(delivery, 'subscriberId')
}

function number(delivery: ClaimedDelivery, name: string): number {
  const value = delivery.payload?.[name]
  if (typeof value !== 'number') throw new Error(`Delivery ${delivery.id} (${delivery.kind}) lacks ${name}.`)
  return value
}

function text(delivery: ClaimedDelivery, name: string): string {
  const value = delivery.payload?.[name]
  if (typeof value !== 'string') throw new Error(`Delivery ${delivery.id} (${delivery.kind}) lacks ${name}.`)
  return value
}

function date(delivery: ClaimedDelivery, name: string): Date {
  return new Date(text(delivery, name))
}
