// What is done once from the preferences page: another address, the data as a file, the end of older links, erasure; and the page
// that shows what the next digest holds so far.

import type { RequestHandler } from 'express'
import { readableAddress } from '../../base/email-address.ts'
import { invalidField } from '../../messages/refusals.ts'
import { countStories } from '../../digests/coming.ts'
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
import { message, toFrontPage, withHold } from './links.ts'
import { orShowAgain, redirectDone } from './preferences.ts'
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
        throw invalidField('erase', 'preferences.tickToErase')
      await eraseSubscriber(web, opened.subscriber.id)
      const { say } = opened
      sendPage(
        response,
        web.config,
        message(
          say,
          say('preferences.erasedTitle'),
          say('preferences.erased'),
          html`<p>${say('preferences.erasedKept')}</p>
            ${toFrontPage(say)}`,
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
    const { say } = opened
    await endOlderLinks(web, opened.subscriber.id, { isMailed: true })
    sendPage(
      response,
      web.config,
      message(
        say,
        say('preferences.linksEndedTitle'),
        await withHold(web.db, say, say('preferences.linksEnded', { email: readableAddress(opened.subscriber.email) })),
      ),
    )
  }
}

/** Its links lead to the stories themselves, and belong to nobody. */
export function showNextDigest(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await openPreferences(web, request, response)
    if (!opened) return
    const { say, subscriber, token } = opened
    const sections = subscriber.status === 'active' ? await comingSections(web, subscriber) : []
    const stories = await findStories(
      web.db,
      sections.flatMap(({ articleIds }) => articleIds),
    )
    const { nextDueAt } = subscriber
    sendPage(response, web.config, {
      title: say('preferences.nextTitle'),
      isIndexed: false,
      body: html`<h1>${say('preferences.nextTitle')}</h1>
        <p class="deck">
          ${
            nextDueAt && subscriber.status === 'active'
              ? say('preferences.nextSoFar', {
                  when: dateAndTime(say, web.config, nextDueAt, subscriber),
                  count: countStories(sections),
                })
              : say('preferences.nextNone')
          }
        </p>
        ${sections.map(
          ({ category, articleIds, waiting }) =>
            html`<section>
              <h2 class="section-name" dir="auto">${category}</h2>
              ${articleIds.map((id) => {
                const { title, link, excerpt } = stories.get(id)!
                return html`<article class="teaser">
                  <h3 dir="auto"><a href="${safeUrl(link)}" rel="noreferrer">${title}</a></h3>
                  ${excerpt && html`<p dir="auto">${excerpt}</p>`}
                </article>`
              })}
              ${waiting > 0 && html`<p class="hint">${say('preferences.moreOnSite', { count: waiting })}</p>`}
            </section>`,
        )}
        <p class="after"><a href="${to(`/preferences?token=${token}`)}">${say('preferences.back')}</a></p>`,
    })
  }
}
