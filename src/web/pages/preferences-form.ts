// The preferences page: what comes next, one form for everything that is chosen, then what is done once.

import { formatDate } from '../../base/dates.ts'
import { readableAddress } from '../../base/email-address.ts'
import type { Context } from '../../db/context.ts'
import { countStories } from '../../digests/coming.ts'
import { canonical } from '../../messages/catalogue.ts'
import { languagesOf, nameOf, type Say } from '../../messages/messages.ts'
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
import { clockHour, dateAndTime, weekdayName } from './words.ts'

export function preferencesPage(ctx: Context, view: PreferencesView, status = 200): Page {
  const { say, subscriber, refusal, categories } = view
  const names = Object.fromEntries(
    categories.flatMap(({ slug, name }) => [
      [`frequency[${slug}]`, name],
      [`order[${slug}]`, name],
    ]),
  )
  return {
    say,
    title: say('common.managePreferences'),
    here: `/preferences?token=${view.token}`,
    kind: 'page',
    status,
    isIndexed: false,
    scripts: ['preferences.js'],
    body: html`<h1>${say('common.managePreferences')}</h1>
      <p class="deck">${say('preferences.for', { email: readableAddress(subscriber.email) })}</p>
      ${view.notice && noticePart(view, view.notice)} ${refusal && problemSummary(say, refusal, names)}
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

/** "Your next digest: Tuesday 07:00, 6 stories so far." The day is named with its date where it is more than six days away. */
function nextPart(ctx: Context, { say, subscriber, coming, token, now }: PreferencesView): Html {
  const { nextDueAt, pausedUntil } = subscriber
  const isPaused = pausedUntil !== null && pausedUntil > now
  if (!nextDueAt) return html`<p class="next-digest">${say('preferences.allOff')}</p>`
  const isSoon = nextDueAt.getTime() - now.getTime() < 6 * 86_400_000
  const zone = zoneOf(ctx, subscriber.timezone)
  const pausedWords =
    isPaused && say('preferences.pausedUntil', { when: dateAndTime(say, ctx.config, pausedUntil, subscriber) })
  return html`${pausedWords && html`<p class="notice">${pausedWords}</p>`}
    <p class="next-digest">
      ${say.rich('preferences.nextLine', {
        day: say.date(nextDueAt, isSoon ? 'weekday' : 'dayOfYear', zone),
        time: say.date(nextDueAt, 'time', zone),
        count: countStories(coming),
        strong: (within) => html`<strong>${within}</strong>`,
      })}
      ${coming.length > 0 && html`<a href="${to(`/preferences/next?token=${token}`)}">${say('preferences.preview')}</a>`}
    </p>`
}

function choiceForm(ctx: Context, view: PreferencesView): Html {
  const { say, typed } = view
  const problems = view.refusal?.problems ?? []
  const { digest } = ctx.config
  const [site = 'en', ...others] = languagesOf(ctx.config)
  const languages = [site, ...others].map((tag) => [tag, nameOf(tag)] as const)
  return html`<form id="preferences" method="post" action="${to('/preferences')}" novalidate>
    ${tokenField(view)}
    <button type="submit" hidden>${say('preferences.save')}</button>
    <section>
      <h2 class="section-name">${say('form.chooseTopics')}</h2>
      <p class="hint">${say('preferences.twoCategories')}</p>
      ${orderedChoices(say, view.categories, typed, { problems, moved: view.moved })}
    </section>
    <section>
      <h2 class="section-name">${say('preferences.when')}</h2>
      <div class="pair">
        ${select(view, 'hour', say('preferences.at'), say('preferences.siteHour', { time: clockHour(say, digest.hour) }), hours(say))}
        ${timezoneField(
          say,
          ctx.config,
          typed.timezone,
          problems.find((one) => one.field === 'timezone'),
        )}
      </div>
      <div class="pair">
        ${select(view, 'weekday', say('preferences.weeklyOn'), say('preferences.siteDay', { day: weekdayName(say, digest.weekday) }), days(say))}
        ${select(view, 'monthday', say('preferences.monthlyOn'), say('preferences.siteDay', { day: digest.monthday }), monthdays(say))}
      </div>
      <div class="pair">
        ${select(view, 'language', say('common.language'), say('preferences.siteLanguage', { language: nameOf(site) }), languages)}
      </div>
    </section>
    ${pauseSection(ctx, view)}
    <p><button type="submit" class="main">${say('preferences.save')}</button></p>
  </form>`
}

function pauseSection(ctx: Context, view: PreferencesView): Html {
  const { say, typed, subscriber, now } = view
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
    <h2 class="section-name" id="pause-name">${say('preferences.pause')}</h2>
    <div
      class="reasons"
      role="radiogroup"
      aria-labelledby="pause-name"
      ${pauseProblem && html`aria-invalid="true" aria-describedby="pause-problem"`}
    >
      ${radio('', say('preferences.noPause'))}
      ${pauseWeeks.map((weeks) =>
        radio(
          String(weeks),
          say('preferences.pauseWeeks', {
            weeks: String(weeks),
            date: say.date(inWeeks(ctx, weeks, subscriber.timezone), 'dayOfYear', zone),
          }),
        ),
      )}
      ${radio('date', say('preferences.untilDate'))}
    </div>
    ${pauseProblem && note(say, pauseProblem, 'pause-problem')}
    <div class="field indented">
      <label for="paused_until">${say('preferences.resumeOn')}</label>
      <input
        id="paused_until"
        name="paused_until"
        type="date"
        min="${formatDate(new Date(now.getTime() + 86_400_000), 'isoDay', zone, 'sv')}"
        value="${typed.paused_until}"
        ${dateProblem && html`aria-invalid="true" aria-describedby="paused_until-problem"`}
      />
      ${dateProblem && note(say, dateProblem, 'paused_until-problem')}
    </div>
  </section>`
}

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
      ${isOther && html`<option value="${value}" selected>${name === 'language' && canonical(value) ? nameOf(value) : value}</option>`}
      ${options.map(
        ([key, text]) => html`<option value="${key}" ${key === value ? html`selected` : ''}>${text}</option>`,
      )}
    </select>
    ${problem && note(view.say, problem, `${name}-problem`)}
  </div>`
}

const hours = (say: Say) => Array.from({ length: 24 }, (_, hour) => [String(hour), clockHour(say, hour)] as const)
const days = (say: Say) => [1, 2, 3, 4, 5, 6, 7].map((day) => [String(day), weekdayName(say, day)] as const)
const monthdays = (say: Say) =>
  Array.from({ length: 31 }, (_, index) => {
    const day = String(index + 1)
    return [day, index > 27 ? say('preferences.orLastDay', { day }) : day] as const
  })

function whenNot(ctx: Context, view: PreferencesView): Html {
  const { say, subscriber } = view
  if (subscriber.status === 'pending') return html`<p>${say('preferences.notConfirmed')}</p>`
  return html`<p>${say('preferences.isUnsubscribed')}</p>
    ${
      canReturn(subscriber, view.now)
        ? oneButton(
            '/unsubscribe/undo',
            resubscribeToken(ctx.config, subscriber, subscriber.unsubscribedAt!),
            say('preferences.undoSubscribe'),
          )
        : html`<p><a class="main" href="${to('/')}">${say('form.signUpAgain')}</a></p>`
    }`
}
