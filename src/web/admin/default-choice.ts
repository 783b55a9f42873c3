// The default choice, on the categories page: for readers who only type an address, and for an imported list without choices.

import type { Router } from 'express'
import { listCategories } from '../../articles/store.ts'
import { defaultChoice, setDefaultChoice } from '../../subscribers/default-choice.ts'
import { readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import { messagesFor } from '../../messages/messages.ts'
import { frequencyWords } from '../../messages/words.ts'
import { choiceSentences, frequencyChoices } from '../pages/words.ts'
import { seeOther } from '../place.ts'
import type { WebContext } from '../web-context.ts'
import { actorOf } from './guard.ts'

export function mountDefaultChoice(router: Router, web: WebContext): void {
  router.post('/default-choice', readForm, async (request, response) => {
    await setDefaultChoice(web, (request.body as Record<string, unknown>)['frequency'], actorOf(request))
    seeOther(response, '/admin/categories?done=default-choice')
  })
}

export async function defaultChoiceSection(web: WebContext): Promise<Html> {
  const categories = await listCategories(web.db)
  if (categories.length === 0) return html``
  const choices = await defaultChoice(web.db)
  const say = messagesFor(web.config, 'en')
  return html`<h2 id="default-choice">Default choice</h2>
    <p>
      A reader who only types an address gets this. So does an imported list that names no categories. The form shows it
      as:
    </p>
    <p><em>${choiceSentences(say, web.config, choices, categories)}</em></p>
    <form method="post" action="${to('/admin/default-choice')}">
      <div class="choices">
        ${categories.map(({ slug, name }) => {
          const id = `default-${slug}`
          const value = choices[slug] ?? 'off'
          return html`<div class="choice">
            <label for="${id}">${name}</label>
            <select id="${id}" name="frequency[${slug}]">
              ${frequencyChoices.map(
                (one) =>
                  html`<option value="${one}" ${one === value ? html`selected` : ''}>
                    ${say(frequencyWords[one])}
                  </option>`,
              )}
            </select>
          </div>`
        })}
      </div>
      <p class="small">Nothing changes for those who are subscribed already.</p>
      <p class="buttons"><button class="main">Save default choice</button></p>
    </form>`
}
