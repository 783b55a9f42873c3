// Counts over many rows that a page mustn't wait for: it gets what is counted in a moment, or null, and asks again.

import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from '../../db/connect.ts'

const running = new WeakMap<Db, Map<string, Promise<unknown>>>()
const slowMs = 150
/** A count that took long is kept for so many times as long as it took, so that watching it can't fill the database's day. */
const keptTimes = 20
const mostKeptMs = 10_000

/** The count; null: it takes longer than a page should, so ask again in a moment. `key` names what is counted. */
export async function countInTime<T>(
  db: Db,
  key: string,
  count: () => Promise<T>,
  patienceMs = slowMs,
): Promise<T | null> {
  const counts = running.get(db) ?? new Map<string, Promise<unknown>>()
  running.set(db, counts)
  let counting = counts.get(key) as Promise<T> | undefined
  if (!counting) {
    const since = performance.now()
    const forget = () => counts.delete(key)
    counting = count()
    counts.set(key, counting)
    counting.then(() => {
      const took = performance.now() - since
      if (took < slowMs) forget()
      else setTimeout(forget, Math.min(took * keptTimes, mostKeptMs)).unref()
    }, forget)
  }
  return Promise.race([counting, pause(patienceMs, null, { ref: false })])
}
