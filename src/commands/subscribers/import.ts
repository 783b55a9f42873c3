// `subscribers import`: the report, the question, the progress bar, and the file of rejected rows.

import { statSync } from 'node:fs'
import path from 'node:path'
import { Refusal } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'
import { type ImportOptions, type ListImport, openImport } from '../../subscribers/import/import.ts'
import type { Progress } from '../../subscribers/import/passes.ts'
import { sentencesOf } from '../../subscribers/import/report.ts'
import { beginImport, endImport } from '../../subscribers/import/store.ts'
import type { Out } from '../out.ts'
import { RejectedFiles } from './rejected-file.ts'

export interface ImportArgs {
  /** A file, a folder or a ZIP archive. */
  file: string
  source: string
  dryRun?: boolean
  yes?: boolean
  ignoreColumn?: readonly string[]
  map?: readonly string[]
  choice?: readonly string[]
  category?: readonly string[]
  frequency?: string
  confirm?: boolean
  json?: boolean
}

export interface ImportParts {
  /** Asks the person at the terminal. */
  confirm(question: string): Promise<boolean>
  signal?: AbortSignal
}

/** On the terminal; the file contains all of them. */
const mostPrinted = 100

/** 0: at least one row was imported, or none was rejected; 1: nothing could be imported; 130: it was stopped. */
export async function subscribersImport(
  ctx: Context,
  args: ImportArgs,
  out: Out,
  { confirm, signal }: ImportParts,
): Promise<number> {
  const options: ImportOptions = {
    source: args.source,
    map: args.map ?? [],
    choice: args.choice ?? [],
    ignored: args.ignoreColumn ?? [],
    category: args.category ?? [],
    frequency: args.frequency ?? null,
    isAsked: args.confirm ?? false,
  }
  const watch = { onProgress: progressBar(out), ...(signal ? { signal } : {}) }
  try {
    const list = await openImport(ctx, args.file, options, watch)
    try {
      return await run(ctx, args, out, { confirm, watch, list })
    } finally {
      list.close()
    }
  } catch (error) {
    if (!signal?.aborted) throw error
    out.error('Stopped. Rows that were imported stay; the same command continues.')
    return 130
  }
}

async function run(
  ctx: Context,
  args: ImportArgs,
  out: Out,
  parts: {
    confirm: ImportParts['confirm']
    watch: { onProgress(progress: Progress): void; signal?: AbortSignal }
    list: ListImport
  },
): Promise<number> {
  const { watch, list } = parts
  const { file, dryRun: isDryRun = false } = args
  const report = await list.check(watch)
  out.progress('')
  if (args.json) out.print(JSON.stringify({ event: 'report', ...report }))
  else
    for (const line of sentencesOf(
      report,
      list.lists.some((one) => one.isOurs),
    ))
      out.print(line)
  // Without a terminal nobody can answer, so calling the command is the confirmation.
  if (!isDryRun && !args.yes && out.isTty && !(await parts.confirm('Import them?')))
    throw new Refusal('conflict', 'Nothing was imported. Say yes at the prompt, or add --yes.')

  const size = list.lists.reduce((sum, one) => sum + one.size, 0)
  const fileName = path.basename(file)
  const id = isDryRun ? null : await beginImport(ctx, { actor: 'cli', fileName, size, options: list.options }, report)
  const rejected = new RejectedFiles(file, statSync(file).isDirectory())
  let printed = 0
  try {
    const result = await list.write({
      ...watch,
      isDryRun,
      onRejected(one) {
        rejected.add(one)
        const where = list.lists.length > 1 ? { file: one.list.name } : {}
        if (args.json) out.print(JSON.stringify({ event: 'rejected', ...where, line: one.line, reason: one.reason }))
        else if (++printed <= mostPrinted)
          out.print(`${where.file ? `${where.file}, ` : ''}line ${one.line}: ${one.reason}`)
      },
    })
    if (id !== null) await endImport(ctx, id, 'done', result)
    out.progress('')
    const files = rejected.paths.length > 0 ? { rejectedFile: rejected.paths.join(', ') } : {}
    if (args.json)
      out.print(
        JSON.stringify({ event: isDryRun ? 'would-import' : 'imported', ...(id ? { id } : {}), ...result, ...files }),
      )
    else {
      if (printed > mostPrinted) out.print(`… and ${(printed - mostPrinted).toLocaleString('en')} more.`)
      out.print(
        `${result.imported} ${isDryRun ? 'would be imported' : 'imported'}, ${result.unchanged} unchanged, ${result.rejected} rejected, of ${result.rows} rows.`,
      )
      if (files.rejectedFile) out.print(`Rejected rows: ${files.rejectedFile}`)
    }
    return result.imported > 0 || result.rejected === 0 ? 0 : 1
  } catch (error) {
    if (id !== null && watch.signal?.aborted) await endImport(ctx, id, 'stopped', null).catch(() => {})
    throw error
  } finally {
    rejected.close()
  }
}

/** A progress bar with the rate, and the time that the phase still takes at that rate. */
function progressBar(out: Out): (progress: Progress) => void {
  let phase = ''
  let began = performance.now()
  let last = 0
  return (progress) => {
    const now = performance.now()
    if (progress.phase !== phase) {
      phase = progress.phase
      began = now
    } else if (now - last < 200) return
    last = now
    const seconds = (now - began) / 1000
    const rate = Math.round(progress.rows / Math.max(seconds, 0.001))
    const left = progress.part > 0 ? (seconds / progress.part) * (1 - progress.part) : 0
    const ahead = seconds > 2 ? `, ${rate.toLocaleString('en')} a second, ${timeLeft(left)} left` : ''
    out.progress(`${bar(progress.part)} ${phase}: ${progress.rows.toLocaleString('en')} rows${ahead}`)
  }
}

function timeLeft(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`
}

function bar(part: number): string {
  const full = Math.round(Math.min(1, part) * 24)
  return `${'█'.repeat(full)}${'░'.repeat(24 - full)} ${Math.round(Math.min(1, part) * 100)} %`
}
