// When a deferred delivery is tried again: after 5 minutes, doubling to 4 hours. Jitter of a fifth either way keeps deliveries
// that failed together from coming back together.

const firstSeconds = 300
const longestSeconds = 4 * 3600

/** `attempt`: how many tries came before this failure, from 0. `random` in [0, 1). Pure. */
export function retryDelaySeconds(attempt: number, random: number): number {
  const plain = Math.min(firstSeconds * 2 ** Math.min(attempt, 20), longestSeconds)
  return Math.round(plain * (0.8 + 0.4 * random))
}

/**
 * The same, but the last try isn't later than the end of the retry window. Nothing is shortened within a minute of the end or
 * after it. Pure.
 */
export function retryWithin(attempt: number, random: number, ageSeconds: number, retryHours: number): number {
  const delay = retryDelaySeconds(attempt, random)
  const left = retryHours * 3600 - ageSeconds
  return left > 60 ? Math.min(delay, Math.ceil(left) + 1) : delay
}

/**
 * A delivery is given up when its window has passed and it was tried at least three times, so a pause doesn't use up its tries.
 * Pure.
 */
export function isGivenUp(attempt: number, ageSeconds: number, retryHours: number): boolean {
  return ageSeconds > retryHours * 3600 && attempt + 1 >= 3
}
