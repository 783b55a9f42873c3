// Form fields that several pages share. Each works without script; radios are grouped under the category's name, which is what
// a screen reader says before the choice.

import type { Config } from '../../base/config.ts'
import type { FieldProblem, Refusal } from '../../base/errors.ts'
import type { Category } from '../../db/schema.ts'
import type { Key } from '../../messages/english.ts'
import type { Say } from '../../messages/messages.ts'
import { wordsOf } from '../../messages/refusals.ts'
import { frequencyWords } from '../../messages/words.ts'
import { html, type Html } from '../html.ts'
import { frequencyChoices } from './words.ts'
import { zoneOptions } from './zones.ts'

/** One row of radios per category. `unset`: the words of a first radio without a
 * value, which is what a category has that isn't in `chosen`. */
export function frequencyRows(
  say: Say,
  categories: readonly Category[],
  chosen: Record<string, string>,
  options: { problems?: readonly FieldProblem[]; unset?: string } = {},
): Html {
  const { unset } = options
  const radios: readonly (readonly [value: string, id: string, words: string])[] = [
    ...(unset === undefined ? [] : [['', 'unset', unset] as const]),
    ...frequencyChoices.map((frequency) => [frequency, frequency, say(frequencyWords[frequency])] as const),
  ]
  return html`<div class="${unset === undefined ? 'choices' : 'choices with-unset'}">
    <div class="choices-head" aria-hidden="true">
      <span></span>
      ${radios.map(([, , words]) => html`<span>${words}</span>`)}
    </div>
    ${categories.map((category) => {
      const field = `frequency[${category.slug}]`
      const chosenHere = chosen[category.slug] ?? (unset === undefined ? 'off' : '')
      const problem = options.problems?.find((one) => one.field === field)
      return html`<fieldset class="choice">
        <legend>${category.name}${unset === undefined && category.description && about(category)}</legend>
        <div class="choice-radios">
          ${radios.map(([value, name, words]) => {
            const id = `${category.slug}-${name}`
            return html`<label for="${id}"
              ><input
                type="radio"
                id="${id}"
                name="${field}"
                value="${value}"
                ${value === chosenHere ? html`checked` : ''}
              /><span>${words}</span></label
            >`
          })}
        </div>
        ${problem && note(say, problem)}
      </fieldset>`
    })}
  </div>`
}

/** The line about a category, beside its name. */
export function about({ description }: Category): Html {
  return html` <span class="choice-about">${description}</span>`
}

/** The site's zone when nothing is chosen. `isGuessed`: timezone.js fills in the browser's. */
export function timezoneField(
  say: Say,
  config: Config,
  value: string,
  problem?: FieldProblem,
  options: { isGuessed?: boolean } = {},
): Html {
  return html`<div class="field">
    <label for="timezone">${say('form.timezone')}</label>
    <select
      id="timezone"
      name="timezone"
      data-site="${config.digest.timezone}"
      ${options.isGuessed && html`data-guess="yes"`}
      ${problem ? html`aria-invalid="true" aria-describedby="timezone-problem"` : ''}
    >
      <option value="">${say('form.siteZone', { zone: config.digest.timezone.replaceAll('_', ' ') })}</option>
      ${zoneOptions(say, value)}
    </select>
    ${problem && note(say, problem, 'timezone-problem')}
  </div>`
}

export function note(say: Say, problem: FieldProblem, id?: string): Html {
  return html`<p class="problem" ${id ? html`id="${id}"` : ''}>${wordsOf(say, problem)}</p>`
}

const labels: Record<string, Key> = {
  email: 'form.labelEmail',
  new_email: 'form.labelNewEmail',
  timezone: 'form.labelTimezone',
  frequency: 'form.labelCategories',
  frequency_for_all: 'form.howOften',
  categories: 'form.labelCategories',
  hour: 'form.labelHour',
  weekday: 'form.labelWeekday',
  monthday: 'form.labelMonthday',
  language: 'common.language',
  pause: 'form.labelPause',
  paused_until: 'form.labelPause',
  erase: 'form.labelErase',
  reason: 'form.labelReason',
  reason_text: 'form.labelReasonText',
}

/** What went wrong, first on the page, with links to the fields. */
export function problemSummary(
  say: Say,
  refusal: Refusal,
  /** Of fields that only this page has; their elements have the field's name as id. */
  names: Record<string, string> = {},
): Html {
  const { problems } = refusal
  const nameOf = (field: string) => names[field] ?? (Object.hasOwn(labels, field) ? say(labels[field]!) : undefined)
  return html`<div class="summary" role="alert" tabindex="-1" id="problems" autofocus>
    <p>${problems.length > 0 ? say('form.fixFieldsBelow') : wordsOf(say, refusal)}</p>
    ${
      problems.length > 0 &&
      html`<ul>
        ${problems.map(
          (problem) =>
            html`<li>
              ${
                nameOf(problem.field)
                  ? html`<a href="#${encodeURIComponent(problem.field)}">${nameOf(problem.field)}</a>: `
                  : html`<code>${problem.field}</code>: `
              }
              ${wordsOf(say, problem)}
            </li>`,
        )}
      </ul>`
    }
  </div>`
}
