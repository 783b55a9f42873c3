// The progress of an edition, from counts and times: percent, rate, time left. Pure.

import type { Account } from '../db/schema.ts'

export interface Progress {
  /** Part of the audience: sent, failed, skipped or uncertain. */
  done: number
  audience: number
  /** 0-100, rounded down: 100 means that nothing is open. */
  percent: number
  /** Deliveries settled per second since the last sample; null before there are two. */
  perSecond: number | null
  /** null if nothing progresses or is known. */
  secondsLeft: number | null
}

export interface Sample {
  done: number
  at: Date
}

export function progress(account: Account, now: Date, earlier: Sample | null): Progress {
  const done = account.audience - account.open
  const seconds = earlier ? (now.getTime() - earlier.at.getTime()) / 1000 : 0
  const perSecond = earlier && seconds > 0 ? Math.max(0, (done - earlier.done) / seconds) : null
  return {
    done,
    audience: account.audience,
    percent: account.audience === 0 ? 100 : Math.floor((100 * done) / account.audience),
    perSecond,
    secondsLeft: account.open === 0 ? 0 : perSecond ? Math.ceil(account.open / perSecond) : null,
  }
}

/** One line for a terminal: `[######····] 61 %  610 of 1,000  2,140/s  0:12 left`. */
export function progressLine(title: string, found: Progress): string {
  const filled = Math.floor(found.percent / 5)
  const parts = [
    `${title} [${'#'.repeat(filled)}${'·'.repeat(20 - filled)}] ${found.percent} %`,
    `${thousands(found.done)} of ${thousands(found.audience)}`,
  ]
  if (found.perSecond !== null) parts.push(`${thousands(Math.round(found.perSecond))}/s`)
  if (found.secondsLeft)
    parts.push(`${Math.floor(found.secondsLeft / 60)}:${String(found.secondsLeft % 60).padStart(2, '0')} left`)
  return parts.join('  ')
}

function thousands(count: number): string {
  return count.toLocaleString('en')
}
