// Arranges an edition that waits: pins, drops and reorders stories, and sets an introduction.

import { type Actor, audit } from '../access/audit.ts'
import { invalid, Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import { readSenderWords } from '../digests/sender-words.ts'
import { makeSnapshot } from '../digests/snapshot.ts'
import { lockEdition } from '../editions/store.ts'
import { markStories, putFirst, putPinnedFirst, setContent } from '../editions/stories.ts'
import type { MakeSnapshot } from '../planning/prepare.ts'

export interface Arrangement {
  /** Per category: these stories come first, in this order. The others keep their order. */
  order?: { categoryId: number; articleIds: readonly number[] }[] | undefined
  pin?: readonly number[] | undefined
  unpin?: readonly number[] | undefined
  /** Not in this edition, nor in a later one. To keep a story for later, an editor holds it. */
  drop?: readonly number[] | undefined
  restore?: readonly number[] | undefined
  intro?: string | undefined
  /** Empty: the site's rule. Blanks: digests/sender-words.ts. */
  subject?: string | undefined
  preheader?: string | undefined
}

/** Changes an edition of which nothing has been sent, and renders it again. */
export async function arrangeEdition(
  ctx: Context,
  input: { editionId: number; arrangement: Arrangement; actor: Actor },
  parts: { makeSnapshot: MakeSnapshot } = { makeSnapshot },
): Promise<void> {
  const { editionId, arrangement, actor } = input
  if (arrangement.intro !== undefined && arrangement.intro.length > 5000)
    throw invalid('intro', 'The introduction may have 5,000 characters.')
  const { subject, preheader } = readSenderWords(arrangement)
  await ctx.db.transaction().execute(async (trx) => {
    const edition = await lockEdition(trx, editionId)
    if (edition.state !== 'awaiting_approval' && edition.state !== 'held')
      throw new Refusal('conflict', `Edition ${editionId} is ${edition.state}: only one that waits can be arranged.`)
    const marks = [
      ['pin', { isPinned: true }],
      ['unpin', { isPinned: false }],
      ['drop', { isDropped: true }],
      ['restore', { isDropped: false }],
    ] as const
    for (const [name, mark] of marks) await markStories(trx, editionId, arrangement[name] ?? [], mark)
    for (const { categoryId, articleIds } of arrangement.order ?? [])
      await putFirst(trx, editionId, categoryId, articleIds)
    await putPinnedFirst(trx, editionId)
    await setContent(trx, editionId, {
      ...edition.content,
      ...(arrangement.intro !== undefined && { intro: arrangement.intro }),
      ...(arrangement.subject !== undefined && { subject }),
      ...(arrangement.preheader !== undefined && { preheader }),
    })
    await audit(trx, {
      at: ctx.clock.now(),
      actor,
      action: 'edition.arranged',
      subject: `edition:${editionId}`,
      detail: { ...arrangement },
    })
  })
  await parts.makeSnapshot(ctx, editionId)
}
