// The sign-up form, on the front page, on other sites by /embed, and again with what was typed when something was wrong.

import type { Config } from '../../base/config.ts'
import type { Refusal } from '../../base/errors.ts'
import type { Category } from '../../db/schema.ts'
import { html, safeUrl, type Html, to } from '../html.ts'
import { frequencyRows, note, problemSummary, timezoneField, type Typed } from './fields.ts'

export interface SignupForm {
  categories: readonly Category[]
  typed: Typed
  refusal?: Refusal
  /** On another site: the page that it is on. The answer opens in a tab of its own. */
  embeddedIn?: string
}

export function signupForm(config: Config, form: SignupForm): Html {
  const { site, digest } = config
  const problems = form.refusal?.problems ?? []
  const of = (field: string) => problems.find((problem) => problem.field === field)
  const email = of('email')
  const frequency = of('frequency')
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
        maxlength="254"
        value="${form.typed.email ?? ''}"
        ${email ? html`aria-invalid="true" aria-describedby="email-problem"` : ''}
      />
      ${email && note(email, 'email-problem')}
    </div>
    <div class="hush" aria-hidden="true">
      <label for="website">Leave this empty</label>
      <input id="website" name="website" tabindex="-1" autocomplete="off" />
    </div>
    <div role="group" aria-labelledby="frequency" class="field">
      <p class="label" id="frequency">What should come, and how often?</p>
      ${frequency && note(frequency)} ${frequencyRows(form.categories, form.typed.frequency, { problems })}
      <p class="hint">
        One mail at a time: all that is due, at ${String(digest.hour).padStart(2, '0')}:00 your time. Nothing new, no
        mail.
      </p>
    </div>
    ${timezoneField(config, form.typed.timezone, of('timezone'))}
    ${form.embeddedIn !== undefined && html`<input type="hidden" name="form_url" value="${form.embeddedIn}" />`}
    <p class="statement">
      ${site.optInStatement} See the <a href="${safeUrl(site.privacyUrl)}" ${away(form)}>privacy policy</a> and the
      <a href="${safeUrl(site.termsUrl)}" ${away(form)}>terms</a>.
    </p>
    <p><button type="submit" class="main">Subscribe</button></p>
  </form>`
}

const away = (form: SignupForm) => (form.embeddedIn === undefined ? '' : html`target="_blank" rel="noopener"`)
