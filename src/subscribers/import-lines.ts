// Lines of a CSV file of subscribers: read one by one, and each checked by itself.

import { createReadStream } from 'node:fs'
import { parse } from 'csv-parse'
import { parseEmailAddress } from '../base/email-address.ts'
import { invalid, Refusal } from '../base/errors.ts'
import type { Category, Frequency } from '../db/schema.ts'
import { chosen, readChoices, readTimezone, type Choices } from './choices.ts'
import { readLocale, readNumber } from './preferences.ts'

/** `line` is its number in the file, `bytes` how far the file has been read. Throws a Refusal when no column is `email`. */
export async function* rowsOf(file: string) {
  const parser = parse({
    bom: true,
    columns: (header: string[]) => header.map((name) => name.trim().toLowerCase().replaceAll(' ', '_')),
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: 64_000,
  })
  const input = createReadStream(file)
  input.on('error', (cause) => parser.destroy(cause))
  input.pipe(parser)
  let hasHeader = false
  try {
    for await (const item of parser as AsyncIterable<{
      record: Record<string, string>
      info: { lines: number; bytes: number }
    }>) {
      if (!hasHeader && !('email' in item.record))
        throw new Refusal('invalid', 'The first line of the file must name its columns, one of them "email".')
      hasHeader = true
      yield { line: item.info.lines, row: item.record, bytes: item.info.bytes }
    }
  } finally {
    input.destroy()
  }
}

export interface ParsedLine {
  line: number
  email: string
  emailKey: string
  status: 'active' | 'unsubscribed'
  choices: Choices
  timezone: string | null
  sendHour: number | null
  weeklyDay: number | null
  monthlyDay: number | null
  locale: string | null
  createdAt: Date
  confirmedAt: Date
  unsubscribedAt: Date | null
}
/** Throws a Refusal that names the column. `fallback`: for a line that chooses nothing. */
export function readLine(
  row: Record<string, string>,
  line: number,
  categories: readonly Category[],
  fallback: Frequency | null,
  now: Date,
): ParsedLine {
  const cell = (name: string) => unquoteFormula(row[name] ?? '')
  const address = parseEmailAddress(cell('email'))
  if (!address) throw invalid('email', 'is not an e-mail address')
  const status = cell('status') || 'active'
  if (status !== 'active' && status !== 'unsubscribed')
    throw invalid('status', 'only active and unsubscribed subscribers can be imported')
  const named = Object.keys(row).flatMap((column) => {
    const slug = /^frequency\[(.+)\]$/.exec(column)?.[1]
    return slug && cell(column) ? [[slug, cell(column).toLowerCase()] as const] : []
  })
  let choices = chosen(readChoices(Object.fromEntries(named), categories))
  if (Object.keys(choices).length === 0 && fallback)
    choices = Object.fromEntries(categories.map((category) => [category.slug, fallback]))
  if (Object.keys(choices).length === 0 && status === 'active')
    throw invalid('frequency', 'chooses no category (--frequency daily chooses all for such lines)')
  return {
    line,
    email: address.email,
    emailKey: address.key,
    status,
    choices,
    timezone: readTimezone(cell('timezone')),
    sendHour: readNumber('send_hour', cell('send_hour'), 0, 23),
    weeklyDay: readNumber('weekly_day', cell('weekly_day'), 1, 7),
    monthlyDay: readNumber('monthly_day', cell('monthly_day'), 1, 31),
    locale: readLocale(cell('locale')),
    createdAt: readTime('created_at', cell('created_at')) ?? now,
    confirmedAt: readTime('confirmed_at', cell('confirmed_at')) ?? now,
    unsubscribedAt: status === 'unsubscribed' ? (readTime('unsubscribed_at', cell('unsubscribed_at')) ?? now) : null,
  }
}

function readTime(field: string, text: string): Date | null {
  if (!text) return null
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) throw invalid(field, 'is not a time such as 2026-03-02T07:00:00Z')
  return at
}

/** Takes away what an export put before a cell that a spreadsheet would run. */
function unquoteFormula(cell: string): string {
  return /^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell
}
