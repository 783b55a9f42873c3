// An announcement: an editor's own words to every active subscriber, once. Rendered once per edition; per mail only the links and
// the address are personal.

import { type GivenSiteTexts, readSiteTexts } from '../articles/site-texts.ts'
import type { Config } from '../base/config.ts'
import type { Direction } from '../base/direction.ts'
import { invalid } from '../base/errors.ts'
import { siteLink } from '../base/link-parameters.ts'
import { escapeHtml } from '../base/escape-html.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { ClaimedDelivery, Composed, Composer, Mail } from '../delivery/composer.ts'
import { automaticHeaders, feedbackId, listHeaders } from '../mails/list-headers.ts'
import { afterHtml, alternativeType, beforeHtml, beforeText } from '../mails/mime.ts'
import { encodeFragment } from '../mails/quoted-printable.ts'
import { frameValues, loadTemplate, recolour, siteValues } from '../mails/templates.ts'
import { clip } from '../mails/text.ts'
import { messagesFor, type Say } from '../messages/messages.ts'
import { holderFor, preferencesUrl, unsubscribeUrl, type LinkHolder } from '../subscribers/links.ts'
import { htmlLimit } from './layout.ts'
import { type MarkdownMail, readMarkdown } from './markdown.ts'
import { safeImage } from './story-values.ts'
import { cleanText, openPiece, putPiece, sizeOfPiece, slotMarks, storeFragment, type Piece } from './fragments.ts'

export interface Announcement {
  subject: string
  /** Markdown (markdown.ts); plain text is also that. */
  body: string
}

export function announcementComposer(ctx: Context): Composer {
  return {
    async prepare(deliveries) {
      const now = ctx.clock.now()
      const ids = [...new Set(deliveries.map(({ editionId }) => editionId!))]
      const editions = await ctx.db.selectFrom('editions').select(['id', 'content']).where('id', 'in', ids).execute()
      const subscribers = await listHolders(ctx.db, deliveries)
      const siteTexts = await readSiteTexts(ctx.db)
      const announcements = new Map(
        editions.map(({ id, content }) => [id, { subject: content.subject ?? '', body: content.body ?? '' }]),
      )
      const writers = new Map<string, AnnouncementWriter>()
      return async (delivery): Promise<Composed> => {
        const subscriber = subscribers.get(delivery.subscriberId ?? 0)
        // Erased since it was planned.
        if (!subscriber) return { outcome: 'skip', reason: 'unsubscribed' }
        const id = delivery.editionId!
        const say = messagesFor(ctx.config, subscriber.locale)
        const key = `${id} ${say.locale}`
        const write =
          writers.get(key) ?? (await announcementWriter(ctx.config, id, announcements.get(id)!, { say, siteTexts }))
        writers.set(key, write)
        const holder = holderFor(subscriber, delivery.recipient)
        return { outcome: 'mail', mail: write(holder, delivery.recipient, now), record: null }
      }
    },
  }
}

async function listHolders(db: Db, deliveries: readonly ClaimedDelivery[]) {
  const ids = deliveries.map(({ subscriberId }) => subscriberId ?? 0)
  const rows = await db
    .selectFrom('subscribers')
    .select(['id', 'generation', 'email', 'locale'])
    .where('id', 'in', ids)
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

/** Room for the frame: masthead, footer and the personal links. */
const bodyLimit = htmlLimit - 20_000
/** The most that the template puts around a part. */
const buttonSize = 1000

/** Refuses a text that would be too large for a mail: Gmail cuts off what goes beyond 100,000 bytes, the unsubscribe link first. */
export function checkAnnouncement(config: Config, body: string): void {
  const { parts } = readAnnouncement(config, null, body, 'ltr')
  const size = parts.reduce(
    (sum, part) =>
      sum +
      buttonSize +
      ('html' in part
        ? Buffer.byteLength(part.html)
        : Buffer.byteLength(escapeHtml(part.button.label + part.button.url.repeat(2)))),
    0,
  )
  if (size > bodyLimit)
    throw invalid('body', `As a mail the text has about ${size} bytes of HTML, more than ${bodyLimit}. Shorten it.`)
}

function readAnnouncement(config: Config, editionId: number | null, body: string, around: Direction): MarkdownMail {
  return readMarkdown(body, {
    link: (url) => siteLink(config, url, editionId),
    picture: (url) => safeImage(config, url) ?? safeImage(config, url.replace(/^http:/i, 'https:')),
    style: (css) => recolour(css, config.site),
    around,
  })
}

type AnnouncementWriter = (holder: LinkHolder, recipient: string, now: Date) => Mail

/** `say`: what the mail says besides the editor's words. */
export async function announcementWriter(
  config: Config,
  editionId: number | null,
  announcement: Announcement,
  { say, siteTexts }: { say: Say; siteTexts: GivenSiteTexts },
): Promise<AnnouncementWriter> {
  const template = await loadTemplate('announcement', config.site)
  const { parts, text: words, summary } = readAnnouncement(config, editionId, announcement.body, say.dir)
  const values = {
    site: siteValues(config, editionId, say, siteTexts),
    slot: slotMarks,
    ...frameValues(say),
    subject: cleanText(announcement.subject),
    preheader: clip(summary, 150),
    parts,
    text: words,
  }
  const html: Piece = openPiece(storeFragment(template.html.get('open')!(values)))
  const text: Piece = openPiece(storeFragment(template.text.get('open')!(values)))
  const headers = [
    feedbackId(config, 'announcement', editionId),
    ...automaticHeaders,
    ['Content-Language', say.locale],
  ] as const
  return (holder, recipient, now) => {
    const links = {
      preferencesUrl: encodeFragment(preferencesUrl(config, holder, now)),
      unsubscribeUrl: encodeFragment(unsubscribeUrl(config, holder.id, editionId)),
    }
    const htmlSlots = { ...links, recipient: encodeFragment(escapeHtml(recipient)) }
    const body: Buffer[] = [beforeText]
    putPiece(body, text, { ...links, recipient: encodeFragment(recipient) })
    body.push(beforeHtml)
    putPiece(body, html, htmlSlots)
    body.push(afterHtml)
    return {
      from: config.mail.from,
      replyTo: config.mail.replyTo,
      subject: template.subject(values),
      headers: [...listHeaders(config, holder.id, editionId), ...headers],
      contentType: alternativeType,
      isDotFree: true,
      body,
      htmlBytes: sizeOfPiece(html, htmlSlots),
    }
  }
}
