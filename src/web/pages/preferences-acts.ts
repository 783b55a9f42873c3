// What is done once from the preferences page: another address, the data as a file, the end of older links, erasure; and the page
// that shows what the next digest holds so far.

import type { RequestHandler } from 'express'
import { invalid } from '../../base/errors.ts'
import { takePlace } from '../../db/rate-limits.ts'
import { findStories } from '../../articles/store.ts'
import { comingSections } from '../../digests/coming.ts'
import { cancelAddressChange, requestAddressChange } from '../../subscribers/address-change.ts'
import { eraseSubscriber } from '../../subscribers/erase.ts'
import { endOlderLinks } from '../../subscribers/generation.ts'
import { personalData } from '../../subscribers/personal-data.ts'
import { html, safeUrl, to } from '../html.ts'
import { sendPage } from '../layout.ts'
import { answerEvenly } from '../even-time.ts'
import type { WebContext } from '../web-context.ts'
import { message, toFrontPage } from './links.ts'
import { orShowAgain, redirectDone } from './preferences.ts'
import { storyWords } from './preferences-form.ts'
import { openFresh, openPreferences } from './preferences-open.ts'
import { dateAndTime } from './words.ts'

export function takeAddress(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await openFresh(web, request, response)
    if (!opened) return
    await orShowAgain(web, request, response, opened, async () => {
      await takePlace(web, 'link', request.ip ?? null)
      await requestAddressChange(web, opened.subscriber.id, (request.body as Record<string, unknown>)['new_email'])
      await answerEvenly(web, request)
      redirectDone(web, response, opened, 'address')
    })
  }
}

export function cancelAddress(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await openPreferences(web, request, response)
    if (!opened) return
    await cancelAddressChange(web, opened.subscriber.id)
    redirectDone(web, response, opened, 'cancelled')
  }
}

export function takeErasure(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await openFresh(web, request, response)
    if (!opened) return
    await orShowAgain(web, request, response, opened, async () => {
      if ((request.body as Record<string, unknown>)['erase'] !== 'yes')
        throw invalid('erase', 'Tick the box to confirm. This can’t be undone.')
      await eraseSubscriber(web, opened.subscriber.id)
      sendPage(
        response,
        web.config,
        message(
          'Your data is erased',
          'Your address, your choices and the list of mails that we sent you are deleted.',
          html`<p>
              We keep only a keyed fingerprint of the address. Nobody can read the address from it. It makes sure that
              an old list doesn’t add you again. You can sign up again at any time.
            </p>
            ${toFrontPage}`,
        ),
      )
    })
  }
}

export function sendMyData(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await openFresh(web, request, response)
    if (!opened) return
    response
      .attachment('my-newsletter-data.json')
      .type('json')
      .send(JSON.stringify(await personalData(web.db, opened.subscriber.id), null, 2))
  }
}

/** Ends this link too: the new one goes to the mailbox, not to whoever has this page. */
export function endLinks(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await openPreferences(web, request, response)
    if (!opened) return
    await endOlderLinks(web, opened.subscriber.id, { isMailed: true })
    sendPage(
      response,
      web.config,
      message(
        'All older links have ended',
        `We sent a new link to ${opened.subscriber.email}. The older links can only unsubscribe.`,
      ),
    )
  }
}

/** Its links lead to the stories themselves, and belong to nobody. */
export function showNextDigest(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await openPreferences(web, request, response)
    if (!opened) return
    const { subscriber, token } = opened
    const sections = subscriber.status === 'active' ? await comingSections(web, subscriber) : []
    const stories = await findStories(
      web.db,
      sections.flatMap(({ articleIds }) => articleIds),
    )
    const { nextDueAt } = subscriber
    sendPage(response, web.config, {
      title: 'Your next digest',
      isIndexed: false,
      body: html`<h1>Your next digest</h1>
        <p class="deck">
          ${
            nextDueAt && subscriber.status === 'active'
              ? html`${dateAndTime(web.config, nextDueAt, subscriber)}: ${storyWords(sections)}. More may follow until
                then.`
              : 'You won’t receive a digest with your present choices.'
          }
        </p>
        ${sections.map(
          ({ category, articleIds, waiting }) =>
            html`<section>
              <h2 class="section-name">${category}</h2>
              ${articleIds.map((id) => {
                const { title, link, excerpt } = stories.get(id)!
                return html`<article class="teaser">
                  <h3><a href="${safeUrl(link)}" rel="noreferrer">${title}</a></h3>
                  ${excerpt && html`<p>${excerpt}</p>`}
                </article>`
              })}
              ${waiting > 0 && html`<p class="hint">${waiting} more on the site</p>`}
            </section>`,
        )}
        <p class="after"><a href="${to(`/preferences?token=${token}`)}">Back to your preferences</a></p>`,
    })
  }
}
