// /privacy and /terms, where the site hasn't named pages of its own (PRIVACY_URL, TERMS_URL): what this program does with data,
// as far as it can speak for itself.

import type { RequestHandler } from 'express'
import { html } from '../html.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'

export function showPrivacy(web: WebContext): RequestHandler {
  const { site, retentionDays } = web.config
  return (_request, response) => {
    sendPage(response, web.config, {
      title: 'Privacy',
      kind: 'page',
      body: html`<h1>Privacy</h1>
        <p class="deck">What ${site.name} keeps when you subscribe to its newsletter, and for how long.</p>
        <h2 class="section-name">What we keep</h2>
        <p>
          Your e-mail address, the categories you chose and how often, your time zone, when you agreed to which words
          and from which internet address, and which stories you were sent, so that none comes twice.
        </p>
        <h2 class="section-name">What we don’t</h2>
        <p>
          We don’t know whether you open a mail or what you press in it: there are no pixels and no personal links to
          stories.
        </p>
        <h2 class="section-name">How long</h2>
        <p>
          A sign-up that isn’t confirmed is forgotten after seven days, and so is your former address after you changed
          it. What was sent is forgotten after ${retentionDays} days. The rest stays until you erase it, which you can
          do yourself from any mail: there you can also fetch all of it as a file, change it, or leave.
        </p>
        <p>Answerable: ${site.postalAddress}</p>`,
    })
  }
}

export function showTerms(web: WebContext): RequestHandler {
  return (_request, response) => {
    sendPage(response, web.config, {
      title: 'Terms',
      kind: 'page',
      body: html`<h1>Terms</h1>
        <p class="deck">
          The newsletter is free. You can leave at any time, with one press in every mail; we may end it at any time
          too.
        </p>
        <p>The stories belong to those who wrote them. ${web.config.site.disclaimer}</p>
        <p>${web.config.site.postalAddress}</p>`,
    })
  }
}
