// What an entry of systems.ts says.

import type { Reading } from './readings.ts'

export interface System {
  name: string
  /** Titles that its files contain. One of the sets must match completely. */
  has: readonly (readonly string[])[]
  columns: Record<string, Reading>
  /** Its pending sign-ups may still confirm here. */
  isOurs?: true
}

export const each = (titles: string, reading: Reading): Record<string, Reading> =>
  Object.fromEntries(titles.split(/,\s+/).map((title) => [title, reading]))

export const all = (words: string) =>
  Object.fromEntries(words.split(/,\s+/).map((word) => [word, 'subscribed' as const]))
