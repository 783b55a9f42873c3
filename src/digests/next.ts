// The edition that would be made right now, without making it: for previews, tests and dry runs. Nothing is written.

import type { Context } from '../db/context.ts'
import { loadTemplate } from '../mails/templates.ts'
import type { OpenEdition } from './compose.ts'
import { newestSeq } from '../articles/seq.ts'
import { chooseRendered, listEligible } from './eligible.ts'
import { openFrame } from './frame.ts'
import { renderSnapshot } from './render.ts'
import { renderedPerCategory } from './snapshot.ts'
import { listAudienceLanguages, othersOf, type SnapshotSource, withArticles } from './source.ts'

/** `languages`: besides the site's own; default: those of its audience. */
export async function openNextEdition(
  ctx: Context,
  options: { at?: Date; onlyCategories?: readonly number[] | null; intro?: string; languages?: readonly string[] } = {},
): Promise<OpenEdition> {
  const now = ctx.clock.now()
  const languages = options.languages ?? (await listAudienceLanguages(ctx))
  const { source, cutoffSeq } = await findNextSource(ctx, now, languages)
  return openSource(ctx, { ...source, intro: options.intro ?? '' }, { cutoffSeq, at: options.at ?? now, ...options })
}

/** An edition that isn't stored, out of any stories. */
export async function openSource(
  ctx: Pick<Context, 'config'>,
  source: SnapshotSource,
  { cutoffSeq, at, onlyCategories }: { cutoffSeq: number; at: Date; onlyCategories?: readonly number[] | null },
): Promise<OpenEdition> {
  const template = await loadTemplate('digest', ctx.config.site)
  const snapshot = await renderSnapshot(ctx.config, template, source)
  const frame = openFrame(ctx.config, template, snapshot, { id: source.editionId, kind: 'preview', cutoffSeq, at })
  return { frame, onlyCategories: onlyCategories ?? null, stopped: new Set() }
}

async function findNextSource(
  ctx: Context,
  now: Date,
  languages: readonly string[],
): Promise<{ source: SnapshotSource; cutoffSeq: number }> {
  // One more than there is: stories whose date has come count as released.
  const cutoffSeq = (await newestSeq(ctx.db)) + 1
  const categories = (await listEligible(ctx.db, { at: now, cutoffSeq, categoryIds: null, isNext: true })).map(
    (category) => {
      const stories = chooseRendered(category.stories, renderedPerCategory(ctx.config.digest.stories))
      return { ...category, stories, others: othersOf(category.stories, stories) }
    },
  )
  return { source: await withArticles(ctx, { editionId: null, intro: '', categories, languages }), cutoffSeq }
}
