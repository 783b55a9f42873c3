// `subscribers import`: the report, the question, the bar, and the file of rejected lines, which can be corrected and imported in its
// turn.

import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { stringify } from 'csv-stringify/sync'
import { invalid, Refusal } from '../../base/errors.ts'
import type { Out } from '../out.ts'
import type { Context } from '../../db/context.ts'
import { subscriberStatuses } from '../../db/schema.ts'
import { isFrequency } from '../../subscribers/choices.ts'
import { importSubscribers } from '../../subscribers/import.ts'
import type { ImportReport } from '../../subscribers/import-check.ts'
import { type Column, rejectionColumns } from '../../subscribers/import-columns.ts'

export interface ImportArgs {
  file: string
  source: string
  dryRun?: boolean
  yes?: boolean
  ignoreColumn?: readonly string[]
  frequency?: string
  json?: boolean
}

export interface ImportParts {
  /** Asks the person at the terminal. */
  confirm(question: string): Promise<boolean>
  signal?: AbortSignal
}

/** For people; the file has all of them. */
const mostPrinted = 100

/** 0: at least one line was taken, or there was none to reject; 1: nothing could be taken; 130: it was stopped. */
export async function subscribersImport(
  ctx: Context,
  args: ImportArgs,
  out: Out,
  { confirm, signal }: ImportParts,
): Promise<number> {
  const { file, frequency = null, dryRun: isDryRun = false } = args
  if (frequency !== null && !isFrequency(frequency)) throw invalid('--frequency', 'must be daily, weekly or monthly')
  const size = sizeOf(file)
  let rejections = null as RejectedFile | null
  let printed = 0
  try {
    const result = await importSubscribers(ctx, {
      file,
      source: args.source,
      isDryRun,
      ignoredColumns: args.ignoreColumn ?? [],
      frequency,
      actor: 'cli',
      async onReport(report, columns) {
        out.progress('')
        if (args.json) out.print(JSON.stringify({ event: 'report', ...report }))
        else for (const line of sentences(report)) out.print(line)
        // A script has nobody to ask: it has called the command, and that is an answer.
        if (!isDryRun && !args.yes && out.isTty && !(await confirm('Import them?')))
          throw new Refusal('conflict', 'Nothing was imported. Say yes at the prompt, or add --yes.')
        rejections = new RejectedFile(file, columns)
      },
      onRejected({ line, reason, cells }) {
        rejections!.add(line, reason, cells)
        if (args.json) out.print(JSON.stringify({ event: 'rejected', line, reason }))
        else if (++printed <= mostPrinted) out.print(`line ${line}: ${reason}`)
      },
      onProgress: (read, bytes, isChecking) =>
        out.progress(
          `${bar(bytes / Math.max(1, size))} ${read.toLocaleString('en')} lines ${isChecking ? 'checked' : 'read'}`,
        ),
      ...(signal ? { signal } : {}),
    })
    out.progress('')
    const { imported, rejected, read } = result
    const where = rejected > 0 ? { rejectedFile: rejections!.path } : {}
    const event = isDryRun ? 'would-import' : 'imported'
    if (args.json) out.print(JSON.stringify({ event, ...result, ...where }))
    else {
      if (printed > mostPrinted) out.print(`… and ${(printed - mostPrinted).toLocaleString('en')} more.`)
      out.print(`${imported} ${isDryRun ? 'would be imported' : 'imported'}, ${rejected} rejected, of ${read} lines.`)
      if (where.rejectedFile) out.print(`Rejected lines: ${where.rejectedFile}`)
    }
    return imported > 0 || rejected === 0 ? 0 : 1
  } catch (error) {
    if (!signal?.aborted) throw error
    out.error('Stopped. What was imported so far stays; run it again to go on.')
    return 130
  } finally {
    rejections?.close()
  }
}

/** The file is read twice, so it can't be a pipe. */
function sizeOf(file: string): number {
  try {
    const stat = statSync(file)
    if (stat.isFile()) return stat.size
  } catch (cause) {
    throw invalid('FILE', `can't read ${file} (${(cause as NodeJS.ErrnoException).code})`)
  }
  throw invalid('FILE', `${file} is not a file. It is read twice, so a pipe won't do.`)
}

function sentences(report: ImportReport): string[] {
  const statuses = subscriberStatuses.filter((status) => report.byStatus[status] > 0)
  const counts = statuses.map((status) => `${report.byStatus[status].toLocaleString('en')} ${status}`)
  return [
    `${report.lines.toLocaleString('en')} lines: ${counts.join(', ') || 'none that can be taken'}.`,
    ...Object.entries(report.rejected).map(([reason, count]) => `  ${count.toLocaleString('en')} rejected: ${reason}`),
    ...(report.leftOut.length > 0 ? [`Columns that are left out: ${report.leftOut.join(', ')}`] : []),
  ]
}

/** Beside the file, made when the first line is rejected: its cells as they were, the line's number and the reason. */
class RejectedFile {
  readonly path: string
  #columns: readonly Column[]
  #open: number | null = null

  constructor(file: string, columns: readonly Column[]) {
    this.path = `${file.replace(/\.csv$/i, '')}.rejected.csv`
    this.#columns = columns
  }

  add(line: number, reason: string, cells: readonly string[]): void {
    if (this.#open === null) {
      this.#open = openSync(this.path, 'w', 0o600)
      this.#write([...this.#kept(this.#columns.map((column) => column.title)), ...rejectionColumns])
    }
    this.#write([...this.#kept(cells), String(line), reason])
  }

  close(): void {
    if (this.#open !== null) closeSync(this.#open)
  }

  /** One cell per column, without those of an earlier file of rejected lines. */
  #kept(cells: readonly string[]): string[] {
    return this.#columns.flatMap(({ own }, index) =>
      (rejectionColumns as readonly (string | null)[]).includes(own) ? [] : [cells[index] ?? ''],
    )
  }

  #write(cells: readonly string[]): void {
    writeSync(this.#open!, stringify([cells], { escape_formulas: true }))
  }
}

function bar(part: number): string {
  const full = Math.round(Math.min(1, part) * 24)
  return `${'█'.repeat(full)}${'░'.repeat(24 - full)} ${Math.round(Math.min(1, part) * 100)} %`
}
