// Subscribers from a CSV file, streamed: memory doesn't grow with the file. A line is either taken whole or rejected with its
// number and a reason. An address that is here already keeps what it has, one on the suppression list stays out, and nobody is
// mailed about it. Safe to repeat: the second time everybody is here already.
//
// Columns: email; frequency[<slug>] for each category; and, where known, status (active or unsubscribed), timezone, send_hour,
// weekly_day, monthly_day, locale, created_at, confirmed_at, unsubscribed_at. It reads what export.ts writes.

import { createReadStream } from 'node:fs'
import { parse } from 'csv-parse'
import { parseEmailAddress } from '../base/email-address.ts'
import { invalid, Refusal } from '../base/errors.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Category, Frequency } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { listCategories } from '../articles/store.ts'
import { chosen, readChoices, readTimezone, type Choices } from './choices.ts'
import { wordingOf } from './consent.ts'
import { readLocale, readNumber } from './preferences.ts'
import { linesOf } from './store.ts'
import { whenDue } from './subscriptions.ts'

export interface ImportOptions {
  file: string
  isDryRun: boolean
  /** For lines that choose nothing: every category this often. null: such lines are rejected. */
  frequency: Frequency | null
  onRejected(rejected: { line: number; reason: string }): void
  onProgress(read: number, bytes: number): void
}

export interface ImportResult {
  read: number
  imported: number
  rejected: number
}

const batchSize = 300

/** One transaction per 300 lines: a crash leaves whole batches, and the next run goes on after them. */
export async function importSubscribers(ctx: Context, options: ImportOptions): Promise<ImportResult> {
  const categories = await listCategories(ctx.db)
  const pepper = await getPepper(ctx.db)
  const now = ctx.clock.now()
  const result: ImportResult = { read: 0, imported: 0, rejected: 0 }
  const inFile = new Set<string>()
  const reject = (line: number, reason: string) => {
    result.rejected++
    options.onRejected({ line, reason })
  }
  let batch: ImportLine[] = []
  const flush = async () => {
    if (batch.length === 0) return
    const lines = batch
    batch = []
    result.imported += await ctx.db.transaction().execute((trx) => saveBatch(trx, ctx, lines, options, now, reject))
  }
  for await (const { line, row, bytes } of rowsOf(options.file)) {
    result.read++
    try {
      const read = readLine(row, line, categories, options.frequency, now)
      if (inFile.has(read.emailKey)) throw invalid('email', 'comes twice in this file')
      inFile.add(read.emailKey)
      batch.push({ ...read, emailHash: hashAddress(pepper, read.emailKey) })
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal
      reject(line, refusal.problems.map((one) => `${one.field}: ${one.message}`).join('; ') || refusal.message)
    }
    if (batch.length >= batchSize) await flush()
    if (result.read % 1000 === 0) options.onProgress(result.read, bytes)
  }
  await flush()
  return result
}

async function* rowsOf(file: string) {
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

interface ParsedLine {
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
type ImportLine = ParsedLine & { emailHash: string }

function readLine(
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

async function saveBatch(
  trx: Trx,
  ctx: Context,
  lines: readonly ImportLine[],
  options: ImportOptions,
  now: Date,
  reject: (line: number, reason: string) => void,
): Promise<number> {
  const suppressed = new Set(
    (
      await trx
        .selectFrom('suppressions')
        .select('emailHash')
        .where(
          'emailHash',
          'in',
          lines.map((line) => line.emailHash),
        )
        .execute()
    ).map((row) => row.emailHash),
  )
  const known = new Set(
    (
      await trx
        .selectFrom('subscribers')
        .select('emailKey')
        .where(
          'emailKey',
          'in',
          lines.map((line) => line.emailKey),
        )
        .execute()
    ).map((row) => row.emailKey),
  )
  const wanted = lines.filter((line) => {
    if (suppressed.has(line.emailHash)) reject(line.line, 'email: is on the suppression list')
    else if (known.has(line.emailKey)) reject(line.line, 'email: is here already; unchanged')
    else return true
    return false
  })
  if (wanted.length === 0 || options.isDryRun) return wanted.length
  const categories = await listCategories(trx)
  const choiceOf = new Map(wanted.map((line) => [line.emailKey, linesOf(line.choices, categories)]))
  const dueOf = new Map(
    wanted.map((line) => [
      line.emailKey,
      whenDue(ctx.config, { ...line, pausedUntil: null }, choiceOf.get(line.emailKey)!, now),
    ]),
  )
  const added = await trx
    .insertInto('subscribers')
    .values(
      wanted.map(({ line: _line, choices: _choices, ...columns }) => ({
        ...columns,
        frequencies: dueOf.get(columns.emailKey)!.frequencies,
      })),
    )
    // Somebody who signed up in this very moment keeps what they chose.
    .onConflict((conflict) => conflict.column('emailKey').doNothing())
    .returning(['id', 'emailKey'])
    .execute()
  if (added.length === 0) return 0
  const due = added.flatMap(({ id, emailKey }) => {
    const { nextDueAt } = dueOf.get(emailKey)!
    return nextDueAt ? [{ subscriberId: id, nextDueAt }] : []
  })
  if (due.length > 0) await trx.insertInto('dueTimes').values(due).execute()
  await trx
    .insertInto('reading')
    .values(added.map(({ id }) => ({ subscriberId: id })))
    .execute()
  const subscriptions = added.flatMap(({ id, emailKey }) =>
    choiceOf.get(emailKey)!.map((choice) => ({ subscriberId: id, ...choice })),
  )
  if (subscriptions.length > 0) await trx.insertInto('subscriptions').values(subscriptions).execute()
  const { wording, version } = wordingOf(ctx.config)
  const lineOf = new Map(wanted.map((line) => [line.emailKey, line]))
  await trx
    .insertInto('consents')
    .values(
      added.map(({ id, emailKey }) => ({
        subscriberId: id,
        action: 'imported' as const,
        wording,
        wordingVersion: version,
        at: now,
        detail: JSON.stringify({
          line: lineOf.get(emailKey)!.line,
          confirmedAt: lineOf.get(emailKey)!.confirmedAt,
          choices: lineOf.get(emailKey)!.choices,
        }),
      })),
    )
    .execute()
  return added.length
}
