// An attempt to parse a feed's document is written down before it is made, as a failure that backs off. A document that takes its
// parser down, or the whole process, has thereby failed already; one that is parsed has the failure taken back.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Feed } from '../db/schema.ts'
import { backoffFor } from './poll-times.ts'

export const unfinished = 'Reading it was not finished: the program was stopped meanwhile.'

export function backoff(feed: Feed, now: Date, retryAfterSeconds: number | null, random: () => number): Date {
  const seconds = backoffFor(feed.failures + 1, retryAfterSeconds, random)
  return new Date(now.getTime() + (feed.isSample ? Math.min(seconds, 60) : seconds) * 1000)
}

/** Call it when the document's turn has come, not while it waits behind others. */
export async function beginReading(ctx: Context, feed: Feed, now: Date, random: () => number): Promise<void> {
  await begin(ctx, feed, now, random).execute()
}

/** Nothing is parsed for longer: what began before that and isn't over has taken its parser down. */
const longestReadingMs = 30_000

/** For what a hub pushes: false while the feed backs off after a document that took its parser down. Several pushes may be read at
 * the same time. */
export async function beginReadingPush(ctx: Context, feed: Feed, now: Date): Promise<boolean> {
  const began = await begin(ctx, feed, now, Math.random)
    .where((eb) =>
      eb.or([
        eb('readingSince', 'is', null),
        eb('readingSince', '>', new Date(now.getTime() - longestReadingMs)),
        eb('nextPollAt', '<=', now),
      ]),
    )
    .executeTakeFirst()
  return began.numUpdatedRows > 0n
}

function begin(ctx: Context, feed: Feed, now: Date, random: () => number) {
  return ctx.db
    .updateTable('feeds')
    .set({
      // Since the first of several: repeating it at once must not look like a beginning.
      readingSince: sql<Date>`coalesce(reading_since, ${now})`,
      failures: sql<number>`failures + 1`,
      lastError: unfinished,
      nextPollAt: sql<Date>`greatest(next_poll_at, ${backoff(feed, now, null, random)}::timestamptz)`,
    })
    .where('id', '=', feed.id)
}

/** A push that was no feed says nothing about the feed: as if it hadn't come. */
export async function forgetReading(ctx: Context, { id, failures, lastError, nextPollAt }: Feed): Promise<void> {
  await ctx.db
    .updateTable('feeds')
    .set({ readingSince: null, failures, lastError, nextPollAt })
    .where('id', '=', id)
    .where('readingSince', 'is not', null)
    .execute()
}
