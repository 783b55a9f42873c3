// "Choose topics and how often": one frequency for all ticked categories first, then one for each category that differs. It works
// without script; signup.js keeps ticks and frequencies of a category in step.

import type { FieldProblem } from '../../base/errors.ts'
import { frequencies, type Category } from '../../db/schema.ts'
import type { Say } from '../../messages/messages.ts'
import { frequencyWords } from '../../messages/words.ts'
import { html, type Html } from '../html.ts'
import { about, frequencyRows, note } from './fields.ts'
import type { TypedChoice } from './typed.ts'

export function choiceFields(
  say: Say,
  categories: readonly Category[],
  typed: TypedChoice,
  options: { problems: readonly FieldProblem[]; isOpen: boolean },
): Html {
  const { problems } = options
  const of = (field: string) => problems.find((problem) => problem.field === field)
  const isWrong = problems.some(({ field }) => /^(?:frequency|categories)/.test(field))
  const hasOwn = Object.values(typed.frequency).some((frequency) => frequency !== '')
  const forAll = of('frequency_for_all')
  const none = of('frequency') ?? of('categories')
  return html`<details class="more" ${(options.isOpen || isWrong) && html`open`}>
    <summary>${say('form.chooseTopics')}</summary>
    <fieldset class="field" id="frequency_for_all">
      <legend class="label">${say('form.howOften')}</legend>
      ${forAll && note(say, forAll)}
      <div class="in-a-row">
        ${frequencies.map(
          (frequency) =>
            html`<label class="pick"
              ><input
                type="radio"
                name="frequency_for_all"
                value="${frequency}"
                ${frequency === typed.frequencyForAll && html`checked`}
              />
              ${say(frequencyWords[frequency])}</label
            >`,
        )}
      </div>
    </fieldset>
    <fieldset class="field" id="frequency">
      <legend class="label" id="categories">${say('form.topics')}</legend>
      ${none && note(say, none)}
      <div class="topics">
        ${categories.map(
          (category) =>
            html`<label class="pick"
              ><input
                type="checkbox"
                name="categories"
                value="${category.slug}"
                ${typed.categories.includes(category.slug) && html`checked`}
              />
              <span>${category.name}${category.description && about(category)}</span></label
            >`,
        )}
      </div>
    </fieldset>
    <details class="more" ${(hasOwn || isWrong) && html`open`}>
      <summary>${say('form.eachTopic')}</summary>
      <div role="group" aria-label="${say('form.eachTopicGroup')}">
        <p class="hint">${say('form.replacesTick')}</p>
        ${frequencyRows(say, categories, typed.frequency, { problems, unset: say('form.asAbove') })}
      </div>
    </details>
  </details>`
}
