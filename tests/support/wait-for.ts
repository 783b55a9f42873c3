// Tests wait for a condition, never for a time.

import { setTimeout as pause } from 'node:timers/promises'

/** Looks until the condition holds, and returns what it gave. Fails with `what` after a deadline that no healthy run comes near. */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 60_000,
): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const found = await condition()
    if (found) return found as Exclude<T, false | null | undefined>
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`)
    await pause(5)
  }
}
