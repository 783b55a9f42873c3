// The snapshot of an edition: rendered once, stored, and the same for every worker (render.ts says what is in it).

import { sql } from 'kysely'
import { systemClock } from '../base/clock.ts'
import type { Context } from '../db/context.ts'
import { loadTemplate } from '../mails/templates.ts'
import { renderSnapshot } from './render.ts'
import { getEditionSource } from './source.ts'

/** Enough that a reader who has seen the newest ones still finds the number that a digest shows, and some to like. */
export function renderedPerCategory(stories: number): number {
  return Math.min(stories * 3, stories + 20)
}

/** Renders and stores an edition's fragments, in the site's language and those of its audience; `languages`: in these too. Safe to
 * repeat: the last one counts, until the edition is being sent. */
export async function makeSnapshot(ctx: Context, editionId: number, languages: readonly string[] = []): Promise<void> {
  const source = await getEditionSource(ctx, editionId, languages)
  const template = await loadTemplate('digest', ctx.config.site)
  const snapshot = JSON.stringify(await renderSnapshot(ctx.config, template, source))
  const madeAt = ctx.clock.now()
  await ctx.db
    .insertInto('editionSnapshots')
    .values({ editionId, snapshot, madeAt })
    .onConflict((conflict) => conflict.column('editionId').doUpdateSet({ snapshot, madeAt }))
    .execute()
}

const snapshotDays = 7
const dayMs = 86_400_000

/** Snapshots are megabytes each, and are made again when somebody needs one of an edition that closed a week ago (compose.ts). On the
 * system's clock, as a tick as of next year must not purge this year. Safe to repeat. */
export async function purgeSnapshots({ db }: Context): Promise<void> {
  const before = new Date(systemClock.now().getTime() - snapshotDays * dayMs)
  await sql`
    delete from edition_snapshots s using editions e where e.id = s.edition_id and e.closed_at < ${before}`.execute(db)
}
