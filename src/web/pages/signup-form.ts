// The sign-up form, on the front page, on other sites by /embed, and again with what was typed when something was wrong. An address
// is enough: the rest has the site's default choice, and is folded away.

import type { Config } from '../../base/config.ts'
import type { FieldProblem, Refusal } from '../../base/errors.ts'
import type { Category } from '../../db/schema.ts'
import type { Choices } from '../../subscribers/choices.ts'
import { html, safeUrl, type Html, to } from '../html.ts'
import { choiceFields } from './choice-fields.ts'
import { note, problemSummary, timezoneField } from './fields.ts'
import { isUsual, typedAs, type Typed } from './typed.ts'
import { choiceSentences, clockHour } from './words.ts'
import { zoneName } from './zones.ts'

/** What makes the form more comfortable. Without them it works as well. */
export const signupScripts = ['timezone.js', 'signup.js'] as const

export interface SignupForm {
  categories: readonly Category[]
  /** The site's default choice. */
  usual: Choices
  typed: Typed
  refusal?: Refusal
  /** On another site: the page that it is on. The answer opens in a tab of its own. */
  embeddedIn?: string
}

export function signupForm(config: Config, form: SignupForm): Html {
  const { site } = config
  const { typed, categories } = form
  const usual = typedAs(form.usual)
  const choice = { ...(typed.choice ?? usual) }
  choice.frequencyForAll ||= usual.frequencyForAll
  const problems = form.refusal?.problems ?? []
  const email = problems.find((problem) => problem.field === 'email')
  const describedBy = email ? 'email-problem default-choice' : 'default-choice'
  return html`<form
    class="signup"
    method="post"
    action="${to('/subscribe')}"
    novalidate
    ${form.embeddedIn === undefined ? '' : html`target="_blank"`}
  >
    ${form.refusal && problemSummary(form.refusal.message, problems)}
    <div class="field">
      <label for="email">Your e-mail address</label>
      <input
        id="email"
        name="email"
        type="email"
        autocomplete="email"
        inputmode="email"
        required
        maxlength="320"
        value="${typed.email ?? ''}"
        aria-describedby="${describedBy}"
        ${email ? html`aria-invalid="true"` : ''}
      />
      ${email && note(email, 'email-problem')}
      <p class="hint" id="default-choice">
        ${choiceSentences(config, form.usual, categories)} You can change this now or later.
      </p>
    </div>
    <div class="hush" aria-hidden="true">
      <label for="website">Leave this empty</label>
      <input id="website" name="website" tabindex="-1" autocomplete="off" />
    </div>
    ${choiceFields(categories, choice, { problems, isOpen: !isUsual(choice, form.usual) })}
    ${zoneFields(config, typed.timezone, problems)}
    ${form.embeddedIn !== undefined && html`<input type="hidden" name="form_url" value="${form.embeddedIn}" />`}
    <p class="statement">
      ${site.optInStatement} See the <a href="${safeUrl(site.privacyUrl)}" ${away(form)}>privacy policy</a> and the
      <a href="${safeUrl(site.termsUrl)}" ${away(form)}>terms</a>.
    </p>
    <p><button type="submit" class="main">Subscribe</button></p>
  </form>`
}

/** "At 07:00, Berlin time (change)". */
function zoneFields(config: Config, typed: string | undefined, problems: readonly FieldProblem[]): Html {
  const { hour, timezone } = config.digest
  const problem = problems.find(({ field }) => field === 'timezone')
  return html`<details class="more" ${problem && html`open`}>
    <summary>
      At ${clockHour(hour)}, <span data-zone-name>${zoneName(typed || timezone)}</span>
      <span class="change">(change)</span>
    </summary>
    ${timezoneField(config, typed ?? '', problem, { isGuessed: typed === undefined })}
    <p class="hint">One mail at a time, with all that is due. Nothing new, no mail.</p>
  </details>`
}

const away = (form: SignupForm) => (form.embeddedIn === undefined ? '' : html`target="_blank" rel="noopener"`)
