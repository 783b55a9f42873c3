// Form fields that several pages share. Each works without script; radios are grouped under the category's name, which is what
// a screen reader says before the choice.

import type { Config } from '../../base/config.ts'
import { isTimeZone } from '../../base/time-zone.ts'
import type { FieldProblem } from '../../base/errors.ts'
import type { Category } from '../../db/schema.ts'
import { html, trusted, type Html } from '../html.ts'
import { frequencyChoices, frequencyNames, timezones } from './words.ts'

export interface Typed {
  email?: string
  frequency: Record<string, string>
  timezone: string
}

export const nothingTyped: Typed = { frequency: {}, timezone: '' }

/** One row of four radios per category. `order`: with a field for the place in the digest. */
export function frequencyRows(
  categories: readonly Category[],
  chosen: Record<string, string>,
  options: { order?: readonly string[]; problems?: readonly FieldProblem[] } = {},
): Html {
  return html`<div class="choices">
    <div class="choices-head" aria-hidden="true">
      <span></span>
      ${frequencyChoices.map((frequency) => html`<span>${frequencyNames[frequency]}</span>`)}
    </div>
    ${categories.map((category) => {
      const field = `frequency[${category.slug}]`
      const value = chosen[category.slug] ?? 'off'
      const problem = options.problems?.find((one) => one.field === field)
      return html`<fieldset class="choice">
        <legend>
          ${category.name}${category.description && html` <span class="choice-about">${category.description}</span>`}
        </legend>
        <div class="choice-radios">
          ${frequencyChoices.map((frequency) => {
            const id = `${category.slug}-${frequency}`
            return html`<label for="${id}"
              ><input
                type="radio"
                id="${id}"
                name="${field}"
                value="${frequency}"
                ${frequency === value ? html`checked` : ''}
              /><span>${frequencyNames[frequency]}</span></label
            >`
          })}
        </div>
        ${options.order && orderField(category, options.order, categories.length)} ${problem && note(problem)}
      </fieldset>`
    })}
  </div>`
}

function orderField(category: Category, order: readonly string[], count: number): Html {
  const place = order.indexOf(category.slug) + 1
  return html`<label class="choice-order"
    ><span>Place</span>
    <select name="order[${category.slug}]">
      ${Array.from(
        { length: count },
        (_, index) =>
          html`<option value="${index + 1}" ${index + 1 === place ? html`selected` : ''}>${index + 1}</option>`,
      )}
    </select></label
  >`
}

/** The site's zone when nothing is chosen; timezone.js fills in the browser's. */
export function timezoneField(config: Config, value: string, problem?: FieldProblem): Html {
  return html`<div class="field">
    <label for="timezone">Your time zone</label>
    <select
      id="timezone"
      name="timezone"
      data-guess="${value === '' ? 'yes' : 'no'}"
      ${problem ? html`aria-invalid="true" aria-describedby="timezone-problem"` : ''}
    >
      <option value="">The site’s: ${config.digest.timezone.replaceAll('_', ' ')}</option>
      ${zoneOptions(value)}
    </select>
    ${problem && note(problem, 'timezone-problem')}
  </div>`
}

function zoneOptions(value: string): Html {
  // Four hundred options are the same for almost everyone: made once.
  if (!isTimeZone(value)) return allZones
  if (!timezones.includes(value))
    return html`<option value="${value}" selected>${value}</option>
      ${allZones}`
  const at = `value="${value}"`
  return trusted(allZones.text((path) => path).replace(at, `${at} selected`))
}

const allZones = html`${timezones.map((zone) => html`<option value="${zone}">${zone.replaceAll('_', ' ')}</option>`)}`

export function note(problem: FieldProblem, id?: string): Html {
  return html`<p class="problem" ${id ? html`id="${id}"` : ''}>${problem.message}</p>`
}

const labels: Record<string, string> = {
  email: 'E-mail address',
  new_email: 'New address',
  timezone: 'Time zone',
  frequency: 'Categories',
  hour: 'Hour',
  weekday: 'Day of weekly digests',
  monthday: 'Day of monthly digests',
  language: 'Language of dates',
  paused_until: 'Pause',
  erase: 'Erase',
}

/** What went wrong, first on the page, with links to the fields. */
export function problemSummary(message: string, problems: readonly FieldProblem[]): Html {
  return html`<div class="summary" role="alert" tabindex="-1" id="problems">
    <p>${problems.length > 0 ? 'This needs another look:' : message}</p>
    ${
      problems.length > 0 &&
      html`<ul>
        ${problems.map(
          ({ field, message: text }) =>
            html`<li>
              ${
                labels[field]
                  ? html`<a href="#${field}">${labels[field]}</a>: ${text}`
                  : html`<code>${field}</code>: ${text}`
              }
            </li>`,
        )}
      </ul>`
    }
  </div>`
}
