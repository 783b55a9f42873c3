// The first reading of a file, before anything is written: is all of it understood, and what would be taken? Two lines of one address
// are one subscriber, and the stricter line counts: who unsubscribed in one of them is unsubscribed.

import { Refusal } from '../base/errors.ts'
import type { SubscriberStatus } from '../db/schema.ts'
import { type Column, Doubts, isDoubtfulValue, readHeader } from './import-columns.ts'
import { type LineRules, type ParsedLine, readLine, readStatus, recordsOf } from './import-lines.ts'

export interface CheckedFile {
  columns: readonly Column[]
  report: ImportReport
  /** Whether this line is the one that counts for its address. */
  counts(line: ParsedLine): boolean
}

export interface ImportReport {
  lines: number
  /** Of the lines that could be taken; who is here already is found out when they are. */
  byStatus: Record<SubscriberStatus, number>
  /** Lines that can't be taken as they are, by reason. */
  rejected: Record<string, number>
  leftOut: string[]
}

const strictness: Record<SubscriberStatus, number> = { active: 0, pending: 1, unsubscribed: 2, suppressed: 3 }
const perLine = 4

/** Throws a Refusal when anything of the file isn't understood and may mean that an address must not be mailed. */
export async function checkFile(
  file: string,
  rules: Omit<LineRules, 'columns'>,
  options: { ignoredColumns: readonly string[]; onProgress(read: number, bytes: number): void; signal?: AbortSignal },
): Promise<CheckedFile> {
  const slugs = rules.categories.map((category) => category.slug)
  const doubts = new Doubts()
  /** By address: the line that counts and its strictness, as one number. */
  const best = new Map<string, number>()
  const byStatus: ImportReport['byStatus'] = { pending: 0, active: 0, unsubscribed: 0, suppressed: 0 }
  const rejected: ImportReport['rejected'] = {}
  const reject = (reason: string) => (rejected[reason] = (rejected[reason] ?? 0) + 1)
  let columns: Column[] | undefined
  let lines = 0
  for await (const { line, cells, bytes } of recordsOf(file)) {
    options.signal?.throwIfAborted()
    if (!columns) {
      columns = readHeader(cells, slugs, options.ignoredColumns)
      continue
    }
    if (++lines % 1000 === 0) options.onProgress(lines, bytes)
    noteDoubts(doubts, columns, cells, line)
    try {
      const { emailKey, status } = readLine(cells, line, { ...rules, columns })
      const before = best.get(emailKey)
      if (before !== undefined) reject('email: comes twice in this file')
      if (before === undefined || strictness[status] > before % perLine) {
        if (before !== undefined) byStatus[statusOf(before)]--
        best.set(emailKey, line * perLine + strictness[status])
        byStatus[status]++
      }
    } catch (error) {
      reject(reasonOf(error))
    }
  }
  if (!columns)
    throw new Refusal('invalid', 'The file is empty. Its first line must name its columns, one of them "email".')
  doubts.throwIfAny(columns)
  const leftOut = columns.filter((column) => !column.own).map((column) => column.title)
  return {
    columns,
    report: { lines, byStatus, rejected, leftOut },
    counts: ({ emailKey, line, status }) => best.get(emailKey) === line * perLine + strictness[status],
  }
}

function statusOf(entry: number): SubscriberStatus {
  return (Object.keys(strictness) as SubscriberStatus[]).find((status) => strictness[status] === entry % perLine)!
}

function noteDoubts(doubts: Doubts, columns: readonly Column[], cells: readonly string[], line: number): void {
  const own = (name: string) => cells[columns.findIndex((column) => column.own === name)] ?? ''
  if (readStatus(own('status'), own('unsubscribed_at')) === null)
    doubts.note(columns.find((column) => column.own === 'status')!.title, line, own('status'))
  cells.forEach((cell, index) => {
    const column = columns[index]
    if (!column || column.own || column.isIgnored || !cell) return
    if (column.isDoubtful || isDoubtfulValue(cell)) doubts.note(column.title, line, cell)
  })
}

/** Of a line's refusal, in words; whatever else was thrown is thrown on. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Refusal)) throw error
  return error.problems.map((one) => `${one.field}: ${one.message}`).join('; ') || error.message
}
