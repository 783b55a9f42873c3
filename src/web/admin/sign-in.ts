// The only console pages without a session: request a link, and use one. The link's GET shows one button, its POST signs in. The
// response to a request, and its time, are the same for every address. A place with too many requests is refused.

import type { Router } from 'express'
import { endSession } from '../../access/sessions.ts'
import { checkLink, requestLink, signIn } from '../../access/sign-in.ts'
import { takePlace } from '../../db/rate-limits.ts'
import { findSendingHold, holdSentence, type SendingHold } from '../../delivery/sending-hold.ts'
import { answerEvenly, startEvenly } from '../even-time.ts'
import { field, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { clearSessionCookie, sessionToken, setSessionCookie } from './guard.ts'
import { consoleFrame } from './layout.ts'
import { seeOther, sendHtml } from '../place.ts'

export function mountSignIn(router: Router, web: WebContext): void {
  const { config } = web
  const page = (title: string, body: Html) =>
    consoleFrame(
      web,
      { title },
      html`<main id="main" class="door">
        <h1>${title}</h1>
        ${body}
      </main>`,
    )

  router.get('/sign-in', async (request, response) => {
    const { token } = request.query
    if (token === undefined) return sendHtml(response, page('Sign in', askForm()))
    const link = await checkLink(web, token)
    if (link !== 'usable') return sendHtml(response.status(410), page('This link is over', overBody(link)))
    sendHtml(response, page(`Sign in to ${config.site.name}`, pressForm(String(token))))
  })

  router.post('/sign-in', readForm, async (request, response) => {
    const result = await signIn(web, field(request, 'token'))
    if (result.outcome !== 'signed-in')
      return sendHtml(response.status(410), page('This link is over', overBody(result.outcome)))
    const former = sessionToken(config, request)
    if (former) await endSession(web.db, former)
    setSessionCookie(web, response, result.session)
    seeOther(response, '/admin')
  })

  router.post('/sign-in/link', startEvenly, readForm, async (request, response) => {
    await takePlace(web, 'sign-in', request.ip ?? null)
    await requestLink(web, field(request, 'email') ?? '')
    await answerEvenly(web, request)
    seeOther(response, '/admin/sign-in/check-your-mail')
  })

  router.get('/sign-in/check-your-mail', async (_request, response) => {
    const hold = await findSendingHold(web.db)
    sendHtml(response, page('Check your mail', checkMail(config.trial, hold)))
  })

  router.post('/sign-out', async (request, response) => {
    const token = sessionToken(config, request)
    if (token) await endSession(web.db, token)
    clearSessionCookie(config, response)
    seeOther(response, '/admin/sign-in')
  })
}

const askForm = (): Html =>
  html`<p>We mail you a link that signs you in once.</p>
    <form method="post" action="${to('/admin/sign-in/link')}">
      <label for="email">Your e-mail address</label>
      <input id="email" name="email" type="email" autocomplete="email" required maxlength="254" />
      <p class="buttons"><button class="main">Mail me a link</button></p>
    </form>
    <p class="small">
      Not an editor yet? Whoever runs this site makes you one:
      <code>npm run -s cli -- admin create you@example.org</code>
    </p>`

const pressForm = (token: string): Html =>
  html`<p>One press, and you are in. The link works once.</p>
    <form method="post" action="${to('/admin/sign-in')}">
      <input type="hidden" name="token" value="${token}" />
      <p class="buttons"><button class="main">Sign in</button></p>
    </form>`

const overBody = (why: 'used' | 'expired'): Html =>
  html`<p>
      ${why === 'used' ? 'It has been used, and works only once.' : 'It has expired, or was cut off on its way.'} Here
      is how to get a fresh one.
    </p>
    ${askForm()}`

const checkMail = (isTrial: boolean, hold: SendingHold | null): Html =>
  html`<p>
      If the address is an editor’s, a link is on its way. It works once, within 30 minutes. Nothing there? Look among
      the junk, or <a href="${to('/admin/sign-in')}">ask again</a>.
    </p>
    ${
      hold &&
      html`<p>
        ${holdSentence(hold)} The command <code>npm run -s cli -- admin create ADDRESS</code> prints a link meanwhile.
      </p>`
    }
    ${isTrial && html`<p>This is a trial: mail arrives in <a href="${to('/mailbox')}">its own mailbox</a>.</p>`}`
