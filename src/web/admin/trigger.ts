// A digest of chosen categories, sent by hand. Choose, see how many it reaches, confirm.

import type { Router } from 'express'
import { listCategories } from '../../articles/store.ts'
import { triggerDigest } from '../../planning/trigger.ts'
import { fieldList, readForm } from '../forms.ts'
import { html, to } from '../html.ts'
import { manualAudience } from '../reads/audience.ts'
import type { WebContext } from '../web-context.ts'
import { hiddenOnce, retryWindow, sendByHand } from './by-hand.ts'
import { categoriesOf, categoryBoxes, categoryQuery, hiddenCategories, queryCategories } from './category-choice.ts'
import { sendConfirmation } from './confirm.ts'
import { hiddenSenderWords, senderWordsFields, senderWordsOf } from './sender-words.ts'
import { sendConsole } from './layout.ts'
import { count, empty } from './parts.ts'
import { seeOther } from '../place.ts'

export function mountTrigger(router: Router, web: WebContext): void {
  router.get('/trigger', async (request, response) => {
    const categories = await listCategories(web.db)
    sendConsole(request, response, web, {
      section: 'editions',
      title: 'Send a digest now',
      back: ['Editions', '/admin/editions'],
      body:
        categories.length === 0
          ? empty('There is no category yet.', html`<p><a href="${to('/admin/categories')}">Add one first.</a></p>`)
          : html`<p>
                It goes to everyone who subscribes to one of these categories, whatever their frequency. Each gets only
                what they haven’t had; who has had everything gets nothing.
              </p>
              <form method="get" action="${to('/admin/trigger/confirm')}">
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
    if (ticked.length === 0) return seeOther(response, '/admin/trigger')
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
          <a href="${to(`/admin/preview?${categoryQuery(slugs)}`)}">Preview it first</a>.
        </p>`,
      post: '/admin/trigger',
      fields: html`${hiddenCategories(slugs)} ${hiddenOnce()} ${senderWordsFields({})} ${retryWindow(web)}`,
      button: `Send to ${count(audience, 'subscriber')}`,
      back: ['Choose again', '/admin/trigger'],
    })
  })

  router.post('/trigger', readForm, async (request, response) => {
    const categories = fieldList(request, 'categories')
    const words = senderWordsOf(request)
    await sendByHand(request, response, web, {
      path: '/admin/trigger',
      send: (how) => triggerDigest(web, { categories, ...words, ...how }),
      what: 'this digest',
      fields: html`${hiddenCategories(categories)} ${hiddenSenderWords(words)}`,
      back: ['Choose again', '/admin/trigger'],
    })
  })
}
