// The preferences page: one long calm form, then the things that are done once.

import { isoDate } from '../../base/dates.ts'
import type { Refusal } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'
import type { Category, Subscriber } from '../../db/schema.ts'
import { canReturn } from '../../subscribers/unsubscribe.ts'
import { resubscribeToken, unsubscribeToken } from '../../subscribers/links.ts'
import type { SubscriptionLine } from '../../subscribers/store.ts'
import { html, type Html, to } from '../html.ts'
import type { Page } from '../layout.ts'
import { nextDigest } from './confirm.ts'
import { frequencyRows, note, problemSummary, timezoneField } from './fields.ts'
import { oneButton } from './links.ts'
import { clockHour, dateAndTime, weekdays } from './words.ts'

export type Notice = string

export interface PreferencesView {
  token: string
  subscriber: Subscriber
  categories: readonly Category[]
  lines: readonly SubscriptionLine[]
  now: Date
  notice?: Notice | undefined
  refusal?: Refusal | undefined
}

export function preferencesPage(ctx: Context, view: PreferencesView, status = 200): Page {
  const { subscriber, refusal } = view
  return {
    title: 'Your newsletter',
    kind: 'page',
    status,
    isIndexed: false,
    body: html`<h1>Your newsletter</h1>
      <p class="deck">For ${subscriber.email}</p>
      ${view.notice && html`<p class="notice" role="status">${view.notice}</p>`}
      ${refusal && problemSummary(refusal.message, refusal.problems)}
      ${subscriber.status === 'active' ? whenActive(ctx, view) : whenNot(ctx, view)} ${lastThings(view)}`,
  }
}

function whenActive(ctx: Context, view: PreferencesView): Html {
  const { subscriber } = view
  const isPaused = subscriber.pausedUntil !== null && subscriber.pausedUntil > view.now
  return html`${
      isPaused &&
      html`<p class="notice">Paused until ${dateAndTime(ctx.config, subscriber.pausedUntil!, subscriber)}.</p>`
    }
    ${nextDigest(ctx.config, subscriber)} ${choiceForm(ctx, view)}
    <section>
      <h2 class="section-name">Another address</h2>
      <form method="post" action="${to('/preferences/address')}" novalidate>
        ${tokenField(view)}
        <div class="field">
          <label for="new_email">New address</label>
          <input id="new_email" name="new_email" type="email" autocomplete="email" maxlength="254" required />
          ${problemOf(view, 'new_email')}
          <p class="hint">
            A mail goes there; nothing moves before its button is pressed. Your present address is told when it has
            moved.
          </p>
        </div>
        <p><button type="submit" class="quiet">Move my newsletter</button></p>
      </form>
    </section>
    <section>
      <h2 class="section-name">Leave</h2>
      <p>No further digest from the moment you press this; you can take it back for thirty days.</p>
      ${oneButton('/unsubscribe', unsubscribeToken(ctx.config, subscriber.id), 'Unsubscribe', { isQuiet: true })}
    </section>`
}

function choiceForm(ctx: Context, view: PreferencesView): Html {
  const { subscriber, lines, categories } = view
  const order = [
    ...lines.map((line) => line.slug),
    ...categories.map((one) => one.slug).filter((slug) => !lines.some((line) => line.slug === slug)),
  ]
  const inOrder = categories.toSorted((a, b) => order.indexOf(a.slug) - order.indexOf(b.slug))
  const chosen = Object.fromEntries(lines.map((line) => [line.slug, line.frequency]))
  const zone = subscriber.timezone ?? ctx.config.digest.timezone
  const { digest } = ctx.config
  const problems = view.refusal?.problems ?? []
  return html`<form method="post" action="${to('/preferences')}" novalidate>
    ${tokenField(view)}
    <section>
      <h2 class="section-name">What, and how often</h2>
      <p class="hint">A story of two categories comes once, in the one that is higher here.</p>
      ${frequencyRows(inOrder, chosen, { order, problems })}
    </section>
    <section>
      <h2 class="section-name">When</h2>
      <div class="pair">
        ${choice('hour', 'At', subscriber.sendHour, `The site’s hour: ${clockHour(digest.hour)}`, hours)}
        ${timezoneField(
          ctx.config,
          subscriber.timezone ?? '',
          problems.find((one) => one.field === 'timezone'),
        )}
      </div>
      <div class="pair">
        ${choice('weekday', 'Weekly digests on', subscriber.weeklyDay, `The site’s day: ${weekdays[digest.weekday - 1]}`, days)}
        ${choice('monthday', 'Monthly digests on the', subscriber.monthlyDay, `The site’s day: ${digest.monthday}`, monthdays)}
      </div>
      <div class="pair">
        ${choice('language', 'Language of dates', subscriber.locale, 'The site’s', languages)}
        <div class="field">
          <label for="paused_until">Pause until</label>
          <input
            id="paused_until"
            name="paused_until"
            type="date"
            min="${isoDate(view.now, zone)}"
            value="${subscriber.pausedUntil && subscriber.pausedUntil > view.now ? isoDate(subscriber.pausedUntil, zone) : ''}"
          />
          ${problemOf(view, 'paused_until')}
          <p class="hint">It comes back by itself on that day.</p>
        </div>
      </div>
    </section>
    <p><button type="submit" class="main">Save</button></p>
  </form>`
}

