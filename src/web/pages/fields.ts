// Form fields that several pages share. Each works without script; radios are grouped under the category's name, which is what
// a screen reader says before the choice.

import type { Config } from '../../base/config.ts'
import type { FieldProblem } from '../../base/errors.ts'
import type { Category } from '../../db/schema.ts'
import { html, type Html } from '../html.ts'
import { frequencyChoices, frequencyNames } from './words.ts'
import { zoneOptions } from './zones.ts'

/** One row of radios per category. `unset`: the words of a first radio without a
 * value, which is what a category has that isn't in `chosen`. */
export function frequencyRows(
  categories: readonly Category[],
  chosen: Record<string, string>,
  options: { problems?: readonly FieldProblem[]; unset?: string } = {},
): Html {
  const { unset } = options
  const radios: readonly (readonly [value: string, id: string, words: string])[] = [
    ...(unset === undefined ? [] : [['', 'unset', unset] as const]),
    ...frequencyChoices.map((frequency) => [frequency, frequency, frequencyNames[frequency]] as const),
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
        ${problem && note(problem)}
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
  config: Config,
  value: string,
  problem?: FieldProblem,
  options: { isGuessed?: boolean } = {},
): Html {
  return html`<div class="field">
    <label for="timezone">Your time zone</label>
    <select
      id="timezone"
      name="timezone"
      data-site="${config.digest.timezone}"
      ${options.isGuessed && html`data-guess="yes"`}
      ${problem ? html`aria-invalid="true" aria-describedby="timezone-problem"` : ''}
    >
      <option value="">The site’s: ${config.digest.timezone.replaceAll('_', ' ')}</option>
      ${zoneOptions(value)}
    </select>
    ${problem && note(problem, 'timezone-problem')}
  </div>`
}

export function note(problem: FieldProblem, id?: string): Html {
  return html`<p class="problem" ${id ? html`id="${id}"` : ''}>${problem.message}</p>`
}

const labels: Record<string, string> = {
  email: 'E-mail address',
  new_email: 'New address',
  timezone: 'Time zone',
  frequency: 'Categories',
  frequency_for_all: 'How often',
  categories: 'Categories',
  hour: 'Hour',
  weekday: 'Day of weekly digests',
  monthday: 'Day of monthly digests',
  language: 'Language of dates',
  pause: 'Pause',
  paused_until: 'Pause',
  erase: 'Erase',
  reason: 'Reason',
  reason_text: 'In your own words',
}

/** What went wrong, first on the page, with links to the fields. */
export function problemSummary(
  message: string,
  problems: readonly FieldProblem[],
  /** Of fields that only this page has; their elements have the field's name as id. */
  names: Record<string, string> = {},
): Html {
  const all = { ...labels, ...names }
  return html`<div class="summary" role="alert" tabindex="-1" id="problems" autofocus>
    <p>${problems.length > 0 ? 'Please fix the highlighted fields:' : message}</p>
    ${
      problems.length > 0 &&
      html`<ul>
        ${problems.map(
          ({ field, message: text }) =>
            html`<li>
              ${
                all[field]
                  ? html`<a href="#${encodeURIComponent(field)}">${all[field]}</a>: ${text}`
                  : html`<code>${field}</code>: ${text}`
              }
            </li>`,
        )}
      </ul>`
    }
  </div>`
}
