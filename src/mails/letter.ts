// A mail to one person as it is composed: what a delivery says, whose language it is in, and both parts out of its template.

import { type GivenSiteTexts, readSiteTexts } from '../articles/site-texts.ts'
import type { Config } from '../base/config.ts'
import type { Context } from '../db/context.ts'
import type { ClaimedDelivery, Composed, Composer, Mail } from '../delivery/composer.ts'
import { messagesFor, type Say } from '../messages/messages.ts'
import { automaticHeaders, listHeaders } from './list-headers.ts'
import { composeAlternative } from './mime.ts'
import { frameValues, loadTemplate, type MailTemplate, siteValues, type TemplateName } from './templates.ts'

/** Of mails to editors: the console speaks English. */
export const consoleLocale = 'en'

interface Letter {
  /** Of whom it is for; null: the site's. */
  locale: string | null
  values(say: Say): Record<string, unknown>
  /** Mail of the list: it can be left from here. */
  unsubscribable?: boolean
}
/** null: whom it concerns is gone; nothing goes out. */
export type Write = (delivery: ClaimedDelivery, now: Date) => Letter | null

export function composer(
  ctx: Context,
  name: TemplateName,
  load: (deliveries: readonly ClaimedDelivery[]) => Promise<Write>,
): Composer {
  return {
    async prepare(deliveries) {
      const now = ctx.clock.now()
      const [template, siteTexts, write] = await Promise.all([
        loadTemplate(name, ctx.config.site),
        readSiteTexts(ctx.db),
        load(deliveries),
      ])
      return async (delivery): Promise<Composed> => {
        const letter = write(delivery, now)
        if (!letter) return { outcome: 'skip', reason: 'cancelled' }
        const say = messagesFor(ctx.config, letter.locale)
        const leaveAs = letter.unsubscribable ? subscriberOf(delivery) : null
        const mail = await fillLetter(ctx.config, template, { say, siteTexts }, letter.values(say), leaveAs)
        return { outcome: 'mail', record: null, mail }
      }
    },
  }
}

/** `leaveAs`: the subscriber whom the List-Unsubscribe headers are for; null: mail that isn't the list's. */
export async function fillLetter(
  config: Config,
  template: MailTemplate,
  { say, siteTexts }: { say: Say; siteTexts: GivenSiteTexts },
  given: Record<string, unknown>,
  leaveAs: number | null,
): Promise<Mail> {
  const values = { site: siteValues(config, template.name, say, siteTexts), ...frameValues(say), ...given }
  const headers = [...automaticHeaders, ['Content-Language', say.locale] as const]
  return {
    from: config.mail.fromSystem,
    replyTo: config.mail.replyTo,
    subject: template.subject(values),
    headers: leaveAs === null ? headers : [...headers, ...listHeaders(config, leaveAs)],
    ...(await composeAlternative({
      text: template.text.get('open')!(values),
      html: template.html.get('open')!(values),
    })),
  }
}

export function subscriberOf(delivery: ClaimedDelivery): number {
  return delivery.subscriberId ?? number(delivery, 'subscriberId')
}

export function number(delivery: ClaimedDelivery, name: string): number {
  const value = delivery.payload?.[name]
  if (typeof value !== 'number') throw new Error(`Delivery ${delivery.id} (${delivery.kind}) lacks ${name}.`)
  return value
}

export function text(delivery: ClaimedDelivery, name: string): string {
  const value = delivery.payload?.[name]
  if (typeof value !== 'string') throw new Error(`Delivery ${delivery.id} (${delivery.kind}) lacks ${name}.`)
  return value
}

export function date(delivery: ClaimedDelivery, name: string): Date {
  return new Date(text(delivery, name))
}
