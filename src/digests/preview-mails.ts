// Every mail that the program can send, as it would look with this site's own categories and stories: for the command `preview` and
// the trial's /mailbox/preview. Nothing is written or sent, and the links belong to nobody.

import { sql } from 'kysely'
import { listCategories } from '../articles/store.ts'
import { addressOf } from '../base/addresses.ts'
import { maskAddress } from '../base/email-address.ts'
import type { Context } from '../db/context.ts'
import { everythingDue } from '../db/schema.ts'
import type { Mail } from '../delivery/composer.ts'
import { loadTemplate, type TemplateName } from '../mails/templates.ts'
import { consoleLocale, fillLetter } from '../mails/letter.ts'
import { firstDigest } from '../mails/transactional.ts'
import { messagesFor, type Say } from '../messages/messages.ts'
import { categoryName } from '../articles/category-names.ts'
import { readSiteTexts } from '../articles/site-texts.ts'
import { linkDays } from '../subscribers/links.ts'
import { composeDigest } from './compose.ts'
import { openSource } from './next.ts'
import { previewAnnouncement, previewDigest } from './preview.ts'
import { sampleSource } from './preview-samples.ts'

export const previewRecipient = 'you@example.org'

export interface PreviewMail {
  name: string
  /** In the console's language, whatever the site's are. */
  isForEditors: boolean
  compose(): Promise<Mail>
}

/** In the order in which a subscriber gets them. `locale`: the language of the mails; default: the site's. */
export function previewMails(ctx: Context, { locale }: { locale?: string | undefined } = {}): PreviewMail[] {
  const { config } = ctx
  const say = messagesFor(config, locale)
  const letter = (
    name: TemplateName,
    leaveAs: number | null,
    values: () => Promise<object> | object,
    isForEditors = false,
  ): PreviewMail => ({
    name,
    isForEditors,
    async compose() {
      const [template, siteTexts] = await Promise.all([loadTemplate(name, config.site), readSiteTexts(ctx.db)])
      const words = { say: isForEditors ? messagesFor(config, consoleLocale) : say, siteTexts }
      return fillLetter(config, template, words, { recipient: previewRecipient, ...(await values()) }, leaveAs)
    },
  })
  const at = (path: string) => addressOf(config, `${path}?token=preview`)
  const links = { preferencesUrl: at('/preferences'), unsubscribeUrl: at('/unsubscribe') }
  const language = locale ?? null
  return [
    letter('confirmation', null, async () => ({
      isImported: false,
      choices: await sampleChoices(ctx, say),
      confirmUrl: at('/confirm'),
      days: linkDays.confirm,
    })),
    letter('welcome', 0, async () => ({
      firstDigest: firstDigest(config, { nextDueAt: await nextSlot(ctx), timezone: null }, say),
      choices: await sampleChoices(ctx, say),
      ...links,
    })),
    {
      name: 'digest',
      isForEditors: false,
      compose: async () => (await previewDigest(ctx, { language }))?.mail ?? sampleDigest(ctx, say.locale),
    },
    {
      name: 'announcement',
      isForEditors: false,
      compose: async () => (await previewAnnouncement(ctx, await sampleAnnouncement(ctx), language)).mail,
    },
    letter('preferences-link', 0, () => ({ isActive: true, ...links })),
    letter('address-change', null, () => ({
      confirmUrl: at('/preferences/address'),
      days: linkDays['address-change'],
    })),
    letter('address-changed', null, () => ({
      newAddress: maskAddress('ada@example.com'),
      undoUrl: at('/preferences/address/undo'),
      days: linkDays['address-undo'],
    })),
    letter('goodbye', null, () => ({ undoUrl: at('/unsubscribe/undo'), days: linkDays.resubscribe })),
    letter('sign-in', null, () => ({ signInUrl: at('/admin/sign-in'), until: '18:30 (UTC)' }), true),
    letter(
      'alert',
      null,
      async () => ({
        title: 'A feed is silent',
        summary: 'A feed has had no new story for three days.',
        paragraphs: [
          `The feed ${await anyFeed(ctx)} has had no new story for three days, more than five times its usual interval.`,
        ],
        url: addressOf(config, '/admin'),
      }),
      true,
    ),
  ]
}

/** The site's first categories, each with another frequency. */
async function sampleChoices({ db }: Context, say: Say) {
  const categories = await listCategories(db)
  const names = categories.length > 0 ? categories.map((category) => categoryName(category, say.locale)) : ['Politics']
  return names.slice(0, 4).map((name, index) => ({ name, frequency: say(index % 2 ? 'mails.weekly' : 'mails.daily') }))
}

async function nextSlot({ db, clock }: Context): Promise<Date> {
  const { rows } = await sql<{ at: Date | null }>`select min(next_due_at) as at from due_times`.execute(db)
  return rows[0]?.at ?? new Date(clock.now().getTime() + 86_400_000)
}

async function anyFeed({ db }: Context): Promise<string> {
  const feed = await db.selectFrom('feeds').select('url').orderBy('id').limit(1).executeTakeFirst()
  return feed?.url ?? 'https://stories.example/feed.xml'
}

async function sampleAnnouncement({ db, config }: Context) {
  const story = await db
    .selectFrom('articles')
    .select(['title', 'imageUrl', 'imageRatio'])
    .where('imageUrl', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  const height = Math.round(1200 / (story?.imageRatio ?? 1.5))
  const picture = story ? `![${story.title.replace(/[[\]\\]/g, '')}](${story.imageUrl} "1200x${height}")\n\n` : ''
  return {
    subject: 'A short note from the newsroom',
    body: `From Monday on, the morning digest carries a **new category**. It is off until you choose it.

${picture}## What you can do

- Choose the category among your topics.
- Write to [the newsroom](mailto:${config.mail.from.address}) and say what you miss.

> We read every reply.

**[Choose your topics](${addressOf(config, '/preferences')})**

Yours,\\
the newsroom of ${config.site.name}`,
  }
}

async function sampleDigest(ctx: Context, locale: string): Promise<Mail> {
  const now = ctx.clock.now()
  const source = { ...sampleSource(now), languages: [locale], siteTexts: await readSiteTexts(ctx.db) }
  const edition = await openSource(ctx, source, { cutoffSeq: 1000, at: now })
  const subscriptions = [...edition.frame.edition.categories.keys()].map((categoryId, position) => ({
    categoryId,
    frequency: 'daily' as const,
    position,
  }))
  const reader = { id: 0, generation: 0, email: null, timezone: null, locale, subscriptions, watermarks: {}, seen: [] }
  const delivery = { recipient: previewRecipient, due: everythingDue, articleIds: null }
  const composed = composeDigest(ctx, edition, reader, delivery, now)
  if (composed.outcome !== 'mail') throw new Error('The sample stories are too few for a digest. Lower DIGEST_MINIMUM.')
  return composed.mail
}
