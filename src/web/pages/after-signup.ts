// The pages that follow the sign-up form: where to look for the mail, and the question about an address that looks misspelt.

import type { Request } from 'express'
import type { Config } from '../../base/config.ts'
import { domainOf, readableAddress } from '../../base/email-address.ts'
import type { Say } from '../../messages/messages.ts'
import { html, type Html, type HtmlValue, to } from '../html.ts'
import type { Page } from '../layout.ts'
import { trialNote } from './links.ts'

/** Every sentence is true for every state of the address, as nothing here may tell one from another: a mail goes to new and
 * unsubscribed addresses and to subscribers, not twice a day, and none goes to an address with a complaint. */
export function checkYourMailPage(say: Say, config: Config, email: string | undefined, nothingThere: string): Page {
  const site = config.site.name
  return {
    title: say('common.checkMail'),
    kind: 'quiet',
    isIndexed: false,
    body: html`<h1>${say('common.checkMail')}</h1>
      <p class="deck">
        ${
          email
            ? say.rich('form.checkMailTo', { email: readableAddress(email), site, strong })
            : say('form.checkMailAny', { site })
        }
      </p>
      <p>
        ${say.rich('form.wrongAddress', { a: (within) => html`<a href="${to('/subscribe/change')}">${within}</a>` })}
      </p>
      <p>${nothingThere}</p>
      ${trialNote(say, config)}
      <p><a href="${to('/')}">${say('common.backToFrontPage')}</a></p>`,
  }
}

/** The same in one text, for a form that answers in place. */
export function checkYourMailText(say: Say, { site }: Config, email: string): string {
  return say('form.answer', { email: readableAddress(email), site: site.name })
}

/** Offers the address that was most probably meant, and keeps the typed one just as easily. Nothing has been sent or stored yet. */
export function didYouMeanPage(say: Say, request: Request, typed: string, meant: string): Page {
  const domains = { domain: readableDomain(typed), meant: readableDomain(meant) }
  return {
    title: say('form.isThisYours'),
    kind: 'quiet',
    isIndexed: false,
    body: html`<h1>${say('form.isThisYours')}</h1>
      <p class="deck">${say.rich('form.didYouMean', { ...domains, strong })}</p>
      ${signUpAs(request, { email: meant }, say('form.useMeant', { email: readableAddress(meant) }), 'main')}
      ${signUpAs(request, { email: typed, kept_email: typed }, say('form.keepTyped', { email: readableAddress(typed) }), 'quiet')}
      <p><a href="${to('/subscribe/change')}">${say('form.typeAnother')}</a></p>`,
  }
}

const strong = (within: HtmlValue) => html`<strong>${within}</strong>`
const readableDomain = (email: string) => domainOf(readableAddress(email))

/** A button that sends the form again with another address. */
function signUpAs(request: Request, changed: Record<string, string>, label: string, kind: 'main' | 'quiet'): Html {
  const kept = fieldsOf(request).filter(([name]) => name !== 'email' && name !== 'kept_email')
  return html`<form method="post" action="${to('/subscribe')}">
    ${[...kept, ...Object.entries(changed)].map(
      ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
    )}
    <p><button type="submit" class="${kind}">${label}</button></p>
  </form>`
}

/** What a form sent, as names and values again. */
function fieldsOf(request: Request): [name: string, value: string][] {
  return Object.entries(request.body as Record<string, unknown>).flatMap(([name, value]) => {
    if (typeof value === 'string') return [[name, value] as [string, string]]
    if (Array.isArray(value))
      return value.filter((one) => typeof one === 'string').map((one) => [name, one] as [string, string])
    return Object.entries(value ?? {}).flatMap(([key, one]) =>
      typeof one === 'string' ? [[`${name}[${key}]`, one] as [string, string]] : [],
    )
  })
}
