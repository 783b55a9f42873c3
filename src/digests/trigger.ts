// What an editor starts: a manual digest for chosen categories, or an announcement in an editor's own words. The edition is made
// at once and logged; planning it is the tick's.

import { type Actor, audit } from '../access/audit.ts'
import { invalid } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import type { Edition } from '../db/schema.ts'

/** Ignores frequency, respects what each subscriber has seen. `categories`: slugs; none: all. */
export async function triggerDigest(
  ctx: Context,
  input: {
    categories?: readonly string[] | undefined
    onlySubscriberId?: number | undefined
    retryHours?: number | undefined
    actor: Actor
  },
): Promise<Edition> {
  const retryHours = readRetryHours(ctx, input.retryHours)
  const now = ctx.clock.now()
  const categoryIds = input.categories?.length ? await categoryIdsOf(ctx, input.categories) : null
  return ctx.db.transaction().execute(async (trx) => {
    const edition = await trx
      .insertInto('editions')
      .values({
        kind: 'manual',
        state: 'planning',
        categoryIds,
        onlySubscriberId: input.onlySubscriberId ?? null,
        retryHours,
        requestedBy: input.actor,
        createdAt: now,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    await audit(trx, {
      at: now,
      actor: input.actor,
      action: 'edition.triggered',
      subject: `edition:${edition.id}`,
      detail: { categories: input.categories ?? null },
    })
    return edition
  })
}

/** To every active subscriber who hasn't paused. `body` is plain text, blank lines between paragraphs. */
export async function triggerAnnouncement(
  ctx: Context,
  input: {
    subject: string
    body: string
    onlySubscriberId?: number | undefined
    retryHours?: number | undefined
    actor: Actor
  },
): Promise<Edition> {
  const retryHours = readRetryHours(ctx, input.retryHours)
  const now = ctx.clock.now()
  const subject = input.subject.trim()
  const body = input.body.trim()
  // oxlint-disable-next-line no-control-regex
  if (!subject || subject.length > 200 || /[\x00-\x1f\x7f]/.test(subject))
    throw invalid('subject', 'The subject must be one line of 1 to 200 characters.')
  if (!body || body.length > 20_000) throw invalid('body', 'The text must have 1 to 20,000 characters.')
  return ctx.db.transaction().execute(async (trx) => {
    const edition = await trx
      .insertInto('editions')
      .values({
        kind: 'announcement',
        state: 'planning',
        content: JSON.stringify({ subject, body }),
        onlySubscriberId: input.onlySubscriberId ?? null,
        retryHours,
        requestedBy: input.actor,
        createdAt: now,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    await audit(trx, {
      at: now,
      actor: input.actor,
      action: 'announcement.triggered',
      subject: `edition:${edition.id}`,
      detail: { subject },
    })
    return edition
  })
}

/** How long deferred mails of an edition are tried: its own window, at most the site's. */
function readRetryHours(ctx: Context, hours: number | undefined): number | null {
  const most = ctx.config.mail.retryHours
  if (hours === undefined) return null
  if (!Number.isInteger(hours) || hours < 1 || hours > most)
    throw invalid('retryHours', `The window for retries must be 1 to ${most} hours (RETRY_HOURS).`)
  return hours
}

/** Of categories that are offered; an unknown slug is refused. */
export async function categoryIdsOf(ctx: Context, slugs: readonly string[]): Promise<number[]> {
  const known = await ctx.db
    .selectFrom('categories')
    .select(['id', 'slug'])
    .where('slug', 'in', [...slugs])
    .where('retiredAt', 'is', null)
    .execute()
  const unknown = slugs.find((slug) => !known.some((category) => category.slug === slug))
  if (unknown !== undefined) throw invalid('categories', `There is no category ${unknown}.`)
  return known.map((category) => category.id)
}
