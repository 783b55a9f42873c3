// Lines of a CSV file of subscribers: read one by one, and each checked by itself.

import { createReadStream } from 'node:fs'
import { isIP } from 'node:net'
import { CsvError, parse } from 'csv-parse'
import { parseEmailAddress } from '../base/email-address.ts'
import { invalid, Refusal } from '../base/errors.ts'
import { subscriberStatuses, type Category, type Frequency, type SubscriberStatus } from '../db/schema.ts'
import { chosen, readChoices, readTimezone, type Choices } from './choices.ts'
import { type Column, slugOf } from './import-columns.ts'
import { linkDays } from './links.ts'
import { readLocale, readNumber } from './preferences.ts'
import type { SuppressionReason } from './suppression.ts'

/** The header first. `line` is the record's number in the file, `bytes` how far the file has been read. */
export async function* recordsOf(file: string): AsyncGenerator<{ line: number; cells: string[]; bytes: number }> {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    trim: true,
    max_record_size: 64_000,
  })
  const input = createReadStream(file)
  input.on('error', (cause) => parser.destroy(cause))
  input.pipe(parser)
  try {
    for await (const item of parser as AsyncIterable<{ record: string[]; info: { lines: number; bytes: number } }>)
      yield { line: item.info.lines, cells: item.record, bytes: item.info.bytes }
  } catch (error) {
    if (error instanceof CsvError)
      throw new Refusal('invalid', `The file isn’t CSV that can be read: ${error.message}.`)
    throw error
  } finally {
    input.destroy()
  }
}

export interface ParsedLine {
  line: number
  email: string
  emailKey: string
  status: SubscriberStatus
  choices: Choices
  /** Slugs, the first one first. */
  order: string[]
  timezone: string | null
  sendHour: number | null
  weeklyDay: number | null
  monthlyDay: number | null
  locale: string | null
  pausedUntil: Date | null
  createdAt: Date
  /** Of who is pending. */
  requestedAt: Date
  confirmedAt: Date | null
  unsubscribedAt: Date | null
  suppressedAt: Date
  suppressionReason: SuppressionReason
  /** What an editor gives back by taking the address off the list. */
  statusBefore: Exclude<SubscriberStatus, 'suppressed'>
  consentIp: string | null
  consentPlace: string | null
  /** What the file says of time and place, as it says it, by column. */
  said: Record<string, string>
}

export interface LineRules {
  columns: readonly Column[]
  /** Retired ones too. */
  categories: readonly Category[]
  /** For a line that chooses nothing. */
  fallback: Frequency | null
  now: Date
}

/** null: the value isn't one of ours. Empty where the file has none: active, or unsubscribed if it says when. */
export function readStatus(cell: string, unsubscribedAt: string): SubscriberStatus | null {
  const given = cell.toLowerCase()
  if (given === 'active' && unsubscribedAt) return null
  if (!given) return unsubscribedAt ? 'unsubscribed' : 'active'
  return subscriberStatuses.find((status) => status === given) ?? null
}

/** Throws a Refusal that names the column. */
export function readLine(cells: readonly string[], line: number, rules: LineRules): ParsedLine {
  const { columns, categories, fallback, now } = rules
  if (cells.length > columns.length) throw invalid('line', 'has more cells than the first line has columns')
  if (cells.length < columns.length) throw invalid('line', 'has fewer cells than the first line has columns')
  const own = ownCells(columns, cells)
  const cell = (name: string) => own.get(name) ?? ''
  const time = (name: string) => readTime(name, cell(name), now)
  const address = parseEmailAddress(cell('email'))
  if (!address) throw invalid('email', 'is not an e-mail address')
  const status = readStatus(cell('status'), cell('unsubscribed_at'))
  if (!status) throw invalid('status', 'isn’t one of active, pending, unsubscribed and suppressed')
  const createdAt = time('created_at') ?? now
  const requestedAt = time('requested_at') ?? createdAt
  if (status === 'pending' && requestedAt.getTime() < now.getTime() - linkDays.confirm * 86_400_000)
    throw invalid('created_at', `is over ${linkDays.confirm} days ago, and the sign-up was never confirmed`)
  if (own.has('confirmed_at') && !cell('confirmed_at') && !cell('status') && status === 'active')
    throw invalid(
      'confirmed_at',
      'is empty, so the address may never have been confirmed (status active says that it was)',
    )
  return {
    line,
    email: address.email,
    emailKey: address.key,
    status,
    choices: readChoice(own, categories, fallback, status),
    order: readOrder(cell('order'), categories),
    timezone: readTimezone(cell('timezone')),
    sendHour: readNumber('send_hour', cell('send_hour'), 0, 23),
    weeklyDay: readNumber('weekly_day', cell('weekly_day'), 1, 7),
    monthlyDay: readNumber('monthly_day', cell('monthly_day'), 1, 31),
    locale: readLocale(cell('locale')),
    pausedUntil: readTime('paused_until', cell('paused_until'), null),
    createdAt,
    requestedAt,
    // Who isn't active and has no such time hasn't confirmed, as far as anybody knows.
    confirmedAt: time('confirmed_at') ?? (status === 'active' ? now : null),
    unsubscribedAt: time('unsubscribed_at') ?? (status === 'unsubscribed' ? now : null),
    suppressedAt: time('suppressed_at') ?? now,
    suppressionReason: readReason(cell('suppression_reason')),
    statusBefore: status === 'suppressed' ? readStatusBefore(cell('status_before')) : status,
    consentIp: readIp(cell('consent_ip')),
    consentPlace: cell('consent_place').slice(0, 500) || null,
    said: readSaid(own, now),
  }
}

