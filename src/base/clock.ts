// The only source of the current time. Workflows read it once and pass `now` on, so one workflow never uses two times. Tests set
// it. Only slots and due times follow this clock: leases, fences and retries follow the database's.

export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A clock that always says `at`, for `--as-of TIME`. */
export function fixedClock(at: Date): Clock {
  return { now: () => new Date(at) }
}
