// Subscribers from a CSV file, streamed: memory doesn't grow with the file. A line is either taken whole or rejected with its
// number and a reason. An address that is here already keeps what it has, one on the suppression list stays out, and nobody is
// mailed about it. Safe to repeat: the second time everybody is here already.
//
// Columns: email; frequency[<slug>] for each category; and, where known, status (active or unsubscribed), timezone, send_hour,
// weekly_day, monthly_day, locale, created_at, confirmed_at, unsubscribed_at. It reads what export.ts writes.

import { invalid, Refusal } from '../base/errors.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Frequency } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { listCategories } from '../articles/store.ts'
import { wordingOf } from './consent.ts'
import { type ParsedLine, readLine, rowsOf } from './import-lines.ts'
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

type ImportLine = ParsedLine & { emailHash: string }

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
