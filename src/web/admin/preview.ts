// A preview of the next digest (or an edition): for a new subscriber of chosen categories, or for one subscriber. The mail is
// shown in a sandboxed frame whose own address allows only styles and pictures.

import type { Request, Router } from 'express'
import { audit } from '../../access/audit.ts'
import { listCategories } from '../../articles/store.ts'
import type { EmailAddress } from '../../base/email-address.ts'
import { invalid, Refusal } from '../../base/errors.ts'
import { type DigestView, testSend } from '../../digests/preview.ts'
import { htmlLimit } from '../../digests/layout.ts'
import { readAddress } from '../../subscribers/subscribe.ts'
import { findSuppression } from '../../subscribers/standing.ts'
import { field, fieldList, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import { previewOf, testViewOf } from '../reads/previews.ts'
import { findShownSubscriber, findSubscribersByAddress } from '../reads/subscribers.ts'
import type { WebContext } from '../web-context.ts'
import { categoryBoxes, categoryQuery, hiddenCategories, queryCategories } from './category-choice.ts'
import { sendConfirmation } from './confirm.ts'
import { actorOf, editorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { sendMailHtml } from './mail-frame.ts'
import { count, empty, facts, number } from './parts.ts'
import { noticeOf, queryText } from './query.ts'
import { seeOther } from '../place.ts'

interface Looked extends DigestView {
  editionId: number | null
  subscriberId: number | null
  categories: string[]
}

export function mountPreview(router: Router, web: WebContext): void {
  router.get('/preview', async (request, response) => {
    const view = await readView(web, request)
    const preview = await previewOf(web, view)
    const categories = await listCategories(web.db)
    const subscriber = view.subscriberId ? await findShownSubscriber(web, view.subscriberId) : undefined
    const query = viewQuery(view)
    sendConsole(request, response, web, {
      section: 'editions',
      title: view.editionId ? `Preview of edition ${view.editionId}` : 'Preview of the next digest',
      back: view.editionId ? ['The edition', `/admin/editions/${view.editionId}`] : ['Editions', '/admin/editions'],
      notice: noticeOf(request, { test: 'The test mail is queued.' }),
      body: html`<div class="two">
          <form method="get" action="${to('/admin/preview')}">
            ${view.editionId && html`<input type="hidden" name="edition" value="${view.editionId}" />`}
            <fieldset>
              <legend>As a new subscriber of</legend>
              ${categoryBoxes(categories, view.subscriberId ? [] : view.categories.length ? view.categories : categories.map((each) => each.slug))}
            </fieldset>
            <label for="email">or as this subscriber</label>
            <input id="email" name="email" type="email" value="${subscriber?.email ?? ''}" placeholder="address" />
            <p class="buttons"><button>Show</button></p>
          </form>
          ${
            preview !== null &&
            html`<form method="get" action="${to('/admin/test-send')}">
              ${viewFields(view)}
              <label for="to">Send it to one address, as a test</label>
              <input id="to" name="to" type="email" required value="${editorOf(request).email}" />
              <p class="hint">Its links belong to nobody, and nothing counts as read.</p>
              <p class="buttons"><button>Send a test…</button></p>
            </form>`
          }
        </div>
        ${
          preview === null
            ? empty('There is nothing new to show: no story that this reader hasn’t had.')
            : html`${facts([
                  ['Subject', preview.subject],
                  ['Stories', count(preview.articleIds.length, 'story', 'stories')],
                  ['Size', html`${number(preview.htmlBytes)} bytes of HTML, of ${number(htmlLimit)} at most`],
                ])}
                <h2>HTML</h2>
                <iframe
                  class="mail"
                  title="The mail as HTML"
                  sandbox=""
                  src="${to(`/admin/preview/mail?${query}`)}"
                ></iframe>
                <h2>Plain text</h2>
                <pre class="mail" tabindex="0">${preview.text}</pre>`
        }`,
    })
  })

  router.get('/preview/mail', async (request, response) => {
    const preview = await previewOf(web, await readView(web, request))
    sendMailHtml(response, preview?.html ?? '')
  })

  router.get('/test-send', async (request, response) => {
    const view = await readView(web, request)
    const address = readAddress(queryText(request, 'to'), 'to')
    const { email } = address
    await refuseUnsendable(web, view, address)
    sendConfirmation(request, response, web, {
      section: 'editions',
      title: 'Send a test?',
      explanation: html`<p>One mail to <b>${email}</b>, with “[Test]” before its subject.</p>`,
      fields: html`${viewFields(view)}<input type="hidden" name="to" value="${email}" />`,
      post: '/admin/test-send',
      button: 'Send the test',
      back: ['Preview', `/admin/preview?${viewQuery(view)}`],
    })
  })

  router.post('/test-send', readForm, async (request, response) => {
    const address = readAddress(field(request, 'to'), 'to')
    const view: Looked = {
      editionId: wholeNumber('edition', field(request, 'edition')),
      subscriberId: wholeNumber('subscriber', field(request, 'subscriber')),
      categories: fieldList(request, 'categories'),
    }
    await refuseUnsendable(web, view, address)
    const shown = await testViewOf(web, view)
    await web.db.transaction().execute(async (trx) => {
      const delivery = await testSend(trx, address.email, shown)
      const subject = view.editionId ? `edition:${view.editionId}` : 'next digest'
      const entry = { at: web.clock.now(), actor: actorOf(request), action: 'test.sent', subject, detail: { delivery } }
      await audit(trx, entry)
    })
    seeOther(response, `/admin/preview?${viewQuery(view)}&done=test`)
  })
}

/** A test that could never be mailed isn't queued. */
async function refuseUnsendable(web: WebContext, view: Looked, address: EmailAddress): Promise<void> {
  if (await findSuppression(web, address))
    throw new Refusal('conflict', `${address.email} is on the suppression list, so nothing is mailed there.`)
  if ((await previewOf(web, view)) === null)
    throw new Refusal('conflict', 'There is nothing new to show, so there is nothing to send.')
}

async function readView(web: WebContext, request: Request): Promise<Looked> {
  const email = queryText(request, 'email')
  let subscriberId = wholeNumber('subscriber', queryText(request, 'subscriber'))
  if (email) {
    const [found] = await findSubscribersByAddress(web, email)
    if (!found) throw invalid('email', `${email} isn’t a subscriber.`)
    subscriberId = found.id
  }
  const categories = subscriberId ? [] : queryCategories(request)
  return { editionId: wholeNumber('edition', queryText(request, 'edition')), subscriberId, categories }
}

function wholeNumber(name: string, text: string | undefined): number | null {
  if (!text) return null
  if (!/^[1-9]\d{0,14}$/.test(text)) throw invalid(name, 'must be a number')
  return Number(text)
}

function viewQuery(view: Looked): string {
  const pairs = new URLSearchParams(categoryQuery(view.categories))
  if (view.editionId) pairs.set('edition', String(view.editionId))
  if (view.subscriberId) pairs.set('subscriber', String(view.subscriberId))
  return pairs.toString()
}

function viewFields(view: Looked): Html {
  return html`${hiddenCategories(view.categories)}
  ${view.editionId && html`<input type="hidden" name="edition" value="${view.editionId}" />`}
  ${view.subscriberId && html`<input type="hidden" name="subscriber" value="${view.subscriberId}" />`}`
}
