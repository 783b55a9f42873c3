// The one source of now. Workflows read it once and pass `now` on, so that a story can't straddle a tick; tests move it by
// hand. Only slots and due times follow this clock: leases, fences and retries follow the database's.

export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A clock that stands at `at`: what `--as-of TIME` runs on. */
export function fixedClock(at: Date): Clock {
  return { now: () => new Date(at) }
}
