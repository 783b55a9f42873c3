// What a subscriber may change by themselves: category × frequency, their order, hour, days, zone, language, a pause. What isn't
// given stays as it is, so that a caller may send one field.

import { invalid } from '../base/errors.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Category, Subscriber } from '../db/schema.ts'
import { listCategories } from '../articles/store.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import type { GivenChoices } from './choices.ts'
import { recordConsent, wordingOf, type Origin } from './consent.ts'
import { mayMail } from './limits.ts'
import { findSubscriberByKey, linesOf, listSubscriptions, lockSubscriber } from './store.ts'
import { readAddress } from './subscribe.ts'
import { saveSubscriptions } from './subscriptions.ts'

export interface PreferenceChanges {
  /** Categories that aren't named keep their frequency. */
  choices?: GivenChoices | undefined
  /** Slugs, first one first; the others follow in the order they had. */
  order?: readonly string[] | undefined
  /** null: the site's. So are the next three. */
  sendHour?: number | null | undefined
  weeklyDay?: number | null | undefined
  monthlyDay?: number | null | undefined
  timezone?: string | null | undefined
  locale?: string | null | undefined
  /** null: no pause. */
  pausedUntil?: Date | null | undefined
}

/** Only for active subscribers: others get `not-active`, and nothing changes. */
export async function changePreferences(
  ctx: Context,
  subscriberId: number,
  changes: PreferenceChanges,
  origin: Origin,
): Promise<{ outcome: 'changed'; subscriber: Subscriber } | { outcome: 'not-active' | 'unknown' }> {
  const categories = await listCategories(ctx.db)
  return ctx.db.transaction().execute(async (trx) => {
    const before = await lockSubscriber(trx, subscriberId)
    if (!before) return { outcome: 'unknown' }
    if (before.status !== 'active') return { outcome: 'not-active' }
    return { outcome: 'changed', subscriber: await changeIn(trx, ctx, before, changes, { categories, origin }) }
  })
}

/** Within a transaction that holds the lock of an active subscriber. */
export async function changeIn(
  trx: Trx,
  ctx: Pick<Context, 'clock' | 'config'>,
  before: Subscriber,
  changes: PreferenceChanges,
  how: { categories: readonly Category[]; origin: Origin; detail?: Record<string, unknown> },
): Promise<Subscriber> {
  const now = ctx.clock.now()
  const { choices = {}, order = [], ...columns } = changes
  const lines = await listSubscriptions(trx, before.id)
  const frequencies = { ...Object.fromEntries(lines.map((line) => [line.slug, line.frequency])), ...choices }
  const places = [...order, ...lines.map((line) => line.slug).filter((slug) => !order.includes(slug))]
  const after = { ...before, ...given(columns) }
  if (Object.keys(given(columns)).length > 0)
    await trx.updateTable('subscribers').set(given(columns)).where('id', '=', before.id).execute()
  const choice = linesOf(frequencies, how.categories, places)
  const nextDueAt = await saveSubscriptions(trx, ctx.config, after, choice, now)
  await recordConsent(trx, {
    subscriberId: before.id,
    action: 'changed',
    at: now,
    origin: how.origin,
    wording: wordingOf(ctx.config),
    detail: { choices: frequencies, ...given(columns), ...how.detail },
  })
  return { ...after, nextDueAt }
}

/** Mails a fresh preferences link, a few times a day at most. Only to those who confirmed, unsubscribed or not; the caller isn't
 * told. */
export async function mailPreferencesLink(
  ctx: Context,
  subscriberId: number,
  isStillMeant: (subscriber: Subscriber) => boolean = () => true,
): Promise<void> {
  const now = ctx.clock.now()
  await ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockSubscriber(trx, subscriberId)
    if (!subscriber || !isStillMeant(subscriber)) return
    if (subscriber.status !== 'active' && (subscriber.status !== 'unsubscribed' || !subscriber.confirmedAt)) return
    if (await mayMail(trx, subscriber.emailHash, 'preferences-link', now))
      await addToOutbox(trx, { kind: 'preferences-link', recipient: subscriber.email, subscriberId })
  })
}

/** By address, for somebody who has no link at hand; nobody is told whether it is known. */
export async function mailPreferencesLinkTo(ctx: Context, given: unknown): Promise<void> {
  const subscriber = await findSubscriberByKey(ctx.db, readAddress(given).key)
  if (subscriber) await mailPreferencesLink(ctx, subscriber.id)
}

/** A whole number within a range; empty: null. Pure. */
export function readNumber(field: string, given: unknown, least: number, most: number): number | null {
  if (given === undefined || given === null || given === '') return null
  const value = typeof given === 'number' ? given : Number(given)
  if ((typeof given !== 'number' && typeof given !== 'string') || !Number.isInteger(value))
    throw invalid(field, 'must be a whole number.')
  if (value < least || value > most) throw invalid(field, `must be from ${least} to ${most}.`)
  return value
}

/** A language tag that this program's dates can be written in; empty: null. Pure. */
export function readLocale(given: unknown, field = 'language'): string | null {
  if (given === undefined || given === null || given === '') return null
  try {
    const [locale] = Intl.DateTimeFormat.supportedLocalesOf(String(given).slice(0, 35))
    if (locale) return locale
  } catch {
    // Not even a language tag: the same answer.
  }
  throw invalid(field, 'That isn’t a language we know. Write it as en or pt-BR.')
}

function given<T extends object>(columns: T): Partial<T> {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined)) as Partial<T>
}
