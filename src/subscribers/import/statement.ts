// Whether the address of a row may be mailed, from all of its columns: the strictest counts.

import type { Column } from './columns.ts'
import { readDate } from './dates.ts'
import type { Field } from './readings.ts'
import { type Standing, stricter } from './standing.ts'
import { elements, forbiddingWords, isBlank, plain, statusWord, yesOrNo } from './words.ts'

export interface Statement {
  standing: Standing
  /** Times from flags, by field: `unsubscribed_at`, `suppressed_at`, `consent_at`, `confirmed_at`. */
  times: Partial<Record<Field, string>>
}

/** A value that isn't understood, and may mean that the address must not be mailed. */
export type OnDoubt = ((column: Column, value: string) => void) | null

/** `ofFile`: what its file says about everybody in it. Without `onDoubt`, other values are ignored. */
export function statementOf(
  columns: readonly Column[],
  cells: readonly string[],
  ofFile: Standing | null,
  now: Date,
  onDoubt: OnDoubt,
): Statement {
  let said: Standing | null = ofFile
  let ifUnsaid: Standing | null = null
  let unanswered: Column | null = null
  const others: [Column, string][] = []
  const times: Statement['times'] = {}
  columns.forEach((column, index) => {
    const cell = cells[index] ?? ''
    const told = column.values.size > 0 ? column.values.get(plain(cell)) : undefined
    if (told !== undefined) said = stricter(said, told)
    else {
      const { reading } = column
      if (reading.as === 'status') {
        if (isBlank(cell)) unanswered ??= column
        else said = stricter(said, statusIn(column, reading.words, cell, onDoubt))
      } else if (reading.as === 'flag') {
        if (isBlank(cell)) ifUnsaid = stricter(ifUnsaid, reading.blankIfUnsaid)
        else {
          if (reading.time) times[reading.time] ??= cell
          said = stricter(said, flagIn(column, reading, cell, now, onDoubt))
        }
      } else if (reading.as === 'trace') {
        if (!isBlank(cell) && yesOrNo(cell) !== false) said = stricter(said, reading.standing)
      } else if (onDoubt && !isBlank(cell)) others.push([column, cell])
    }
  })
  if (unanswered && !said) onDoubt?.(unanswered, '')
  const standing = said ?? ifUnsaid ?? 'subscribed'
  for (const [column, cell] of others) noteDoubt(column, cell, standing, onDoubt!)
  return { standing, times }
}

function statusIn(
  column: Column,
  words: Record<string, Standing | null> | undefined,
  cell: string,
  onDoubt: OnDoubt,
): Standing | null {
  const own = words?.[plain(cell)]
  if (own !== undefined) return own
  const standing = statusWord(cell)
  if (!standing) onDoubt?.(column, cell)
  return standing
}

function flagIn(
  column: Column,
  reading: { yes: Standing | null; no: Standing | null },
  cell: string,
  now: Date,
  onDoubt: OnDoubt,
): Standing | null {
  const answer = yesOrNo(cell)
  if (answer !== null) return answer ? reading.yes : reading.no
  if (readDate(cell, now)) return reading.yes
  const standing = statusWord(cell)
  if (!standing) onDoubt?.(column, cell)
  return standing
}

/** Columns that aren't about mail: their values may be. That matters only if the row would be mailed. */
function noteDoubt(column: Column, cell: string, standing: Standing, onDoubt: NonNullable<OnDoubt>): void {
  const { reading } = column
  if (reading.as === 'doubt') onDoubt(column, cell)
  else if (standing !== 'subscribed') return
  else if (reading.as === 'tags' || (reading.as === 'nothing' && reading.isChecked)) {
    const whole = elements(cell).some((element) => {
      const standing = statusWord(element)
      return standing !== null && standing !== 'subscribed'
    })
    if ((whole && !isName(column.title)) || forbiddingWords(cell)) onDoubt(column, cell)
  }
}

/** In such a column, a word that could be a status is somebody's name, or a town. */
function isName(title: string): boolean {
  return /name|\bnom\b|nombre|apellido|city|town|stadt|\bort\b|ville|ciudad|company|firma|address|adresse|street|strasse|note/.test(
    plain(title),
  )
}
