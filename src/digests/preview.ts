// What a digest or an announcement would look like, for editors, tests and dry runs, without changing anything. A preview's
// personal links belong to nobody, so an editor who tries the unsubscribe button unsubscribes nobody.

import { readSiteTexts } from '../articles/site-texts.ts'
import { categoryIdsOf } from '../articles/store.ts'
import { Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import { everythingDue } from '../db/schema.ts'
import type { Trx } from '../db/connect.ts'
import type { Composed, Composer, Mail } from '../delivery/composer.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { readAlternative } from '../mails/mime.ts'
import { messagesFor } from '../messages/messages.ts'
import { announcementWriter, type Announcement } from './announce.ts'
import { composeDigest, editionLoader, listReaders, type OpenEdition, type Reader } from './compose.ts'
import { openNextEdition } from './next.ts'

/** At most one of `subscriberId` and `categories`; neither: all categories, as a new subscriber gets them. */
export interface DigestView {
  /** An edition that has its snapshot; none: the next one. */
  editionId?: number | null | undefined
  subscriberId?: number | null | undefined
  /** Slugs. */
  categories?: readonly string[] | null | undefined
  /** frequencyBits; default: all. */
  due?: number | undefined
  /** A language tag; default: the subscriber's, else the site's. */
  language?: string | null | undefined
}

export interface Preview {
  subject: string
  html: string
  text: string
  /** Decoded bytes of the HTML part: 100,000 at most. */
  htmlBytes: number
  articleIds: number[]
  mail: Mail
}

const nobody = { id: 0, generation: 0, email: null }

/** null: nothing new for this subscriber or in these categories. */
export async function previewDigest(ctx: Context, view: DigestView = {}): Promise<Preview | null> {
  const composed = await composeView(ctx, view, 'you@example.org')
  return composed.outcome === 'mail' ? readPreview(composed.mail, composed.record?.articleIds ?? []) : null
}

/** `language`: of the frame; null: the site's own. */
export async function previewAnnouncement(
  ctx: Context,
  announcement: Announcement,
  language: string | null = null,
): Promise<Preview> {
  return readPreview(await composeAnnouncement(ctx, announcement, 'you@example.org', language), [])
}

async function composeAnnouncement(
  ctx: Context,
  announcement: Announcement,
  recipient: string,
  language: string | null,
) {
  const words = { say: messagesFor(ctx.config, language), siteTexts: await readSiteTexts(ctx.db) }
  const write = await announcementWriter(ctx.config, null, announcement, words)
  return write(nobody, recipient, ctx.clock.now())
}

/** What a test mail shows: a digest, or an announcement that isn't sent yet. */
export type TestView = DigestView | { announcement: Announcement }

/** Queues a test mail to one address; returns the delivery's id. */
export async function testSend(trx: Trx, recipient: string, view: TestView): Promise<number> {
  return addToOutbox(trx, { kind: 'test', recipient, payload: { ...view } })
}

/** Composes what testSend queued. A view that has nothing new is skipped with that reason. */
export function testComposer(ctx: Context): Composer {
  return {
    async prepare() {
      return async (delivery): Promise<Composed> => {
        const view = (delivery.payload ?? {}) as TestView
        const composed: Composed =
          'announcement' in view
            ? {
                outcome: 'mail',
                mail: await composeAnnouncement(ctx, view.announcement, delivery.recipient, null),
                record: null,
              }
            : await composeView(ctx, view, delivery.recipient).catch(skipRefused)
        if (composed.outcome === 'skip') return composed
        // A test is not a digest: nobody has read these stories.
        return { outcome: 'mail', record: null, mail: { ...composed.mail, subject: `[Test] ${composed.mail.subject}` } }
      }
    },
  }
}

/** Who or what the test was to show is gone since it was queued. */
function skipRefused(error: unknown): Composed {
  if (error instanceof Refusal) return { outcome: 'skip', reason: 'cancelled' }
  throw error
}

/** Refuses a view of a subscriber or of categories that don't exist. */
export async function checkView(ctx: Context, view: DigestView): Promise<void> {
  if (view.subscriberId) await getReader(ctx, view.subscriberId)
  if (view.categories?.length) await categoryIdsOf(ctx.db, view.categories, { withRetired: true })
}

async function composeView(ctx: Context, view: DigestView, recipient: string): Promise<Composed> {
  const subscriber = view.subscriberId ? await getReader(ctx, view.subscriberId) : null
  const locale = view.language ?? subscriber?.locale ?? null
  const edition = view.editionId
    ? await editionLoader(ctx)(view.editionId)
    : await openNextEdition(ctx, { languages: locale === null ? [] : [locale] })
  const reader = subscriber ?? (await imaginedReader(ctx, edition, view.categories ?? null))
  const delivery = { recipient, due: view.due ?? everythingDue, articleIds: null }
  return composeDigest(ctx, edition, { ...reader, ...nobody, locale }, delivery, ctx.clock.now())
}

async function getReader(ctx: Context, subscriberId: number): Promise<Reader> {
  const reader = (await listReaders(ctx.db, [subscriberId])).get(subscriberId)
  if (!reader) throw new Refusal('not_found', `There is no active subscriber ${subscriberId}.`)
  return reader
}

/** New in the given categories, daily. */
async function imaginedReader(ctx: Context, edition: OpenEdition, slugs: readonly string[] | null): Promise<Reader> {
  let ids: number[] = [...edition.frame.edition.categories.keys()]
  if (slugs?.length) ids = await categoryIdsOf(ctx.db, slugs, { withRetired: true })
  return {
    ...nobody,
    timezone: null,
    locale: null,
    subscriptions: ids.map((categoryId, position) => ({ categoryId, frequency: 'daily', position })),
    watermarks: {},
    seen: [],
  }
}

/** Both parts as a reader's program shows them. */
async function readPreview(mail: Mail, articleIds: number[]): Promise<Preview> {
  return {
    subject: mail.subject,
    ...(await readAlternative(mail)),
    htmlBytes: mail.htmlBytes,
    articleIds,
    mail,
  }
}
