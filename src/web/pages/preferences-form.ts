// The preferences page: what comes next, one form for everything that is chosen, then what is done once.

import { formatDate } from '../../base/dates.ts'
import type { Context } from '../../db/context.ts'
import type { Subscriber } from '../../db/schema.ts'
import { type ComingSection, countStories } from '../../digests/coming.ts'
import { canReturn } from '../../subscribers/unsubscribe.ts'
import { resubscribeToken } from '../../subscribers/links.ts'
import { html, type Html, to } from '../html.ts'
import type { Page } from '../layout.ts'
import { note, problemSummary, timezoneField } from './fields.ts'
import { oneButton } from './links.ts'
import { orderedChoices } from './preferences-choices.ts'
import { inWeeks, pauseWeeks, zoneOf } from './preferences-input.ts'
import { onceSections, unsubscribeSection } from './preferences-once.ts'
import { type Notice, type PreferencesView, problemOf, tokenField } from './preferences-view.ts'
import { clockHour, dateAndTime, weekdays } from './words.ts'

export function preferencesPage(ctx: Context, view: PreferencesView, status = 200): Page {
  const { subscriber, refusal, categories } = view
  const names = Object.fromEntries(
    categories.flatMap(({ slug, name }) => [
      [`frequency[${slug}]`, name],
      [`order[${slug}]`, name],
    ]),
  )
  return {
    title: 'Manage preferences',
    kind: 'page',
    status,
    isIndexed: false,
    scripts: ['preferences.js'],
    body: html`<h1>Manage preferences</h1>
      <p class="deck">For ${subscriber.email}</p>
      ${view.notice && noticePart(view, view.notice)}
      ${refusal && problemSummary(refusal.message, refusal.problems, names)}
      ${subscriber.status === 'active' ? whenActive(ctx, view) : whenNot(ctx, view)} ${onceSections(view)}`,
  }
}

function noticePart(view: PreferencesView, { text, undo }: Notice): Html {
  return html`<div class="notice" role="status">
    <p>${text}</p>
    ${
      undo &&
      html`<form method="post" action="${to(undo.action)}">
        ${tokenField(view)} ${undo.token && html`<input type="hidden" name="undo" value="${undo.token}" />`}
        <button type="submit" class="quiet small">${undo.label}</button>
      </form>`
    }
  </div>`
}

function whenActive(ctx: Context, view: PreferencesView): Html {
  return html`${nextPart(ctx, view)} ${choiceForm(ctx, view)} ${unsubscribeSection(ctx, view)}`
}

/** "Your next digest: Tuesday 07:00, 6 stories so far." */
function nextPart(ctx: Context, { subscriber, coming, token, now }: PreferencesView): Html {
  const { nextDueAt, pausedUntil } = subscriber
  const isPaused = pausedUntil !== null && pausedUntil > now
  if (!nextDueAt)
    return html`<p class="next-digest">
      All your categories are off, so you won’t receive a digest until you choose one.
    </p>`
  return html`${isPaused && html`<p class="notice">Paused until ${dateAndTime(ctx.config, pausedUntil, subscriber)}.</p>`}
    <p class="next-digest">
      Your next digest: <strong>${slotWords(ctx, subscriber, nextDueAt, now)}</strong>, ${storyWords(coming)}.
      ${coming.length > 0 && html`<a href="${to(`/preferences/next?token=${token}`)}">Preview</a>`}
    </p>`
}

/** Tuesday 07:00, or Tuesday 24 March 07:00 where that is more than six days away. */
function slotWords(ctx: Context, { locale, timezone }: Subscriber, at: Date, now: Date): string {
  const isSoon = at.getTime() - now.getTime() < 6 * 86_400_000
  const language = locale ?? ctx.config.site.locale
  const zone = zoneOf(ctx, timezone)
  return `${formatDate(at, isSoon ? 'weekday' : 'dayOfYear', zone, language)} ${formatDate(at, 'time', zone, language)}`
}

export function storyWords(coming: readonly ComingSection[]): string {
  const stories = countStories(coming)
  return stories === 0 ? 'no new stories so far' : `${stories} ${stories === 1 ? 'story' : 'stories'} so far`
}

