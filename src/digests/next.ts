// The edition that would be made right now, without making it: for previews, tests and dry runs. Nothing is written.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { loadTemplate } from '../mails/templates.ts'
import type { OpenEdition } from './compose.ts'
import { openFrame } from './frame.ts'
import { listSnapshotArticles, renderedPerCategory, renderSnapshot, type SnapshotSource } from './snapshot.ts'

/** As digests/prepare.ts freezes them. */
const eligibleDays = 45
const mostStories = 500

export async function openNextEdition(
  ctx: Context,
  options: { at?: Date; onlyCategories?: readonly number[] | null; intro?: string } = {},
): Promise<OpenEdition> {
  const now = ctx.clock.now()
  const { source, cutoffSeq } = await findNextSource(ctx, now)
  return openSource(ctx, { ...source, intro: options.intro ?? '' }, { cutoffSeq, at: options.at ?? now, ...options })
}

/** An edition that isn't stored, out of any stories. */
export async function openSource(
  ctx: Pick<Context, 'config'>,
  source: SnapshotSource,
  { cutoffSeq, at, onlyCategories }: { cutoffSeq: number; at: Date; onlyCategories?: readonly number[] | null },
): Promise<OpenEdition> {
  const template = await loadTemplate('digest', ctx.config.site)
  const snapshot = renderSnapshot(ctx.config, template, source)
  const frame = openFrame(ctx.config, template, snapshot, { id: source.editionId, kind: 'preview', cutoffSeq, at })
  return { frame, onlyCategories: onlyCategories ?? null, stories: frame.edition, stopped: new Set() }
}

async function findNextSource(ctx: Context, now: Date): Promise<{ source: SnapshotSource; cutoffSeq: number }> {
  const rows = await listEligible(ctx.db, now)
  const categories = new Map<number, SnapshotSource['categories'][number]>()
  let cutoffSeq = 0
  for (const { id, name, position, ...story } of rows) {
    if (!categories.has(id)) categories.set(id, { id, name, position, stories: [] })
    categories.get(id)!.stories.push(story)
    cutoffSeq = Math.max(cutoffSeq, story.seq)
  }
  const list = [...categories.values()]
  const rendered = renderedPerCategory(ctx.config.digest.stories)
  const articles = await listSnapshotArticles(
    ctx.db,
    list.flatMap(({ stories }) => stories.slice(0, rendered).map(({ articleId }) => articleId)),
  )
  return { source: { editionId: null, intro: '', categories: list, articles }, cutoffSeq }
}

async function listEligible(db: Db, now: Date) {
  const { rows } = await sql<{
    id: number
    name: string
    position: number
    articleId: number
    seq: number
    isPinned: boolean
  }>`
    select c.id, c.name, c.position, s.article_id, s.seq, s.pinned_at is not null as is_pinned
    from categories c cross join lateral (
      select ac.article_id, ac.seq, a.pinned_at, a.published_at
      from article_categories ac join articles a on a.id = ac.article_id
      where ac.category_id = c.id and a.held_at is null and a.withdrawn_at is null
        and a.first_seen_at > ${now}::timestamptz - ${eligibleDays} * interval '1 day'
      order by a.pinned_at desc nulls last, ac.seq desc limit ${mostStories}
    ) s
    where c.retired_at is null
    order by c.position, c.id, s.pinned_at desc nulls last, s.published_at desc, s.seq desc`.execute(db)
  return rows
}
