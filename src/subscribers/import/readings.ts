// How a column is read: the meaning of its cells, decided once by its title (titles.ts), by its system (systems.ts) or by the
// operator.

import type { Standing } from './standing.ts'

/** The field under which a cell is stored, if it is understood. */
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
  /**
   * Yes, no or a time, with the meaning of each; null: nothing. `blankIfUnsaid`: the meaning of blank if no other column says
   * anything.
   */
  | { as: 'flag'; yes: Standing | null; no: Standing | null; blankIfUnsaid: Standing | null; time?: Field }
  /** Any value means this, such as the reason of an unsubscribe. */
  | { as: 'trace'; standing: Standing }
  /** Names of tags, lists or groups, for the choice. */
  | { as: 'tags' }
  /** Whether and how often this category is wanted: `daily`, `off`, yes. */
  | { as: 'category'; slug: string }
  /** Ignored. `isChecked`: its values are still searched for words that forbid mail. */
  | { as: 'nothing'; isChecked: boolean }
  /** Its title may concern who may be mailed, and isn't understood: the import stops. */
  | { as: 'doubt' }

export const field = (name: Field): Reading => ({ as: 'field', field: name })
export const nothing: Reading = { as: 'nothing', isChecked: false }
export const neutral: Reading = { as: 'nothing', isChecked: true }
export const tags: Reading = { as: 'tags' }
export const status = (words?: Record<string, Standing | null>): Reading => ({
  as: 'status',
  ...(words ? { words } : {}),
})
/** A column that forbids mail if it contains yes or a time. */
export const against = (standing: Standing, time?: Field): Reading => ({
  as: 'flag',
  yes: standing,
  no: null,
  blankIfUnsaid: null,
  ...(time ? { time } : {}),
})
/** A column that allows mail if it contains yes or a time. If it is blank, there is no known consent. */
export const inFavour = (otherwise: Standing, time: Field = 'consent_at'): Reading => ({
  as: 'flag',
  yes: 'subscribed',
  no: otherwise,
  blankIfUnsaid: otherwise,
  time,
})
