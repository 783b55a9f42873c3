// The categories of the preferences page: how often each comes, and their order. Buttons move a category without JavaScript and
// keep every other edit; preferences.js moves it in place, and by dragging.

import type { FieldProblem } from '../../base/errors.ts'
import type { Category } from '../../db/schema.ts'
import type { Say } from '../../messages/messages.ts'
import { frequencyWords } from '../../messages/words.ts'
import { html, type Html } from '../html.ts'
import { note } from './fields.ts'
import type { TypedPreferences } from './preferences-input.ts'
import { frequencyChoices } from './words.ts'

/** `moved`: the category that a button has just moved; the keyboard stays on it. */
export function orderedChoices(
  say: Say,
  categories: readonly Category[],
  typed: Pick<TypedPreferences, 'frequency' | 'order'>,
  options: { problems: readonly FieldProblem[]; moved?: { slug: string; way: string } | undefined },
): Html {
  const inOrder = categories.toSorted((a, b) => typed.order.indexOf(a.slug) - typed.order.indexOf(b.slug))
  const last = inOrder.length - 1
  return html`<div class="choices ordered" id="frequency">
    <div class="choices-head" aria-hidden="true">
      <span></span>
      ${frequencyChoices.map((frequency) => html`<span>${say(frequencyWords[frequency])}</span>`)}
      <span>${say('preferences.order')}</span>
    </div>
    ${inOrder.map((category, at) => {
      const { slug, name, description } = category
      const field = `frequency[${slug}]`
      const problem = options.problems.find((one) => one.field === field || one.field === `order[${slug}]`)
      const hasFocus = (way: string) =>
        options.moved?.slug === slug && (at === 0 ? 'down' : at === last ? 'up' : options.moved.way) === way
      const mover = (way: 'up' | 'down', sign: string, isEdge: boolean) =>
        html`<button
          type="submit"
          name="move"
          value="${way}:${slug}"
          aria-label="${say(way === 'up' ? 'preferences.moveUp' : 'preferences.moveDown', { category: name })}"
          ${isEdge && html`disabled`}
          ${hasFocus(way) && html`autofocus`}
        >
          ${sign}
        </button>`
      return html`<fieldset
        class="choice"
        id="${field}"
        data-grip="${say('preferences.moveGrip', { category: name })}"
        data-moved="${say('preferences.isNumber', { category: name, place: '{place}', count: '{count}' })}"
        ${problem && html`role="radiogroup" aria-invalid="true" aria-describedby="${slug}-problem"`}
      >
        <legend>${name}${description && html` <span class="choice-about">${description}</span>`}</legend>
        <div class="choice-radios">
          ${frequencyChoices.map(
            (frequency) =>
              html`<label for="${slug}-${frequency}"
                ><input
                  type="radio"
                  id="${slug}-${frequency}"
                  name="${field}"
                  value="${frequency}"
                  ${frequency === (typed.frequency[slug] ?? 'off') && html`checked`}
                /><span>${say(frequencyWords[frequency])}</span></label
              >`,
          )}
        </div>
        <div class="choice-move">
          <input type="hidden" name="order[${slug}]" value="${at + 1}" />
          ${mover('up', '↑', at === 0)} ${mover('down', '↓', at === last)}
        </div>
        ${problem && note(say, problem, `${slug}-problem`)}
      </fieldset>`
    })}
  </div>`
}
