// How a column is read: what its cells say, decided once by its title (titles.ts), by its system (systems.ts) or by the operator.

import type { Standing } from './standing.ts'

/** What a cell is kept as, where it is understood. */
export const fields = [
  'email',
  'created_at',
  'requested_at',
  'confirmed_at',
  'unsubscribed_at',
  'suppressed_at',
  'suppression_reason',
  'status_before',
  'consent_at',
  'consent_ip',
  'consent_place',
  'consent_wording',
  'timezone',
  'locale',
  'send_hour',
  'weekly_day',
  'monthly_day',
  'order',
  'paused_until',
  'frequency',
] as const
export type Field = (typeof fields)[number]

export type Reading =
  | { as: 'field'; field: Field }
  /** Words for a status. `words`: the system's own, before the general ones; null: says nothing about mail. */
  | { as: 'status'; words?: Record<string, Standing | null> }
  /** Yes, no or a time. What each means; null: nothing. `blankIfUnsaid`: what blank means where nothing else says anything. */
  | { as: 'flag'; yes: Standing | null; no: Standing | null; blankIfUnsaid: Standing | null; time?: Field }
  /** Anything in it means this: the reason of an unsubscribe. */
  | { as: 'trace'; standing: Standing }
  /** Names of tags, lists or groups, for the choice. */
  | { as: 'tags' }
  /** Whether and how often this category: `daily`, `off`, yes. */
  | { as: 'category'; slug: string }
  /** Left out. `isChecked`: its values are still looked through for words that forbid mail. */
  | { as: 'nothing'; isChecked: boolean }
  /** Its title sounds as if it said who may be mailed, and isn't understood: the import stops. */
  | { as: 'doubt' }

export const field = (name: Field): Reading => ({ as: 'field', field: name })
export const nothing: Reading = { as: 'nothing', isChecked: false }
export const neutral: Reading = { as: 'nothing', isChecked: true }
export const tags: Reading = { as: 'tags' }
export const status = (words?: Record<string, Standing | null>): Reading => ({
  as: 'status',
  ...(words ? { words } : {}),
})
/** A column that forbids mail where it says yes, or when. */
export const against = (standing: Standing, time?: Field): Reading => ({
  as: 'flag',
  yes: standing,
  no: null,
  blankIfUnsaid: null,
  ...(time ? { time } : {}),
})
/** A column that allows mail where it says yes, or when: who is blank there never agreed, as far as anybody knows. */
export const inFavour = (otherwise: Standing, time: Field = 'consent_at'): Reading => ({
  as: 'flag',
  yes: 'subscribed',
  no: otherwise,
  blankIfUnsaid: otherwise,
  time,
})
