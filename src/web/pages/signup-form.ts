// The sign-up form, on the front page, on other sites by /embed, and again with what was typed when something was wrong. An address
// is enough: the rest has the site's default choice, and is folded away.

import type { Config } from '../../base/config.ts'
import type { FieldProblem, Refusal } from '../../base/errors.ts'
import type { SiteTexts } from '../../articles/site-texts.ts'
import type { Category } from '../../db/schema.ts'
import type { Say } from '../../messages/messages.ts'
import type { Choices } from '../../subscribers/choices.ts'
import { html, type Html, type HtmlValue, safeUrl, to } from '../html.ts'
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
  /** The opt-in statement, and the language that it is written in. */
  statement: SiteTexts['optInStatement']
  typed: Typed
  refusal?: Refusal
  /** On another site: the page that it is on. The answer opens in a tab of its own. */
  embeddedIn?: string
}

export function signupForm(say: Say, config: Config, form: SignupForm): Html {
  const { typed, categories, statement } = form
  const link = (url: string) => (within: HtmlValue) => html`<a href="${safeUrl(url)}" ${away(form)}>${within}</a>`
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
    ${form.refusal && problemSummary(say, form.refusal)}
    <div class="field">
      <label for="email">${say('form.email')}</label>
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
      ${email && note(say, email, 'email-problem')}
      <p class="hint" id="default-choice">
        ${choiceSentences(say, config, form.usual, categories)} ${say('form.canChange')}
      </p>
    </div>
    <div class="hush" aria-hidden="true">
      <label for="website">${say('form.leaveEmpty')}</label>
      <input id="website" name="website" tabindex="-1" autocomplete="off" />
    </div>
    ${choiceFields(say, categories, choice, { problems, isOpen: !isUsual(choice, form.usual) })}
    ${zoneFields(say, config, typed.timezone, problems)}
    ${form.embeddedIn !== undefined && html`<input type="hidden" name="form_url" value="${form.embeddedIn}" />`}
    <p class="statement">
      <span lang="${statement.language}" dir="auto">${statement.text}</span>
      ${say.rich('form.seePolicies', { privacy: link(config.site.privacyUrl), terms: link(config.site.termsUrl) })}
    </p>
    <p><button type="submit" class="main">${say('form.subscribe')}</button></p>
  </form>`
}

/** "At 07:00, Berlin time (change)". */
function zoneFields(say: Say, config: Config, typed: string | undefined, problems: readonly FieldProblem[]): Html {
  const { hour, timezone } = config.digest
  const problem = problems.find(({ field }) => field === 'timezone')
  return html`<details class="more" ${problem && html`open`}>
    <summary>
      ${say.rich<Html>('form.atHour', {
        time: clockHour(say, hour),
        place: zoneName(say, typed || timezone),
        zone: (within) => html`<span data-zone-name="${zoneName(say, 'x/{place}')}">${within}</span>`,
        change: (within) => html`<span class="change">${within}</span>`,
      })}
    </summary>
    ${timezoneField(say, config, typed ?? '', problem, { isGuessed: typed === undefined })}
    <p class="hint">${say('form.oneMail')}</p>
  </details>`
}

const away = (form: SignupForm) => (form.embeddedIn === undefined ? '' : html`target="_blank" rel="noopener"`)
