// What subscribers may change themselves: category × frequency, their order, hour, days, zone, language, a pause. Values that
// aren't given stay, so a caller may send a single field.

import { invalid } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Category, Subscriber } from '../db/schema.ts'
import { invalidField } from '../messages/refusals.ts'
import { listCategories } from '../articles/store.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import type { Choices, GivenChoices } from './choices.ts'
import { recordConsent, wordingOf, type Origin } from './consent.ts'
import { mayMail } from './limits.ts'
import { findSubscriberByKey, linesOf, listSubscriptions, lockSubscriber } from './store.ts'
import { readAddress } from './subscribe.ts'
import { saveSubscriptions } from './subscriptions.ts'

export interface PreferenceChanges {
  /** Categories that aren't named keep their frequency. */
  choices?: GivenChoices | undefined
  /** Slugs, first one first. The others keep their order. */
  order?: readonly string[] | undefined
  /** null: the site's. The same holds for the next three. */
  sendHour?: number | null | undefined
  weeklyDay?: number | null | undefined
  monthlyDay?: number | null | undefined
  timezone?: string | null | undefined
  locale?: string | null | undefined
  /** null: no pause. */
  pausedUntil?: Date | null | undefined
}

/**
 * Only for active subscribers: for others, returns `not-active` and changes nothing. `changeId` identifies the change for the
 * undo.
 */
export async function changePreferences(
  ctx: Context,
  subscriberId: number,
  changes: PreferenceChanges,
  origin: Origin,
): Promise<{ outcome: 'changed'; subscriber: Subscriber; changeId: number } | { outcome: 'not-active' | 'unknown' }> {
  const categories = await listCategories(ctx.db)
  return ctx.db.transaction().execute(async (trx) => {
    const before = await lockSubscriber(trx, subscriberId)
    if (!before) return { outcome: 'unknown' }
    if (before.status !== 'active') return { outcome: 'not-active' }
    return { outcome: 'changed', ...(await changeIn(trx, ctx, before, changes, { categories, origin })) }
  })
}

/**
 * Undoes change `changeId` of a subscriber: choice, order, times and pause become what they were before. `changed-since`:
 * something else was changed later, or the subscription isn't active; `undone`: it is already undone.
 */
export async function undoPreferences(
  ctx: Context,
  subscriberId: number,
  changeId: number,
  origin: Origin,
): Promise<{ outcome: 'changed'; changeId: number } | { outcome: 'undone' | 'changed-since' }> {
  const categories = await listCategories(ctx.db)
  return ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockSubscriber(trx, subscriberId)
    const last = subscriber && (await findLastChange(trx, subscriberId))
    if (last?.undid === changeId) return { outcome: 'undone' }
    if (!last?.before || last.id !== changeId || subscriber?.status !== 'active') return { outcome: 'changed-since' }
    const { choices, order, pausedUntil, ...columns } = last.before
    const changes = {
      ...columns,
      order,
      choices: { ...Object.fromEntries(categories.map(({ slug }) => [slug, 'off' as const])), ...choices },
      pausedUntil: pausedUntil === null ? null : new Date(pausedUntil),
    }
    // A category that is no longer offered can't be chosen again. Its row was never changed.
    const offered = Object.entries(changes.choices).filter(([slug]) => categories.some((one) => one.slug === slug))
    const given = { ...changes, choices: Object.fromEntries(offered) }
    const detail = { undid: changeId }
    const written = await changeIn(trx, ctx, subscriber, given, { categories, origin, detail })
    return { outcome: 'changed', changeId: written.changeId }
  })
}

/** A subscriber's values before a change, stored in the change's consent record. */
interface Before {
  choices: Choices
  order: string[]
  sendHour: number | null
  weeklyDay: number | null
  monthlyDay: number | null
  timezone: string | null
  locale: string | null
  pausedUntil: string | null
}

/**
 * The newest record of a subscriber. Everything that they do writes one, so it shows whether a change was the last. `before`: only
 * if it is a change.
 */
export async function findLastChange(
  db: Db,
  subscriberId: number,
): Promise<{ id: number; before: Before | null; undid: number | null } | undefined> {
  const row = await db
    .selectFrom('consents')
    .select(['id', 'detail'])
    .where('subscriberId', '=', subscriberId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  const { before, undid } = (row?.detail ?? {}) as { before?: Before; undid?: number }
  return row && { id: row.id, before: before ?? null, undid: undid ?? null }
}

/** Within a transaction that holds the lock of an active subscriber. */
export async function changeIn(
  trx: Trx,
  ctx: Pick<Context, 'clock' | 'config'>,
  before: Subscriber,
  changes: PreferenceChanges,
  record: { categories: readonly Category[]; origin: Origin; detail?: Record<string, unknown> },
): Promise<{ subscriber: Subscriber; changeId: number }> {
  const now = ctx.clock.now()
  const { id, sendHour, weeklyDay, monthlyDay, timezone, locale, pausedUntil } = before
  const { choices = {}, order = [], ...rest } = changes
  const columns = given(rest)
  const lines = await listSubscriptions(trx, id)
  const chosen = Object.fromEntries(lines.map((line) => [line.slug, line.frequency]))
  const own = lines.map((line) => line.slug)
  const frequencies = { ...chosen, ...choices }
  const after = { ...before, ...columns }
  if (Object.keys(columns).length > 0) await trx.updateTable('subscribers').set(columns).where('id', '=', id).execute()
  const places = [...order, ...own.filter((slug) => !order.includes(slug))]
  const choice = linesOf(frequencies, record.categories, places)
  const nextDueAt = await saveSubscriptions(trx, ctx.config, after, choice, now)
  const changeId = await recordConsent(trx, {
    subscriberId: id,
    action: 'changed',
    at: now,
    origin: record.origin,
    wording: wordingOf(ctx.config),
    detail: {
      choices: frequencies,
      ...columns,
      before: { choices: chosen, order: own, sendHour, weeklyDay, monthlyDay, timezone, locale, pausedUntil },
      ...record.detail,
    },
  })
  return { subscriber: { ...after, nextDueAt }, changeId }
}

/**
 * Mails a new preferences link, a few times a day at most. Only to subscribers who confirmed, unsubscribed or not. The caller
 * isn't told whether.
 */
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

/** By address, for a subscriber without a link at hand. The response doesn't reveal whether the address is known. */
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

/** A language tag in which this program can write dates, `de_DE` too; empty: null. Pure. */
export function readLocale(given: unknown, field = 'language'): string | null {
  if (given === undefined || given === null || given === '') return null
  try {
    const [locale] = Intl.DateTimeFormat.supportedLocalesOf(String(given).slice(0, 35).replaceAll('_', '-'))
    if (locale) return locale
  } catch {
    // Not a valid language tag: the same refusal.
  }
  throw invalidField(field, 'form.unknownLanguage')
}

function given<T extends object>(columns: T): Partial<T> {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined)) as Partial<T>
}