function choice(
  name: string,
  label: string,
  value: number | string | null,
  unset: string,
  options: readonly (readonly [string, string])[],
): Html {
  return html`<div class="field">
    <label for="${name}">${label}</label>
    <select id="${name}" name="${name}">
      <option value="">${unset}</option>
      ${options.map(
        ([key, text]) =>
          html`<option value="${key}" ${key === String(value ?? '') ? html`selected` : ''}>${text}</option>`,
      )}
    </select>
  </div>`
}

const hours = Array.from({ length: 24 }, (_, hour) => [String(hour), clockHour(hour)] as const)
const days = weekdays.map((name, index) => [String(index + 1), name] as const)
const monthdays = Array.from(
  { length: 31 },
  (_, index) => [String(index + 1), index > 27 ? `${index + 1}, or the month’s last day` : String(index + 1)] as const,
)
const languages = [
  'en',
  'en-US',
  'de',
  'fr',
  'es',
  'it',
  'nl',
  'pt',
  'pl',
  'sv',
  'da',
  'fi',
  'cs',
  'tr',
  'uk',
  'ja',
].map((tag) => [tag, new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag] as const)

function whenNot(ctx: Context, view: PreferencesView): Html {
  const { subscriber } = view
  if (subscriber.status === 'pending')
    return html`<p>This subscription isn’t confirmed yet. Press the button in the mail that we sent you.</p>`
  return html`<p>You have unsubscribed, so nothing comes.</p>
    ${
      canReturn(subscriber, view.now)
        ? oneButton(
            '/unsubscribe/undo',
            resubscribeToken(ctx.config, subscriber, subscriber.unsubscribedAt!),
            'Come back, as it was',
          )
        : html`<p><a class="main" href="${to('/')}">Sign up again</a></p>`
    }`
}

/** Offered whatever the state: they are rights. */
function lastThings(view: PreferencesView): Html {
  return html`<section>
      <h2 class="section-name">My data</h2>
      <p>
        <a href="${to(`/preferences/data?token=${view.token}`)}" download>Everything we keep about you</a>, as a file
        (JSON).
      </p>
    </section>
    <section>
      <h2 class="section-name">Older links</h2>
      <p>
        If somebody else may have one of our mails: this ends the links in all of them, this page’s too. Only
        unsubscribing goes on working. A new link is mailed to you.
      </p>
      ${oneButton('/preferences/end-links', view.token, 'End all older links', { isQuiet: true })}
    </section>
    <section>
      <h2 class="section-name">Erase me</h2>
      <form method="post" action="${to('/preferences/erase')}">
        ${tokenField(view)}
        <p>Removes your address, your choices and what you were sent. It can’t be taken back.</p>
        <p class="check">
          <input type="checkbox" id="erase" name="erase" value="yes" />
          <label for="erase">Yes, erase everything about me</label>
        </p>
        ${problemOf(view, 'erase')}
        <p><button type="submit" class="quiet">Erase me</button></p>
      </form>
    </section>`
}

const tokenField = (view: PreferencesView) => html`<input type="hidden" name="token" value="${view.token}" />`

function problemOf(view: PreferencesView, field: string): Html | false {
  const problem = view.refusal?.problems.find((one) => one.field === field)
  return problem !== undefined && note(problem)
}
