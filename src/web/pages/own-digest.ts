// /digest?token=…: what one subscriber got of an edition, from the stories that were recorded with the delivery. Whoever holds the link
// may read those stories and nothing else: it leads to no preferences, names nobody, and ends with the subscriber's generation. When
// the delivery is no longer stored, it shows the public edition.

import type { RequestHandler } from 'express'
import { findEdition } from '../../editions/store.ts'
import { readDigestLink } from '../../subscribers/links.ts'
import { html, to } from '../html.ts'
import { sendPage } from '../layout.ts'
import { findDigestStories, findPublicEdition } from '../reads/archive.ts'
import type { WebContext } from '../web-context.ts'
import { editionPage, listAlsoLike, sendEdition } from './archive.ts'
import { message, tokenOf } from './links.ts'

const toArchive = html`<p><a href="${to('/archive')}">All editions</a></p>`

export function showOwnDigest(web: WebContext): RequestHandler {
  const { config, db } = web
  return async (request, response) => {
    const link = readDigestLink(config, tokenOf(request), web.clock.now())
    if (!link) {
      const why = 'The token in its address is missing or cut off. Open the link in your mail again.'
      return sendPage(response, config, { ...message('This link doesn’t work', why, toArchive), status: 400 })
    }
    const { subscriberId, editionId, generation } = link
    const [subscriber, edition, publicEdition] = await Promise.all([
      db.selectFrom('subscribers').select('generation').where('id', '=', subscriberId).executeTakeFirst(),
      findEdition(db, editionId),
      findPublicEdition(db, editionId),
    ])
    const toEdition = publicEdition
      ? html`<p><a href="${to(`/archive/${editionId}`)}">Read the public edition</a></p>`
      : toArchive
    if (!edition || subscriber?.generation !== generation) {
      const why =
        'Since this mail was sent, the subscription’s address has changed, its older links were ended, or its data was erased.'
      return sendPage(response, config, { ...message('This link has ended', why, toEdition), status: 410 })
    }
    const perCategory = config.digest.stories
    const digest = await findDigestStories(db, { subscriberId, editionId, perCategory })
    if (!digest && publicEdition) {
      const notice = 'Your own digest of this edition is no longer stored. This is the public edition.'
      return sendEdition(web, response, publicEdition, notice)
    }
    if (!digest) {
      const why = 'This digest is no longer stored.'
      return sendPage(response, config, { ...message('Nothing here any more', why, toArchive), status: 410 })
    }
    const shown = digest.sections.flatMap(({ stories }) => stories)
    const alsoLike = digest.alsoLike.length > 0 ? digest.alsoLike : await listAlsoLike(db, shown)
    const at = edition.slotAt ?? edition.createdAt
    sendPage(response, config, {
      ...editionPage(
        config,
        { at, content: edition.content },
        {
          sections: digest.sections,
          alsoLike,
          path: publicEdition ? `/archive/${editionId}` : null,
          notice: 'This is the digest that was sent to you.',
          after: html`<p class="after">
            ${publicEdition && html`<a href="${to(`/archive/${editionId}`)}">The whole edition</a> · `}<a
              href="${to('/archive')}"
              >All editions</a
            >
          </p>`,
        },
      ),
      isIndexed: false,
    })
  }
}
