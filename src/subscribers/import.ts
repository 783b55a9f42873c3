// Subscribers from a CSV file, streamed: of each line only the address is kept in memory. The file is read twice. The first time
// (import-check.ts) nothing is written, and anything that isn't understood and may mean that an address must not be mailed refuses the
// whole file. The second time each line is either taken whole or rejected with its number and a reason. An address that is here
// already keeps what it has, one on the suppression list stays out, and nobody is mailed about it. Safe to repeat: the second time
// everybody is here already.
//
// It reads what export.ts writes, and gives it back unchanged. Consent that was given elsewhere isn't written in our words: the record
// says where the file came from, and what the file says of time and place.

import { audit, type Actor } from '../access/audit.ts'
import { invalid } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import type { Frequency } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { hashAddress } from '../base/tokens.ts'
import { listCategories } from '../articles/store.ts'
import { checkFile, type ImportReport, reasonOf } from './import-check.ts'
import type { Column } from './import-columns.ts'
import { readLine, recordsOf } from './import-lines.ts'
import { findUnwanted, type ImportLine, saveLines } from './import-save.ts'

export interface ImportOptions {
  file: string
  /** Where the addresses come from: goes into each consent record. */
  source: string
  isDryRun: boolean
  ignoredColumns: readonly string[]
  /** For lines that choose nothing: every category this often. null: such lines are rejected. */
  frequency: Frequency | null
  actor: Actor
  /** Before the first row is written. Throws when the import isn't wanted. */
  onReport(report: ImportReport, columns: readonly Column[]): Promise<void>
  /** `cells` as the file has them. */
  onRejected(rejected: { line: number; reason: string; cells: readonly string[] }): void
  onProgress(read: number, bytes: number, isChecking: boolean): void
  signal?: AbortSignal
}

export interface ImportResult {
  read: number
  imported: number
  rejected: number
}

const batchSize = 300

/** One transaction per 300 lines: a crash leaves whole batches, and the next run goes
 * on after them. */
export async function importSubscribers(ctx: Context, options: ImportOptions): Promise<ImportResult> {
  const source = readSource(options.source)
  const { file, isDryRun, signal } = options
  const now = ctx.clock.now()
  const categories = await listCategories(ctx.db, { withRetired: true })
  const rules = { categories, fallback: options.frequency, now }
  const checked = await checkFile(file, rules, {
    ignoredColumns: options.ignoredColumns,
    onProgress: (read, bytes) => options.onProgress(read, bytes, true),
    ...(signal ? { signal } : {}),
  })
  await options.onReport(checked.report, checked.columns)
  if (!isDryRun) await noteImport(ctx, options, source, checked.report, now)

  const pepper = await getPepper(ctx.db)
  const result: ImportResult = { read: 0, imported: 0, rejected: 0 }
  const reject = (line: number, cells: readonly string[], reason: string) => {
    result.rejected++
    options.onRejected({ line, reason, cells })
  }
  let batch: ImportLine[] = []
  const flush = async () => {
    const lines = batch
    batch = []
    if (lines.length === 0) return
    result.imported += await ctx.db.transaction().execute(async (trx) => {
      const unwanted = await findUnwanted(trx, lines)
      for (const line of lines) if (unwanted.has(line)) reject(line.line, line.cells, unwanted.get(line)!)
      const wanted = lines.filter((line) => !unwanted.has(line))
      return isDryRun ? wanted.length : saveLines(trx, ctx, wanted, { categories, source, now })
    })
  }
  let isHeader = true
  for await (const { line, cells, bytes } of recordsOf(file)) {
    signal?.throwIfAborted()
    if (isHeader) {
      isHeader = false
      continue
    }
    if (++result.read % 1000 === 0) options.onProgress(result.read, bytes, false)
    try {
      const parsed = readLine(cells, line, { ...rules, columns: checked.columns })
      if (!checked.counts(parsed)) throw invalid('email', 'comes twice in this file')
      batch.push({ ...parsed, cells, emailHash: hashAddress(pepper, parsed.emailKey) })
    } catch (error) {
      reject(line, cells, reasonOf(error))
    }
    if (batch.length >= batchSize) await flush()
  }
  await flush()
  return result
}

/** Before the first row: what a crash leaves has its line too. */
async function noteImport(
  ctx: Context,
  { actor, ignoredColumns }: ImportOptions,
  source: string,
  report: ImportReport,
  at: Date,
): Promise<void> {
  const { lines, byStatus } = report
  const rejected = Object.values(report.rejected).reduce((sum, count) => sum + count, 0)
  const detail = { source, lines, ...byStatus, rejected, ignoredColumns }
  await ctx.db
    .transaction()
    .execute((trx) => audit(trx, { at, actor, action: 'subscribers.imported', subject: 'subscribers', detail }))
}

function readSource(given: string): string {
  const source = given.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  if (!source) throw invalid('--source', 'must say where the addresses come from, such as "Mailchimp, list Morning".')
  if (source.length > 200) throw invalid('--source', 'must have at most 200 characters.')
  return source
}
