// What an editor starts: a manual digest for chosen categories, or an announcement in an editor's own words. The edition is
// created at once and logged. The tick plans it.

import { type Actor, audit, type AuditEntry } from '../access/audit.ts'
import { sql } from 'kysely'
import { categoryIdsOf } from '../articles/store.ts'
import { invalid, Refusal } from '../base/errors.ts'
import type { Trx } from '../db/connect.ts'
import { refuseWhileHeld } from '../delivery/sending-hold.ts'
import type { Context } from '../db/context.ts'
import type { Edition } from '../db/schema.ts'
import { checkAnnouncement } from '../digests/announce.ts'
import { readSenderWords } from '../digests/sender-words.ts'
import { createTriggered } from '../editions/create.ts'

interface Trigger {
  onlySubscriberId?: number | undefined
  retryHours?: number | undefined
  /** The same key again makes no second edition, but returns the first. */
  requestKey?: string | undefined
  /** Refuse it as TriggeredJustNow if editions after this id were triggered within the last minutes. */
  seenUpTo?: number | undefined
  actor: Actor
}

/** Ignores frequencies, and leaves out what each subscriber has seen. `categories`: slugs; none: all. */
export async function triggerDigest(
  ctx: Context,
  input: Trigger & {
    categories?: readonly string[] | undefined
    /** An editor's own words, with blanks; empty: the site's rule. */
    subject?: string | undefined
    preheader?: string | undefined
  },
): Promise<Edition> {
  const content = JSON.stringify(readSenderWords(input))
  const categoryIds = input.categories?.length ? await categoryIdsOf(ctx.db, input.categories) : null
  return insertOnce(
    ctx,
    input,
    { kind: 'manual', content, categoryIds },
    { action: 'edition.triggered', detail: { categories: input.categories ?? null } },
  )
}

/** To every active subscriber who hasn't paused. `body` is Markdown (digests/markdown.ts). Refuses one that is too large as a mail. */
export async function triggerAnnouncement(
  ctx: Context,
  input: Trigger & { subject: string; body: string },
): Promise<Edition> {
  const subject = input.subject.trim()
  const body = input.body.trim()
  // oxlint-disable-next-line no-control-regex
  if (!subject || subject.length > 200 || /[\x00-\x1f\x7f]/.test(subject))
    throw invalid('subject', 'The subject must be one line of 1 to 200 characters.')
  if (!body || body.length > 20_000) throw invalid('body', 'The text must have 1 to 20,000 characters.')
  checkAnnouncement(ctx.config, body)
  return insertOnce(
    ctx,
    input,
    { kind: 'announcement', content: JSON.stringify({ subject, body }) },
    { action: 'announcement.triggered', detail: { subject } },
  )
}

/** With its line in the audit log. */
async function insertOnce(
  ctx: Context,
  { onlySubscriberId, retryHours, requestKey, seenUpTo, actor }: Trigger,
  what: Pick<Parameters<typeof createTriggered>[1], 'kind' | 'content' | 'categoryIds'>,
  line: Pick<AuditEntry, 'action' | 'detail'>,
): Promise<Edition> {
  const now = ctx.clock.now()
  const values = {
    ...what,
    onlySubscriberId: onlySubscriberId ?? null,
    retryHours: readRetryHours(ctx, retryHours),
    requestKey: requestKey ?? null,
    requestedBy: actor,
    createdAt: now,
  }
  await refuseWhileHeld(ctx.db)
  return ctx.db.transaction().execute(async (trx) => {
    if (seenUpTo !== undefined) await refuseJustNow(trx, values, now, seenUpTo)
    const { edition, isNew } = await createTriggered(trx, values)
    if (isNew) await audit(trx, { ...line, at: now, actor, subject: `edition:${edition.id}` })
    return edition
  })
}

/** An editor must confirm a second edition that is triggered so soon after another one. */
const justNowMinutes = 10
/** An arbitrary constant, the same in every process. */
const triggerLock = 1_801_301_004

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
