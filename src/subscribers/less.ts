// "Less Politics", the link in each section of a digest: a category becomes less frequent, or stops. Such a link never makes it
// more frequent, because forwarded mails contain it too. The undo is offered only to whoever pressed the button.

import { listCategories } from '../articles/store.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { frequencies, type Frequency, type Subscriber } from '../db/schema.ts'
import { isFrequency } from './choices.ts'
import type { Origin } from './consent.ts'
import { changeIn } from './preferences.ts'
import { listSubscriptions, lockSubscriber } from './store.ts'

export type Less = Frequency | 'off'

/** From the most frequent to never. */
const steps: readonly Less[] = [...frequencies, 'off']

/** daily → weekly → monthly → off. Pure. */
export function nextLess(frequency: Frequency): Less {
  return steps[steps.indexOf(frequency) + 1]!
}

interface Lowered {
  subscriber: Subscriber
  to: Less
  /** The consent record of this change, which identifies it for the undo. */
  consentId: number
}

/**
 * Lowers one category to `to`, or by one step. Safe to repeat with `to`. undefined: there is nothing to lower: the frequency is
 * already that low, there is no subscription, or the subscriber isn't active.
 */
export async function lower(
  ctx: Context,
  holder: { id: number; generation: number },
  asked: { slug: string; to?: Less | undefined },
  origin: Origin,
): Promise<Lowered | undefined> {
  const categories = await listCategories(ctx.db)
  return ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockHolder(trx, holder)
    if (!subscriber) return undefined
    const lines = await listSubscriptions(trx, holder.id)
    const line = lines.find(({ slug }) => slug === asked.slug)
    if (!line) return undefined
    const to = asked.to ?? nextLess(line.frequency)
    if (steps.indexOf(to) <= steps.indexOf(line.frequency)) return undefined
    const detail = {
      way: 'less',
      less: { category: line.slug, from: line.frequency, to, order: lines.map(({ slug }) => slug) },
    }
    const { subscriber: changed, changeId } = await changeIn(
      trx,
      ctx,
      subscriber,
      { choices: { [line.slug]: to } },
      { categories, origin, detail },
    )
    return { subscriber: changed, to, consentId: changeId }
  })
}

/** Once, and only while nothing else has changed since. undefined: no longer possible. */
export async function takeBackLower(
  ctx: Context,
  undo: { id: number; generation: number; consentId: number },
  origin: Origin,
): Promise<{ slug: string; frequency: Frequency } | undefined> {
  const categories = await listCategories(ctx.db)
  return ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockHolder(trx, undo)
    if (!subscriber) return undefined
    const { id, detail } = await lastConsent(trx, undo.id)
    const { category, from, order } = (detail['less'] ?? {}) as { category?: string; from?: unknown; order?: string[] }
    if (id !== undo.consentId || !isFrequency(from) || !categories.some(({ slug }) => slug === category))
      return undefined
    const choices = { [category!]: from }
    await changeIn(trx, ctx, subscriber, { choices, order }, { categories, origin, detail: { way: 'less-undo' } })
    return { slug: category!, frequency: from }
  })
}

async function lockHolder(trx: Trx, holder: { id: number; generation: number }): Promise<Subscriber | undefined> {
  const subscriber = await lockSubscriber(trx, holder.id)
  return subscriber?.status === 'active' && subscriber.generation === holder.generation ? subscriber : undefined
}

/** Every change of a choice writes a record, so the last one shows whether anything has changed since. */
async function lastConsent(trx: Trx, subscriberId: number): Promise<{ id: number; detail: Record<string, unknown> }> {
  return trx
    .selectFrom('consents')
    .select(['id', 'detail'])
    .where('subscriberId', '=', subscriberId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
}