/** By column name, of the columns that are understood. */
function ownCells(columns: readonly Column[], cells: readonly string[]): Map<string, string> {
  const own = new Map<string, string>()
  columns.forEach((column, index) => {
    const cell = unquoteFormula(cells[index]!)
    if (cell.includes('\0')) throw invalid(column.title, 'holds a character that can’t be stored')
    if (column.own) own.set(column.own, cell)
  })
  return own
}

function readChoice(
  own: ReadonlyMap<string, string>,
  categories: readonly Category[],
  fallback: Frequency | null,
  status: SubscriberStatus,
): Choices {
  const named = [...own].flatMap(([column, cell]) => {
    const slug = slugOf(column)
    return slug && cell ? [[slug, cell.toLowerCase()] as const] : []
  })
  // One who switched everything off has said so.
  if (named.length > 0) return chosen(readChoices(Object.fromEntries(named), categories))
  if (fallback)
    return Object.fromEntries(categories.filter((one) => !one.retiredAt).map((category) => [category.slug, fallback]))
  if (status === 'active' || status === 'pending')
    throw invalid('frequency', 'chooses no category (--frequency daily chooses all for such lines)')
  return {}
}

function readOrder(cell: string, categories: readonly Category[]): string[] {
  const order = cell.split(/[\s,;]+/).filter(Boolean)
  const unknown = order.find((slug) => !categories.some((category) => category.slug === slug))
  if (unknown) throw invalid('order', `names ${unknown.slice(0, 60)}, which isn’t a category`)
  return order
}

/** `latest`: no later than that, give or take a day; null: any time. Without an offset it is UTC. */
function readTime(field: string, text: string, latest: Date | null): Date | null {
  if (!text) return null
  const found = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|UTC|[+-]\d\d:?\d\d)?)?$/i.exec(text)
  const [, date, time = '00:00', zone = 'Z'] = found ?? []
  const at = new Date(`${date}T${time}${/^utc$/i.test(zone) ? 'Z' : zone}`)
  if (Number.isNaN(at.getTime())) throw invalid(field, 'is not a time such as 2026-03-02T07:00:00Z')
  if (latest && at.getTime() > latest.getTime() + 86_400_000) throw invalid(field, 'is in the future')
  return at
}

const reasons: readonly SuppressionReason[] = ['hard_bounce', 'soft_bounces', 'complaint', 'manual']

/** A reason that isn't ours must not let the address in. */
function readReason(cell: string): SuppressionReason {
  return reasons.find((one) => one === cell.toLowerCase()) ?? 'manual'
}

/** Whoever isn't known to have wanted mail has to sign up. */
function readStatusBefore(cell: string): ParsedLine['statusBefore'] {
  return cell === 'active' || cell === 'pending' ? cell : 'unsubscribed'
}

const saidColumns = /^(created|requested|confirmed|unsubscribed|suppressed|consent)_(at|ip|place|wording)$/

function readSaid(own: ReadonlyMap<string, string>, now: Date): Record<string, string> {
  readTime('consent_at', own.get('consent_at') ?? '', now)
  const said = [...own].filter(([name, cell]) => cell && saidColumns.test(name))
  return Object.fromEntries(said.map(([name, cell]) => [name, cell.slice(0, 2000)]))
}

function readIp(cell: string): string | null {
  if (cell && !isIP(cell)) throw invalid('consent_ip', 'is not an IP address')
  return cell || null
}

/** Takes away what an export put before a cell that a spreadsheet would run. */
function unquoteFormula(cell: string): string {
  return /^'[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(cell) ? cell.slice(1) : cell
}