function choiceForm(ctx: Context, view: PreferencesView): Html {
  const { typed } = view
  const problems = view.refusal?.problems ?? []
  const { digest } = ctx.config
  return html`<form id="preferences" method="post" action="${to('/preferences')}" novalidate>
    ${tokenField(view)}
    <button type="submit" hidden>Save</button>
    <section>
      <h2 class="section-name">Choose topics and how often</h2>
      <p class="hint">A story in two categories comes once, in the category that is higher in this list.</p>
      ${orderedChoices(view.categories, typed, { problems, moved: view.moved })}
    </section>
    <section>
      <h2 class="section-name">When</h2>
      <div class="pair">
        ${select(view, 'hour', 'At', `The site’s hour: ${clockHour(digest.hour)}`, hours)}
        ${timezoneField(
          ctx.config,
          typed.timezone,
          problems.find((one) => one.field === 'timezone'),
        )}
      </div>
      <div class="pair">
        ${select(view, 'weekday', 'Weekly digests on', `The site’s day: ${weekdays[digest.weekday - 1]}`, days)}
        ${select(view, 'monthday', 'Monthly digests on the', `The site’s day: ${digest.monthday}`, monthdays)}
      </div>
      <div class="pair">${select(view, 'language', 'Language of dates', 'The site’s', languages)}</div>
    </section>
    ${pauseSection(ctx, view)}
    <p><button type="submit" class="main">Save</button></p>
  </form>`
}

function pauseSection(ctx: Context, view: PreferencesView): Html {
  const { typed, subscriber, now } = view
  const language = subscriber.locale ?? ctx.config.site.locale
  const zone = zoneOf(ctx, subscriber.timezone)
  const dateProblem = problemOf(view, 'paused_until')
  const pauseProblem = problemOf(view, 'pause')
  const radio = (value: string, words: Html | string) =>
    html`<label
      ><input
        type="radio"
        name="pause"
        id="${value === '' ? 'pause' : `pause-${value}`}"
        value="${value}"
        ${typed.pause === value && html`checked`}
      />
      <span>${words}</span></label
    >`
  return html`<section>
    <h2 class="section-name" id="pause-name">Pause</h2>
    <div
      class="reasons"
      role="radiogroup"
      aria-labelledby="pause-name"
      ${pauseProblem && html`aria-invalid="true" aria-describedby="pause-problem"`}
    >
      ${radio('', 'No pause')}
      ${pauseWeeks.map((weeks) =>
        radio(
          String(weeks),
          `${weekWords[weeks]} weeks, until ${formatDate(inWeeks(ctx, weeks, subscriber.timezone), 'dayOfYear', zone, language)}`,
        ),
      )}
      ${radio('date', 'Until a date:')}
    </div>
    ${pauseProblem && note(pauseProblem, 'pause-problem')}
    <div class="field indented">
      <label for="paused_until">Digests resume on</label>
      <input
        id="paused_until"
        name="paused_until"
        type="date"
        min="${formatDate(new Date(now.getTime() + 86_400_000), 'isoDay', zone, 'sv')}"
        value="${typed.paused_until}"
        ${dateProblem && html`aria-invalid="true" aria-describedby="paused_until-problem"`}
      />
      ${dateProblem && note(dateProblem, 'paused_until-problem')}
    </div>
  </section>`
}

const weekWords = { 2: 'Two', 4: 'Four', 8: 'Eight' } as const

function select(
  view: PreferencesView,
  name: 'hour' | 'weekday' | 'monthday' | 'language',
  label: string,
  unset: string,
  options: readonly (readonly [string, string])[],
): Html {
  const value = view.typed[name]
  const problem = problemOf(view, name)
  const isOther = value !== '' && !options.some(([key]) => key === value)
  return html`<div class="field">
    <label for="${name}">${label}</label>
    <select id="${name}" name="${name}" ${problem && html`aria-invalid="true" aria-describedby="${name}-problem"`}>
      <option value="">${unset}</option>
      ${isOther && html`<option value="${value}" selected>${value}</option>`}
      ${options.map(
        ([key, text]) => html`<option value="${key}" ${key === value ? html`selected` : ''}>${text}</option>`,
      )}
    </select>
    ${problem && note(problem, `${name}-problem`)}
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
  return html`<p>You are unsubscribed, so you won’t receive any digests.</p>
    ${
      canReturn(subscriber, view.now)
        ? oneButton(
            '/unsubscribe/undo',
            resubscribeToken(ctx.config, subscriber, subscriber.unsubscribedAt!),
            'Undo: subscribe again as before',
          )
        : html`<p><a class="main" href="${to('/')}">Sign up again</a></p>`
    }`
}
