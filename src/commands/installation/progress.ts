// A progress bar for rows, with rate and time left.

import { progressLine } from '../../desk/progress.ts'
import type { Out } from '../out.ts'

export interface RowProgress {
  counting(table: string): void
  rows(done: number, all: number, table: string): void
  /** Rows per second since the first; ends the bar. */
  end(): number
}

export function rowProgress(out: Out): RowProgress {
  const started = performance.now()
  let first: number | null = null
  let shownAt = 0
  let total = 0
  return {
    counting: (table) => out.progress(`counting ${table}`),
    rows(done, all, table) {
      const now = performance.now()
      first ??= now
      total = done
      if (now - shownAt < 100) return
      shownAt = now
      const perSecond = now - first > 500 ? (1000 * done) / (now - first) : null
      out.progress(
        progressLine(table, {
          done,
          audience: all,
          percent: all ? Math.min(100, Math.floor((100 * done) / all)) : 100,
          perSecond,
          secondsLeft: perSecond ? Math.ceil(Math.max(0, all - done) / perSecond) : null,
        }),
      )
    },
    end() {
      out.progress('')
      return Math.round((1000 * total) / Math.max(1, performance.now() - (first ?? started)))
    },
  }
}
