// An announcement: a letter in an editor's own words, in Markdown. Write it, see the mail and how many people it reaches, confirm.

import type { Router } from 'express'
import { checkAnnouncement } from '../../digests/announce.ts'
import { htmlLimit } from '../../digests/layout.ts'
import { previewAnnouncement } from '../../digests/preview.ts'
import { triggerAnnouncement } from '../../planning/trigger.ts'
import { field, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import { countAnnouncementAudience } from '../reads/audience.ts'
import type { WebContext } from '../web-context.ts'
import { hiddenOnce, retryWindow, sendByHand } from './by-hand.ts'
import { sendConsole } from './layout.ts'
import { sendMailHtml } from './mail-frame.ts'
import { count, number } from './parts.ts'

export function mountAnnouncement(router: Router, web: WebContext): void {
  router.get('/announcement', (request, response) => {
    sendConsole(request, response, web, {
      section: 'editions',
      title: 'Announcement',
      back: ['Editions', '/admin/editions'],
      body: html`<p>
          A letter in your own words, once, to every active subscriber who hasn’t paused. It carries the same footer and
          unsubscribe link as a digest.
        </p>
        ${announcementForm('', '')}`,
    })
  })

  // Nothing is stored between writing and confirming, so the draft is in the form; this POST changes nothing.
  router.post('/announcement/confirm', readForm, async (request, response) => {
    const subject = (field(request, 'subject') ?? '').trim()
    const body = (field(request, 'body') ?? '').trim()
    if (field(request, 'step') === 'edit' || !subject || !body)
      return sendConsole(request, response, web, {
        section: 'editions',
        title: 'Announcement',
        back: ['Editions', '/admin/editions'],
        body: announcementForm(subject, body),
      })
    checkAnnouncement(web.config, body)
    const audience = await countAnnouncementAudience(web)
    const preview = await previewAnnouncement(web, { subject, body })
    const change = html`<button formaction="${to('/admin/announcement/confirm')}" name="step" value="edit">
      Change the text
    </button>`
    // With script it fills the frame below by itself.
    const look = html`<button
      formaction="${to('/admin/announcement/mail')}"
      formtarget="_blank"
      data-frame="announcement-mail"
    >
      Look at it as a mail
    </button>`
    sendConsole(request, response, web, {
      section: 'editions',
      scripts: ['announcement.js'],
      title: audience === 0 ? 'Nobody to send it to' : 'Send this announcement?',
      back: ['Editions', '/admin/editions'],
      body: html`<div class="confirmation">
          ${
            audience === 0
              ? html`<p class="large">No subscriber is active now, or all have paused.</p>`
              : html`<p class="large">
                  “${subject}”, to <b>${count(audience, 'subscriber')}</b>. It can be paused, but what is sent is sent.
                </p>`
          }
          <form method="post" action="${to('/admin/announcement')}">
            ${hiddenDraft(subject, body)} ${hiddenOnce()} ${audience > 0 && retryWindow(web)}
            <p class="buttons">
              ${audience > 0 && html`<button class="main">Send to ${count(audience, 'subscriber')}</button>`} ${change}
              ${look}
            </p>
          </form>
        </div>
        <p class="small">${number(preview.htmlBytes)} bytes of HTML, of ${number(htmlLimit)} at most</p>
        <iframe class="mail" name="announcement-mail" title="The mail as HTML" sandbox="" hidden></iframe>
        <h2>Plain text</h2>
        <pre class="mail" tabindex="0">${preview.text}</pre>`,
    })
  })

  // A draft is too long for an address, so this is a POST; it changes nothing.
  router.post('/announcement/mail', readForm, async (request, response) => {
    const draft = { subject: field(request, 'subject') ?? '', body: field(request, 'body') ?? '' }
    sendMailHtml(response, (await previewAnnouncement(web, draft)).html)
  })

  router.post('/announcement', readForm, async (request, response) => {
    const subject = field(request, 'subject') ?? ''
    const body = field(request, 'body') ?? ''
    await sendByHand(request, response, web, {
      path: '/admin/announcement',
      send: (how) => triggerAnnouncement(web, { subject, body, ...how }),
      what: `“${subject}”`,
      fields: hiddenDraft(subject, body),
      back: ['Announcement', '/admin/announcement'],
    })
  })
}

const hiddenDraft = (subject: string, body: string): Html =>
  html`<input type="hidden" name="subject" value="${subject}" /> <textarea name="body" hidden>${body}</textarea>`

/** What an editor types, and what the mail shows. */
const examples = [
  ['**[Read the report](https://…)**', 'a button: a paragraph that is only one link in bold'],
  ['[the report](https://…)', 'a link: https, http or mailto'],
  ['![What it shows](https://…/picture.jpg)', 'a picture, as wide as the mail'],
  ['![What it shows](https://…/picture.jpg "600x400")', 'a picture of 600 by 400 pixels'],
  ['## Heading', 'a heading'],
  ['**bold**, *italic*', 'bold, italic'],
  ['- item', 'a list; 1. for a numbered one'],
  ['> words', 'a quotation'],
  ['---', 'a rule'],
] as const

const announcementForm = (subject: string, body: string): Html =>
  html`<form method="post" action="${to('/admin/announcement/confirm')}">
    <label for="subject">Subject</label>
    <input id="subject" name="subject" required maxlength="200" value="${subject}" />
    <label for="body">Text</label>
    <textarea id="body" name="body" required maxlength="20000" rows="16" aria-describedby="body-hint">${body}</textarea>
    <div class="hint" id="body-hint">
      <p>
        A blank line begins a paragraph, and web addresses become links. You can also use
        <b>Markdown</b>:
      </p>
      <table>
        ${examples.map(
          ([typed, meaning]) =>
            html`<tr>
              <td><code>${typed}</code></td>
              <td>${meaning}</td>
            </tr>`,
        )}
      </table>
    </div>
    <p class="buttons"><button class="main">See whom it reaches</button></p>
  </form>`
