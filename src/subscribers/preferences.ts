// What a subscriber may change by themselves: category × frequency, their order, hour, days, zone, language, a pause. What isn't
// given stays as it is, so that a caller may send one field.

import { invalid } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Category, Subscriber } from '../db/schema.ts'
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

/** Only for active subscribers: others get `not-active`, and nothing changes. `changeId` is what an undo names. */
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

/** Takes change `changeId` of a subscriber back, exactly: choice, order, times and pause are what they were before it. `changed-since`:
 * something else was changed later, or the subscription isn't active; `undone`: this one is taken back already. */
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
    // What was on offer then and isn't now can't be chosen again; its row was never touched.
    const offered = Object.entries(changes.choices).filter(([slug]) => categories.some((one) => one.slug === slug))
    const given = { ...changes, choices: Object.fromEntries(offered) }
    const detail = { undid: changeId }
    const written = await changeIn(trx, ctx, subscriber, given, { categories, origin, detail })
    return { outcome: 'changed', changeId: written.changeId }
  })
}

/** What a subscriber had before a change; in the change's consent record. */
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

/** The newest record of a subscriber: whatever they did since a change left a later one. `before`: only if it is a change. */
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
