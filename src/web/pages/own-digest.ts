// /digest?token=…: what one subscriber got of an edition, from the stories that were recorded with the delivery. Whoever holds the link
// may read those stories and nothing else: it leads to no preferences, names nobody, and ends with the subscriber's generation. When
// the delivery is no longer stored, it shows the public edition.

import type { RequestHandler } from 'express'
import { findEdition } from '../../editions/store.ts'
import { readDigestLink } from '../../subscribers/links.ts'
import type { Say } from '../../messages/messages.ts'
import { html, type Html, to } from '../html.ts'
import { sayFor } from '../language.ts'
import { sendPage } from '../layout.ts'
import { findDigestStories, findPublicEdition } from '../reads/archive.ts'
import type { WebContext } from '../web-context.ts'
import { editionPage, listAlsoLike, sendEdition } from './archive.ts'
import { message, tokenOf } from './links.ts'

const toArchive = (say: Say): Html => html`<p><a href="${to('/archive')}">${say('archive.all')}</a></p>`

export function showOwnDigest(web: WebContext): RequestHandler {
  const { config, db } = web
  return async (request, response) => {
    const link = readDigestLink(config, tokenOf(request), web.clock.now())
    if (!link) {
      const say = sayFor(config, request)
      const broken = message(say, say('archive.brokenTitle'), say('archive.broken'), toArchive(say))
      return sendPage(response, config, { ...broken, say, status: 400 })
    }
    const { subscriberId, editionId, generation } = link
    const [subscriber, edition, publicEdition] = await Promise.all([
      db.selectFrom('subscribers').select(['generation', 'locale']).where('id', '=', subscriberId).executeTakeFirst(),
      findEdition(db, editionId),
      findPublicEdition(db, editionId),
    ])
    // An ended link knows nothing of the subscriber, not even their language.
    const say = sayFor(config, request, subscriber?.generation === generation ? subscriber : undefined)
    const toEdition = publicEdition
      ? html`<p><a href="${to(`/archive/${editionId}`)}">${say('archive.readPublic')}</a></p>`
      : toArchive(say)
    if (!edition || subscriber?.generation !== generation) {
      const ended = message(say, say('archive.endedTitle'), say('archive.ended'), toEdition)
      return sendPage(response, config, { ...ended, say, status: 410 })
    }
    const perCategory = config.digest.stories
    const digest = await findDigestStories(db, { subscriberId, editionId, perCategory })
    if (!digest && publicEdition) {
      return sendEdition(web, response, say, publicEdition, say('archive.nowPublic'))
    }
    if (!digest) {
      const gone = message(say, say('archive.goneTitle'), say('archive.gone'), toArchive(say))
      return sendPage(response, config, { ...gone, say, status: 410 })
    }
    const shown = digest.sections.flatMap(({ stories }) => stories)
    const alsoLike = digest.alsoLike.length > 0 ? digest.alsoLike : await listAlsoLike(db, shown)
    const at = edition.slotAt ?? edition.createdAt
    sendPage(response, config, {
      ...editionPage(
        config,
        say,
        { at, content: edition.content },
        {
          sections: digest.sections,
          alsoLike,
          path: publicEdition ? `/archive/${editionId}` : null,
          notice: say('archive.own'),
          after: html`<p class="after">
            ${publicEdition && html`<a href="${to(`/archive/${editionId}`)}">${say('archive.whole')}</a> · `}<a
              href="${to('/archive')}"
              >${say('archive.all')}</a
            >
          </p>`,
        },
      ),
      isIndexed: false,
    })
  }
}
