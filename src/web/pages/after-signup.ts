// The pages that follow the sign-up form: where to look for the mail, and the question about an address that looks misspelt.

import type { Request } from 'express'
import type { Config } from '../../base/config.ts'
import { domainOf, readableAddress } from '../../base/email-address.ts'
import { html, type Html, to } from '../html.ts'
import type { Page } from '../layout.ts'

/** Every sentence is true for every state of the address, as nothing here may tell one from another: a mail goes to new and
 * unsubscribed addresses and to subscribers, not twice a day, and none goes to an address with a complaint. */
export function checkYourMailPage({ site, trial }: Config, email: string | undefined): Page {
  return {
    title: 'Check your mail',
    kind: 'quiet',
    isIndexed: false,
    body: html`<h1>Check your mail</h1>
      <p class="deck">
        If ${email ? html`<strong>${readableAddress(email)}</strong>` : 'your address'} can receive our mail now, a
        message from ${site.name} is there or on its way. Press the button in it: a new subscription starts only then.
      </p>
      <p>Wrong address? <a href="${to('/subscribe/change')}">Change it</a>.</p>
      <p>
        Nothing there? We send at most one a day, so look in your spam folder first. No message goes to addresses that
        refuse our mail or asked us to stop.
      </p>
      ${trial && html`<p>This is the trial: the mail is in <a href="${to('/mailbox')}">the mailbox</a>.</p>`}
      <p><a href="${to('/')}">Back to the front page</a></p>`,
  }
}

/** The same in one text, for a form that answers in place. */
export function checkYourMailText({ site }: Config, email: string): string {
  return `If ${readableAddress(email)} can receive our mail now, a message from ${site.name} is there or on its way. Press the button in it: a new subscription starts only then. Nothing there? Look in your spam folder first.`
}

/** Offers the address that was most probably meant, and keeps the typed one just as easily. Nothing has been sent or stored yet. */
export function didYouMeanPage(request: Request, typed: string, meant: string): Page {
  return {
    title: 'Is this your address?',
    kind: 'quiet',
    isIndexed: false,
    body: html`<h1>Is this your address?</h1>
      <p class="deck">${domainOf(typed)}: did you mean <strong>${domainOf(meant)}</strong>?</p>
      ${signUpAs(request, { email: meant }, `Yes, use ${meant}`, 'main')}
      ${signUpAs(request, { email: typed, kept_email: typed }, `No, keep ${typed}`, 'quiet')}
      <p><a href="${to('/subscribe/change')}">Type another address</a></p>`,
  }
}

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
