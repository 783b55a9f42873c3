// What is done once from the preferences page: unsubscribe, move to another address, take the data along, end links, erase. What
// shows everything, or can't be undone, asks for a link of the last day: an older one may be in many hands.

import type { Context } from '../../db/context.ts'
import { unsubscribeToken } from '../../subscribers/links.ts'
import { html, type Html, to } from '../html.ts'
import { note } from './fields.ts'
import { oneButton } from './links.ts'
import { type PreferencesView, problemOf, tokenField } from './preferences-view.ts'

/** One button, and beside it what may be enough. Those save what was edited above, too: they belong to that form. */
export function unsubscribeSection(ctx: Context, { subscriber, typed }: PreferencesView): Html {
  const hasDaily = Object.values(typed.frequency).includes('daily')
  return html`<section>
    <h2 class="section-name">Unsubscribe</h2>
    <p>You won’t receive any more digests. You can undo it for thirty days.</p>
    <div class="beside">
      ${oneButton('/unsubscribe', unsubscribeToken(ctx.config, subscriber.id), 'Unsubscribe', { isQuiet: true })}
      <div>
        <p class="hint">Or would this be enough?</p>
        <ul class="plain-list">
          ${hasDaily && html`<li><button form="preferences" name="instead" value="weekly" class="link">Weekly instead of daily</button></li>`}
          <li><a href="#frequency">Fewer categories</a></li>
          <li><button form="preferences" name="instead" value="pause-4" class="link">Pause for four weeks</button></li>
        </ul>
      </div>
    </div>
  </section>`
}

/** Offered in every state: they are rights. */
export function onceSections(view: PreferencesView): Html {
  const isActive = view.subscriber.status === 'active'
  if (!view.isFresh)
    return html`<section>
        <h2 class="section-name">${isActive && 'Your address and '}${isActive ? 'your data' : 'Your data'}</h2>
        <p>${needsFreshLink}</p>
        ${oneButton('/preferences/link', view.token, 'Mail me a new link', { isQuiet: true })}
      </section>
      ${endLinks(view)}`
  return html`${isActive && addressSection(view)}
    <section>
      <h2 class="section-name">My data</h2>
      <p>
        <a href="${to(`/preferences/data?token=${view.token}`)}" download>Download everything we keep about you</a> as a
        file (JSON).
      </p>
    </section>
    ${endLinks(view)} ${eraseSection(view)}`
}

export const needsFreshLink =
  'To change your address, download your data or erase it, open a link that is less than a day old. This one is older.'

function addressSection(view: PreferencesView): Html {
  const problem = problemOf(view, 'new_email')
  return html`<section>
    <h2 class="section-name">Change your address</h2>
    <form method="post" action="${to('/preferences/address')}" novalidate>
      ${tokenField(view)}
      <div class="field">
        <label for="new_email">New address</label>
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
        ${problem && note(problem, 'new_email-problem')}
        <p class="hint">
          We send a mail to the new address. Nothing changes until its button is pressed. Then your present address is
          told.
        </p>
      </div>
      <p><button type="submit" class="quiet">Change my address</button></p>
    </form>
  </section>`
}

function endLinks(view: PreferencesView): Html {
  return html`<section>
    <h2 class="section-name">Older links</h2>
    <p>
      Does somebody else have one of our mails? This ends the links in all of them, and this page’s link. Unsubscribe
      links keep working. We mail you a new link.
    </p>
    ${oneButton('/preferences/end-links', view.token, 'End all older links', { isQuiet: true })}
  </section>`
}

function eraseSection(view: PreferencesView): Html {
  const problem = problemOf(view, 'erase')
  return html`<section>
    <h2 class="section-name">Erase my data</h2>
    <form method="post" action="${to('/preferences/erase')}">
      ${tokenField(view)}
      <p>This deletes your address, your choices and the list of mails that we sent you. It can’t be undone.</p>
      <p class="check">
        <input
          type="checkbox"
          id="erase"
          name="erase"
          value="yes"
          ${problem && html`aria-invalid="true" aria-describedby="erase-problem"`}
        />
        <label for="erase">Yes, erase everything about me</label>
      </p>
      ${problem && note(problem, 'erase-problem')}
      <p><button type="submit" class="quiet">Erase my data</button></p>
    </form>
  </section>`
}
