// A clock that tests move by hand.

import type { Clock } from '../../src/base/clock.ts'

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export class MovableClock implements Clock {
  #at: number
  constructor(at: string | Date) {
    this.#at = new Date(at).getTime()
  }
  now(): Date {
    return new Date(this.#at)
  }
  /** `90s`, `5m`, `1h`, `2d`; negative goes back. */
  advance(by: string): void {
    const match = /^(-?\d+)([smhd])$/.exec(by)
    if (!match) throw new Error(`not a duration: ${by}`)
    this.#at += Number(match[1]) * units[match[2] as keyof typeof units]
  }
  set(at: string | Date): void {
    this.#at = new Date(at).getTime()
  }
}
