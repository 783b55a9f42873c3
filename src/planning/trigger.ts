// What an editor starts: a manual digest for chosen categories, or an announcement in an editor's own words. The edition is
// created at once and logged. The tick plans it.

import { type Actor, audit, type AuditEntry } from '../access/audit.ts'
import { sql } from 'kysely'
import { invalid, Refusal } from '../base/errors.ts'
import type { Trx } from '../db/connect.ts'
import { refuseWhileHeld } from '../delivery/sending-hold.ts'
import type { Context } from '../db/context.ts'
import type { Edition } from '../db/schema.ts'
import { checkAnnouncement } from '../digests/announce.ts'
import { readSenderWords } from '../digests/sender-words.ts'
import { createTriggered } from '../editions/create.ts'

/** Ignores frequencies, and leaves out what each subscriber has seen. `categories`: slugs; none: all. */
export async function triggerDigest(
  ctx: Context,
  input: {
    categories?: readonly string[] | undefined
    /** An editor's own words, with blanks; empty: the site's rule. */
    subject?: string | undefined
    preheader?: string | undefined
    onlySubscriberId?: number | undefined
    retryHours?: number | undefined
    /** The same key again makes no second edition, but returns the first. */
    requestKey?: string | undefined
    /** Refuse it as TriggeredJustNow if editions after this id were triggered within the last minutes. */
    seenUpTo?: number | undefined
    actor: Actor
  },
): Promise<Edition> {
  const retryHours = readRetryHours(ctx, input.retryHours)
  const now = ctx.clock.now()
  const words = readSenderWords(input)
  const categoryIds = input.categories?.length ? await categoryIdsOf(ctx, input.categories) : null
  return insertOnce(
    ctx,
    {
      kind: 'manual',
      content: JSON.stringify(words),
      categoryIds,
      onlySubscriberId: input.onlySubscriberId ?? null,
      retryHours,
      requestKey: input.requestKey ?? null,
      requestedBy: input.actor,
      createdAt: now,
    },
    { at: now, actor: input.actor, action: 'edition.triggered', detail: { categories: input.categories ?? null } },
    input.seenUpTo,
  )
}

/** To every active subscriber who hasn't paused. `body` is Markdown (digests/markdown.ts). Refuses one that is too large as a mail. */
export async function triggerAnnouncement(
  ctx: Context,
  input: {
    subject: string
    body: string
    onlySubscriberId?: number | undefined
    retryHours?: number | undefined
    /** The same key again makes no second edition, but returns the first. */
    requestKey?: string | undefined
    /** Refuse it as TriggeredJustNow if editions after this id were triggered within the last minutes. */
    seenUpTo?: number | undefined
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
  checkAnnouncement(ctx.config, body)
  return insertOnce(
    ctx,
    {
      kind: 'announcement',
      content: JSON.stringify({ subject, body }),
      onlySubscriberId: input.onlySubscriberId ?? null,
      retryHours,
      requestKey: input.requestKey ?? null,
      requestedBy: input.actor,
      createdAt: now,
    },
    { at: now, actor: input.actor, action: 'announcement.triggered', detail: { subject } },
    input.seenUpTo,
  )
}

/** With its line in the audit log. */
async function insertOnce(
  ctx: Context,
  values: Parameters<typeof createTriggered>[1],
  line: Omit<AuditEntry, 'subject'>,
  seenUpTo: number | undefined,
): Promise<Edition> {
  await refuseWhileHeld(ctx.db)
  return ctx.db.transaction().execute(async (trx) => {
    if (seenUpTo !== undefined) await refuseJustNow(trx, values, line.at, seenUpTo)
    const { edition, isNew } = await createTriggered(trx, values)
    if (isNew) await audit(trx, { ...line, subject: `edition:${edition.id}` })
    return edition
  })
}

/** An editor must confirm a second edition that is triggered so soon after another one. */
const justNowMinutes = 10
/** An arbitrary constant, the same in every process. */
const triggerLock = 1_801_301_003

/** Other editions were triggered within the last minutes, newest first. */
export class TriggeredJustNow extends Refusal {
  readonly editions: readonly Edition[]
  constructor(editions: readonly Edition[]) {
    super('conflict', `Edition ${editions[0]!.id} was triggered within the last ${justNowMinutes} minutes.`)
    this.editions = editions
  }
}

/** If two editors trigger at the same moment, the second must confirm. A repeated request doesn't count as another edition. */
async function refuseJustNow(
  trx: Trx,
  { requestKey }: { requestKey?: string | null | undefined },
  now: Date,
  after: number,
): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(triggerLock)})`.execute(trx)
  const recent = await trx
    .selectFrom('editions')
    .selectAll()
    .where('kind', 'in', ['manual', 'announcement'])
    .where('onlySubscriberId', 'is', null)
    .where('createdAt', '>', new Date(now.getTime() - justNowMinutes * 60_000))
    .where('id', '>', after)
    .orderBy('id', 'desc')
    .limit(10)
    .execute()
  if (recent.length > 0 && !recent.some((edition) => requestKey && edition.requestKey === requestKey))
    throw new TriggeredJustNow(recent)
}

/** How long deferred mails of an edition are retried: its own window, at most the site's. */
function readRetryHours(ctx: Context, hours: number | undefined): number | null {
  const most = ctx.config.mail.retryHours
  if (hours === undefined) return null
  if (!Number.isInteger(hours) || hours < 1 || hours > most)
    throw invalid('retryHours', `The window for retries must be 1 to ${most} hours (RETRY_HOURS).`)
  return hours
}

/** Ids of categories that are offered. Refuses an unknown slug. */
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
