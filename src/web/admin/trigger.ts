// Sending by hand: a digest of chosen categories, or an announcement. Choose, look at how many it reaches, confirm.

import type { Request, Router } from 'express'
import { randomSecret } from '../../base/tokens.ts'
import { listCategories } from '../../articles/store.ts'
import { previewAnnouncement } from '../../digests/preview.ts'
import { triggerAnnouncement, triggerDigest } from '../../digests/trigger.ts'
import { field, fieldList, readForm } from '../forms.ts'
import { html, type Html } from '../html.ts'
import { countAnnouncementAudience, manualAudience } from '../reads/audience.ts'
import type { WebContext } from '../web-context.ts'
import { wakeTick } from '../wake.ts'
import { categoriesOf, categoryBoxes, categoryQuery, hiddenCategories, queryCategories } from './category-choice.ts'
import { sendConfirmation } from './confirm.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { sendMailHtml } from './mail-frame.ts'
import { count, empty } from './parts.ts'

export function mountTrigger(router: Router, web: WebContext): void {
  router.get('/trigger', async (request, response) => {
    const categories = await listCategories(web.db)
    sendConsole(request, response, web, {
      section: 'editions',
      title: 'Send a digest now',
      back: ['Editions', '/admin/editions'],
      body:
        categories.length === 0
          ? empty('There is no category yet.', html`<p><a href="/admin/categories">Add one first.</a></p>`)
          : html`<p>
                It goes to everyone who subscribes to one of these categories, whatever their frequency. Each gets only
                what they haven’t had; who has had everything gets nothing.
              </p>
              <form method="get" action="/admin/trigger/confirm">
                <fieldset>
                  <legend>Categories</legend>
                  ${categoryBoxes(
                    categories,
                    categories.map((category) => category.slug),
                  )}
                </fieldset>
                <p class="buttons"><button class="main">See whom it reaches</button></p>
              </form>`,
    })
  })

  router.get('/trigger/confirm', async (request, response) => {
    const offered = await listCategories(web.db)
    const ticked = queryCategories(request)
    if (ticked.length === 0) return response.redirect(303, '/admin/trigger')
    const chosen = categoriesOf(ticked, offered)
    const isAll = chosen.length === offered.length
    const audience = await manualAudience(web, isAll ? null : chosen.map((category) => category.id))
    const slugs = isAll ? [] : ticked
    const names = isAll ? 'all categories' : chosen.map((category) => category.name).join(', ')
    if (audience === null) {
      response.set('Refresh', '1')
      return sendConsole(request, response, web, {
        section: 'editions',
        title: 'Counting…',
        back: ['Choose again', '/admin/trigger'],
        body: html`<p role="status">
          Counting how many subscribers a digest of ${names} reaches. This page reloads by itself.
        </p>`,
      })
    }
    if (audience === 0)
      return sendConsole(request, response, web, {
        section: 'editions',
        title: 'Nobody to send it to',
        back: ['Choose again', '/admin/trigger'],
        body: empty(
          `Nobody who can be mailed now subscribes to ${isAll ? 'a category' : names}.`,
          html`<p>Who is unsubscribed, paused, or has a digest that is still open is left out.</p>`,
        ),
      })
    sendConfirmation(request, response, web, {
      section: 'editions',
      title: 'Send it now?',
      explanation: html`<p class="large">A digest of <b>${names}</b>, to <b>${count(audience, 'subscriber')}</b>.</p>
        <p>
          Who has had all of its stories gets no mail, and is counted as “nothing new”.
          <a href="/admin/preview?${categoryQuery(slugs)}">Preview it first</a>.
        </p>`,
      post: '/admin/trigger',
      fields: html`${hiddenCategories(slugs)} ${hiddenOnce()} ${retryWindow(web)}`,
      button: `Send to ${count(audience, 'subscriber')}`,
      back: ['Choose again', '/admin/trigger'],
    })
  })

  router.post('/trigger', readForm, async (request, response) => {
    const edition = await triggerDigest(web, {
      categories: fieldList(request, 'categories'),
      retryHours: retryHoursOf(request),
      requestKey: requestKeyOf(request),
      actor: actorOf(request),
    })
    await wakeTick(web)
    response.redirect(303, `/admin/editions/${edition.id}?done=triggered`)
  })

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

  // Nothing is kept between writing and confirming, so the draft travels in the form; this POST changes nothing.
  router.post('/announcement/confirm', readForm, async (request, response) => {
    const subject = (field(request, 'subject') ?? '').trim()
    const body = (field(request, 'body') ?? '').trim()
    const draft = html`<input type="hidden" name="subject" value="${subject}" />
      <textarea name="body" hidden>${body}</textarea>`
    if (field(request, 'step') === 'edit' || !subject || !body)
      return sendConsole(request, response, web, {
        section: 'editions',
        title: 'Announcement',
        back: ['Editions', '/admin/editions'],
        body: announcementForm(subject, body),
      })
    const audience = await countAnnouncementAudience(web)
    const preview = await previewAnnouncement(web, { subject, body })
    const change = html`<button formaction="/admin/announcement/confirm" name="step" value="edit">
      Change the text
    </button>`
    const look = html`<button formaction="/admin/announcement/mail" formtarget="_blank">Look at it as a mail</button>`
    sendConsole(request, response, web, {
      section: 'editions',
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
          <form method="post" action="/admin/announcement">
            ${draft} ${hiddenOnce()} ${audience > 0 && retryWindow(web)}
            <p class="buttons">
              ${audience > 0 && html`<button class="main">Send to ${count(audience, 'subscriber')}</button>`} ${change}
              ${look}
            </p>
          </form>
        </div>
        <h2>As it will read</h2>
        <pre class="mail" tabindex="0">${preview.text}</pre>`,
    })
  })

  // A draft is too long for an address, so this is a POST; it changes nothing.
  router.post('/announcement/mail', readForm, async (request, response) => {
    const draft = { subject: field(request, 'subject') ?? '', body: field(request, 'body') ?? '' }
    sendMailHtml(response, (await previewAnnouncement(web, draft)).html)
  })

  router.post('/announcement', readForm, async (request, response) => {
    const edition = await triggerAnnouncement(web, {
      subject: field(request, 'subject') ?? '',
      body: field(request, 'body') ?? '',
      retryHours: retryHoursOf(request),
      requestKey: requestKeyOf(request),
      actor: actorOf(request),
    })
    await wakeTick(web)
    response.redirect(303, `/admin/editions/${edition.id}?done=triggered`)
  })
}

/** Names this page: its button pressed twice is one wish. */
const hiddenOnce = (): Html => html`<input type="hidden" name="once" value="${randomSecret()}" />`

function requestKeyOf(request: Request): string | undefined {
  const once = field(request, 'once')
  return once ? `${actorOf(request)} ${once.slice(0, 100)}` : undefined
}

/** Blank: the site's window. */
function retryHoursOf(request: Request): number | undefined {
  const text = (field(request, 'retryHours') ?? '').trim()
  return text === '' ? undefined : Number(text)
}

const retryWindow = ({ config }: WebContext): Html =>
  html`<label for="retryHours">Hours to try again where a mail is put off</label>
    <input
      id="retryHours"
      name="retryHours"
      type="number"
      min="1"
      max="${config.mail.retryHours}"
      placeholder="${config.mail.retryHours}"
    />
    <p class="hint">After that it is given up. Blank: ${config.mail.retryHours}, as everywhere.</p>`

const announcementForm = (subject: string, body: string): Html =>
  html`<form method="post" action="/admin/announcement/confirm">
    <label for="subject">Subject</label>
    <input id="subject" name="subject" required maxlength="200" value="${subject}" />
    <label for="body">Text</label>
    <textarea id="body" name="body" required maxlength="20000" rows="12">${body}</textarea>
    <p class="hint">Plain text; a blank line begins a paragraph, web addresses become links.</p>
    <p class="buttons"><button class="main">See whom it reaches</button></p>
  </form>`
