// Tests wait for a condition, never for a time.

import { setTimeout as pause } from 'node:timers/promises'

/** Looks until the condition holds, and returns what it gave. Fails after a deadline that no healthy run comes near, with `what`: by
 * default the condition as it is written. */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  what: string | (() => unknown) = String(condition),
  deadlineMs = 120_000,
): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const found = await condition()
    if (found) return found as Exclude<T, false | null | undefined>
    if (performance.now() > end)
      throw new Error(`waited in vain: ${typeof what === 'string' ? what : JSON.stringify(await what())}`)
    await pause(5)
  }
}
