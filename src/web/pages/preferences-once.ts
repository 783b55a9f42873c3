// What is done once from the preferences page: unsubscribe, move to another address, take the data along, end links, erase. What
// shows everything, or can't be undone, asks for a link of the last day: an older one may be in many hands.

import type { Context } from '../../db/context.ts'
import { unsubscribeToken } from '../../subscribers/links.ts'
import { html, type Html, to } from '../html.ts'
import { note } from './fields.ts'
import { oneButton } from './links.ts'
import { type PreferencesView, problemOf, tokenField } from './preferences-view.ts'

/** One button, and beside it what may be enough. Those save what was edited above, too: they belong to that form. */
export function unsubscribeSection(ctx: Context, { say, subscriber, typed }: PreferencesView): Html {
  const hasDaily = Object.values(typed.frequency).includes('daily')
  return html`<section>
    <h2 class="section-name">${say('preferences.unsubscribe')}</h2>
    <p>${say('preferences.unsubscribeWhat')}</p>
    <div class="beside">
      ${oneButton('/unsubscribe', unsubscribeToken(ctx.config, subscriber.id), say('preferences.unsubscribe'), { isQuiet: true })}
      <div>
        <p class="hint">${say('preferences.enough')}</p>
        <ul class="plain-list">
          ${hasDaily && html`<li><button form="preferences" name="instead" value="weekly" class="link">${say('preferences.weeklyInstead')}</button></li>`}
          <li><a href="#frequency">${say('preferences.fewer')}</a></li>
          <li>
            <button form="preferences" name="instead" value="pause-4" class="link">
              ${say('preferences.pauseFour')}
            </button>
          </li>
        </ul>
      </div>
    </div>
  </section>`
}

/** Offered in every state: they are rights. */
export function onceSections(view: PreferencesView): Html {
  const { say } = view
  const isActive = view.subscriber.status === 'active'
  if (!view.isFresh)
    return html`<section>
        <h2 class="section-name">${say(isActive ? 'preferences.addressAndData' : 'preferences.yourData')}</h2>
        <p>${say('preferences.needsFreshLink')}</p>
        ${oneButton('/preferences/link', view.token, say('common.mailNewLink'), { isQuiet: true })}
      </section>
      ${endLinks(view)}`
  return html`${isActive && addressSection(view)}
    <section>
      <h2 class="section-name">${say('preferences.myData')}</h2>
      <p>
        ${say.rich('preferences.download', {
          a: (within) => html`<a href="${to(`/preferences/data?token=${view.token}`)}" download>${within}</a>`,
        })}
      </p>
    </section>
    ${endLinks(view)} ${eraseSection(view)}`
}

function addressSection(view: PreferencesView): Html {
  const { say } = view
  const problem = problemOf(view, 'new_email')
  return html`<section>
    <h2 class="section-name">${say('preferences.changeAddress')}</h2>
    <form method="post" action="${to('/preferences/address')}" novalidate>
      ${tokenField(view)}
      <div class="field">
        <label for="new_email">${say('form.labelNewEmail')}</label>
        <input
          id="new_email"
          name="new_email"
          type="email"
          autocomplete="email"
          maxlength="254"
          value="${view.typed.new_email}"
          required
          ${problem && html`aria-invalid="true" aria-describedby="new_email-problem"`}
        />
        ${problem && note(say, problem, 'new_email-problem')}
        <p class="hint">${say('preferences.changeAddressHint')}</p>
      </div>
      <p><button type="submit" class="quiet">${say('preferences.changeMyAddress')}</button></p>
    </form>
  </section>`
}

function endLinks(view: PreferencesView): Html {
  const { say } = view
  return html`<section>
    <h2 class="section-name">${say('preferences.olderLinks')}</h2>
    <p>${say('preferences.olderLinksWhat')}</p>
    ${oneButton('/preferences/end-links', view.token, say('preferences.endLinks'), { isQuiet: true })}
  </section>`
}

function eraseSection(view: PreferencesView): Html {
  const { say } = view
  const problem = problemOf(view, 'erase')
  return html`<section>
    <h2 class="section-name">${say('preferences.eraseTitle')}</h2>
    <form method="post" action="${to('/preferences/erase')}">
      ${tokenField(view)}
      <p>${say('preferences.eraseWhat')}</p>
      <p class="check">
        <input
          type="checkbox"
          id="erase"
          name="erase"
          value="yes"
          ${problem && html`aria-invalid="true" aria-describedby="erase-problem"`}
        />
        <label for="erase">${say('preferences.eraseYes')}</label>
      </p>
      ${problem && note(say, problem, 'erase-problem')}
      <p><button type="submit" class="quiet">${say('preferences.eraseTitle')}</button></p>
    </form>
  </section>`
}
