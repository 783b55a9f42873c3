// An attempt to parse a feed's document is recorded before it is made, as a failure that backs off. So a document that crashes its
// parser, or the whole process, has already failed. If parsing finishes, the failure is removed.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Feed } from '../db/schema.ts'
import { backoffFor } from './poll-times.ts'

export const unfinished = 'Reading it was not finished: the program was stopped meanwhile.'

export function backoff(feed: Feed, now: Date, retryAfterSeconds: number | null, random: () => number): Date {
  const seconds = backoffFor(feed.failures + 1, retryAfterSeconds, random)
  return new Date(now.getTime() + (feed.isSample ? Math.min(seconds, 60) : seconds) * 1000)
}

/** Call it when parsing of the document begins, not while the document waits behind others. */
export async function beginReading(ctx: Context, feed: Feed, now: Date, random: () => number): Promise<void> {
  await begin(ctx, feed, now, random).execute()
}

/** No document is parsed for longer: an attempt that began earlier and isn't over has crashed its parser. */
const longestReadingMs = 30_000

/**
 * For a hub's pushes. false while the feed backs off after a document that crashed its parser. Several pushes may be read at the
 * same time.
 */
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
      // The first of several: a repetition must not look like a new beginning.
      readingSince: sql<Date>`coalesce(reading_since, ${now})`,
      failures: sql<number>`failures + 1`,
      lastError: unfinished,
      nextPollAt: sql<Date>`greatest(next_poll_at, ${backoff(feed, now, null, random)}::timestamptz)`,
    })
    .where('id', '=', feed.id)
}

/** A push that wasn't a feed says nothing about the feed: its record is removed. */
export async function forgetReading(ctx: Context, { id, failures, lastError, nextPollAt }: Feed): Promise<void> {
  await ctx.db
    .updateTable('feeds')
    .set({ readingSince: null, failures, lastError, nextPollAt })
    .where('id', '=', id)
    .where('readingSince', 'is not', null)
    .execute()
}
