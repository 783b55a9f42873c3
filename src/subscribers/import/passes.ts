// One pass over all files, row by row: each row is valid, or has a reason why not.

import { Refusal } from '../../base/errors.ts'
import type { ChoiceRules } from './choice.ts'
import type { Doubts } from './doubts.ts'
import type { List } from './list.ts'
import { type ListRow, readRow } from './rows.ts'
import type { OnDoubt } from './statement.ts'

/** `number` counts over all files, from 1. */
export type Read = { number: number; list: List; line: number; cells: readonly string[] } & (
  { row: ListRow; reason?: undefined } | { row?: undefined; reason: string }
)

export interface Progress {
  phase: 'reading' | 'checking' | 'writing'
  rows: number
  /** Progress of the whole phase, 0 to 1. */
  part: number
}

export interface Watch {
  onProgress(progress: Progress): void
  signal?: AbortSignal
}

/** Which part of its phase this pass is. */
export interface Share {
  from: number
  of: number
}

export interface PassOptions {
  doubts?: Doubts
  isSkipped?: (number: number) => boolean
  share?: Share
}

/** In order, in groups. With `doubts`, values that aren't understood are noted there. `isSkipped`: rows that aren't needed now. */
export async function* readPass(
  lists: readonly List[],
  terms: { choice: ChoiceRules; now: Date },
  phase: Progress['phase'],
  { onProgress, signal }: Watch,
  { doubts, isSkipped, share = { from: 0, of: 1 } }: PassOptions,
): AsyncGenerator<Read[]> {
  const total = Math.max(
    1,
    lists.reduce((sum, list) => sum + list.size, 0),
  )
  let before = 0
  let number = 0
  for (const list of lists) {
    const { columns, ofFile, isOurs } = list
    for (const { title, reading } of doubts ? columns : [])
      if (reading.as === 'doubt') doubts!.note({ file: list.name, title, line: 1, value: '' })
    const rules = { columns, ofFile, isOurs, ...terms }
    for await (const { rows, bytes } of list.rows()) {
      signal?.throwIfAborted()
      yield rows.flatMap((row): Read | [] => {
        number++
        if (isSkipped?.(number)) return []
        const read = { number, list, line: row.line, cells: row.cells }
        if (row.fault) return { ...read, reason: row.fault }
        const onDoubt: OnDoubt = doubts
          ? ({ title }, value) => doubts.note({ file: list.name, title, line: row.line, value })
          : null
        try {
          return { ...read, row: readRow(row.cells, row.line, rules, onDoubt) }
        } catch (error) {
          return { ...read, reason: reasonOf(error) }
        }
      })
      onProgress({ phase, rows: number, part: share.from + (share.of * Math.min(total, before + bytes)) / total })
    }
    before += list.size
  }
}

/** The reason of a row's refusal, in words. Other errors are thrown again. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Refusal)) throw error
  return error.problems.map((one) => `${one.field}: ${one.message}`).join('; ') || error.message
}
