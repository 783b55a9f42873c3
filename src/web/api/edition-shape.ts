// An edition in the API: with its account, and slugs instead of category ids.

import { z } from 'zod'
import { listCategories } from '../../articles/store.ts'
import { Refusal } from '../../base/errors.ts'
import { type Account, editionKinds, editionStates, skipReasons } from '../../db/schema.ts'
import { type EditionView, getEdition } from '../../editions/store.ts'
import { countReturned } from '../reads/returned.ts'
import type { WebContext } from '../web-context.ts'
import { countSendAgain } from '../../delivery/send-again.ts'
import { countUnsubscribes } from '../../subscribers/unsubscribes.ts'

export const amount = z.int().min(0)
export const returnedClasses = ['hard', 'soft', 'complaint'] as const
const account = z
  .object({
    audience: amount,
    sent: amount,
    failed: amount,
    uncertain: amount,
    open: amount,
    skipped: z.object(Object.fromEntries(skipReasons.map((reason) => [reason, amount]))),
  })
  .meta({ id: 'Account', description: 'audience = sent + failed + uncertain + open + all skipped, always.' })

export const edition = z
  .object({
    id: z.int(),
    kind: z.enum(editionKinds),
    state: z.enum(editionStates),
    slotAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    closedAt: z.iso.datetime().nullable(),
    approvedAt: z.iso.datetime().nullable().meta({
      description:
        'when an editor released it before its slot: while it is awaiting_approval, it waits for its slot only',
    }),
    categories: z.array(z.string()).nullable().meta({ description: 'slugs; null: all' }),
    note: z.string().meta({ description: 'why it is held, paused or empty, in words' }),
    missed: amount.meta({ description: 'subscribers whose slot this was while nothing ran' }),
    retryHours: z
      .int()
      .nullable()
      .meta({ description: 'hours that deferred mails are tried; null: as long as the site’s RETRY_HOURS' }),
    isPlanned: z.boolean(),
    retryable: amount
      .nullable()
      .meta({ description: 'failed mails that a retry would send again; null where it isn’t counted: in lists' }),
    undecided: amount
      .nullable()
      .meta({ description: 'uncertain mails that wait for a decision; null where it isn’t counted: in lists' }),
    account,
    returned: z
      .object(Object.fromEntries(returnedClasses.map((each) => [each, amount])))
      .meta({ description: 'of what was sent, what came back since; the account doesn’t change' }),
    unsubscribes: amount.meta({
      description: 'who unsubscribed by a link of this edition and didn’t undo it; the account doesn’t change',
    }),
  })
  .meta({ id: 'Edition' })

/** jsonb doesn't keep the order of a frozen account's keys. */
function inOrder({ audience, sent, failed, uncertain, open, skipped }: Account): Account {
  const reasons = Object.fromEntries(skipReasons.map((reason) => [reason, skipped[reason]]))
  return { audience, sent, failed, uncertain, open, skipped: reasons as Account['skipped'] }
}

/** Slugs instead of ids, because callers know slugs. `counts`: of a single edition. */
export async function showEditions(
  web: WebContext,
  views: readonly EditionView[],
  counts: { retryable: number; undecided: number } | null = null,
) {
  const slugs = views.some((view) => view.categories)
    ? new Map((await listCategories(web.db, { withRetired: true })).map((category) => [category.id, category.slug]))
    : new Map<number, string>()
  const returned = await countReturned(
    web.db,
    views.map(({ id }) => id),
  )
  const unsubscribes = await countUnsubscribes(
    web.db,
    views.map(({ id }) => id),
  )
  return views.map((view) => ({
    ...view,
    unsubscribes: unsubscribes.get(view.id)!,
    returned: returned.get(view.id)!,
    retryable: counts?.retryable ?? null,
    undecided: counts?.undecided ?? null,
    account: inOrder(view.account),
    categories: view.categories?.map((id) => slugs.get(id) ?? String(id)) ?? null,
  }))
}

export async function showEdition(web: WebContext, id: number) {
  const view = await getEdition(web.db, id)
  if (!view) throw new Refusal('not_found', `There is no edition ${id}.`)
  const counts = await countSendAgain(web.db, { ...view, createdAt: new Date(view.createdAt) }, view.account)
  return (await showEditions(web, [view], counts))[0]!
}
