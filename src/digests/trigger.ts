// What an editor starts: a manual digest for chosen categories, or an announcement in an editor's own words. The edition is made
// at once and logged; planning it is the tick's.

import { type Actor, audit, type AuditEntry } from '../access/audit.ts'
import { invalid } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import type { Insertable } from 'kysely'
import type { Edition, EditionsTable } from '../db/schema.ts'

/** Ignores frequency, respects what each subscriber has seen. `categories`: slugs; none: all. */
export async function triggerDigest(
  ctx: Context,
  input: {
    categories?: readonly string[] | undefined
    onlySubscriberId?: number | undefined
    retryHours?: number | undefined
    /** The same again makes no second edition, but returns the first. */
    requestKey?: string | undefined
    actor: Actor
  },
): Promise<Edition> {
  const retryHours = readRetryHours(ctx, input.retryHours)
  const now = ctx.clock.now()
  const categoryIds = input.categories?.length ? await categoryIdsOf(ctx, input.categories) : null
  return insertOnce(
    ctx,
    {
      kind: 'manual',
      state: 'planning',
      categoryIds,
      onlySubscriberId: input.onlySubscriberId ?? null,
      retryHours,
      requestKey: input.requestKey ?? null,
      requestedBy: input.actor,
      createdAt: now,
    },
    { at: now, actor: input.actor, action: 'edition.triggered', detail: { categories: input.categories ?? null } },
  )
}

/** To every active subscriber who hasn't paused. `body` is plain text, blank lines between paragraphs. */
export async function triggerAnnouncement(
  ctx: Context,
  input: {
    subject: string
    body: string
    onlySubscriberId?: number | undefined
    retryHours?: number | undefined
    /** The same again makes no second edition, but returns the first. */
    requestKey?: string | undefined
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
  return insertOnce(
    ctx,
    {
      kind: 'announcement',
      state: 'planning',
      content: JSON.stringify({ subject, body }),
      onlySubscriberId: input.onlySubscriberId ?? null,
      retryHours,
      requestKey: input.requestKey ?? null,
      requestedBy: input.actor,
      createdAt: now,
    },
    { at: now, actor: input.actor, action: 'announcement.triggered', detail: { subject } },
  )
}

/** With its line in the audit log. Of two at once with one request key, the second waits for the first and gets its edition. */
async function insertOnce(
  ctx: Context,
  edition: Insertable<EditionsTable>,
  line: Omit<AuditEntry, 'subject'>,
): Promise<Edition> {
  return ctx.db.transaction().execute(async (trx) => {
    const made = await trx
      .insertInto('editions')
      .values(edition)
      .onConflict((conflict) => conflict.column('requestKey').doNothing())
      .returningAll()
      .executeTakeFirst()
    if (made) {
      await audit(trx, { ...line, subject: `edition:${made.id}` })
      return made
    }
    return trx
      .selectFrom('editions')
      .selectAll()
      .where('requestKey', '=', edition.requestKey!)
      .executeTakeFirstOrThrow()
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
