// Imports a list, from the first look to the last row. The files are read several times and never kept in memory: once to find
// what isn't understood and which row of each address counts (32 bytes per address), once for the report, and once or twice to
// write, rows that forbid mail first. Nothing is written before the first two passes are done.
//
// Safe to repeat: people who exist by then aren't changed. So the same command continues after a stop or a kill.

import { createHash } from 'node:crypto'
import { invalid, Refusal } from '../../base/errors.ts'
import { hashAddress } from '../../base/tokens.ts'
import type { Context } from '../../db/context.ts'
import { retryDeadlock } from '../../db/retry-deadlock.ts'
import { getPepper } from '../../db/settings.ts'
import { listCategories } from '../../articles/store.ts'
import { newestSeq } from '../../articles/seq.ts'
import { defaultChoice } from '../default-choice.ts'
import { type ChoiceRules, readChoiceRules } from './choice.ts'
import type { Instructions } from './columns.ts'
import { type Decision, decideAll, type FoundRow } from './decide.ts'
import { Doubts } from './doubts.ts'
import { checkInstructions, type List, openList } from './list.ts'
import { type ImportReport, Tally } from './report.ts'
import { type PassOptions, type Progress, type Read, readPass, type Watch } from './passes.ts'
import type { ListRow } from './rows.ts'
import { saveBatch, type SaveTerms } from './save.ts'
import { type Bits, Settled } from './settle.ts'
import { openSource, type ListSource } from './sources.ts'
import { strictnessOf } from './standing.ts'

export interface ImportOptions extends Instructions {
  /** Where the addresses come from. Stored in each consent record. */
  source: string
  category: readonly string[]
  frequency: string | null
  /** The subscribed ones are asked to opt in again. */
  isAsked: boolean
}

export interface Rejected {
  list: List
  line: number
  reason: string
  /** As in the file. */
  cells: readonly string[]
}

export interface ImportResult {
  rows: number
  /** New here, or changed. */
  imported: number
  unchanged: number
  rejected: number
}

const batchSize = 1000

type Found = FoundRow & { file: string; cells: readonly string[]; list: List }

/** Close it at the end. Throws a Refusal for files that can't be read. */
export async function openImport(
  ctx: Context,
  file: string,
  options: ImportOptions,
  watch: Watch,
): Promise<ListImport> {
  const source = await openSource(file)
  try {
    const categories = await listCategories(ctx.db, { withRetired: true })
    const choice = readChoiceRules(options, categories, await defaultChoice(ctx.db))
    const lists: List[] = []
    for (const one of source.files) lists.push(await openList(one, options, categories, watch.signal))
    checkInstructions(lists, options)
    return new ListImport(ctx, source, lists, choice, { ...options, source: readSourceName(options.source) })
  } catch (error) {
    source.close()
    throw error
  }
}

export class ListImport {
  readonly lists: readonly List[]
  readonly options: ImportOptions
  /** SHA-256 of the files. */
  readonly hash: string
  #ctx: Context
  #source: ListSource
  #choice: ChoiceRules
  #now: Date
  #rows = 0
  /** The rows that count for their addresses. */
  #winners: Bits | null = null
  /** Those of them that forbid mail. */
  #restrictive: Bits | null = null

  constructor(ctx: Context, source: ListSource, lists: readonly List[], choice: ChoiceRules, options: ImportOptions) {
    this.#ctx = ctx
    this.#source = source
    this.#choice = choice
    this.#now = ctx.clock.now()
    this.lists = lists
    this.options = options
    this.hash =
      lists.length === 1
        ? lists[0]!.hash
        : createHash('sha256')
            .update(lists.map((one) => one.hash).join())
            .digest('hex')
  }

  close(): void {
    this.#source.close()
  }

  /**
   * Finds the row that counts for each address. Throws a Refusal if a value isn't understood that may mean that an address must
   * not be mailed. Writes nothing.
   */
  async settle(watch: Watch): Promise<void> {
    if (this.#winners) return
    const pepper = await getPepper(this.#ctx.db)
    const settled = new Settled()
    const doubts = new Doubts()
    let rows = 0
    for await (const batch of this.#read('reading', watch, { doubts }))
      for (const { number, row } of batch) {
        rows = number
        if (!row) continue
        settled.add(hashAddress(pepper, row.emailKey), number, strictnessOf(row.standing))
      }
    doubts.throwIfAny(this.lists.length === 1)
    if (rows === 0) throw new Refusal('invalid', 'There is no row to import.')
    this.#winners = settled.winners(rows)
    this.#rows = rows
    this.#restrictive = settled.winners(rows, strictnessOf('pending'))
  }

  /** What would happen to each row, given the current data. Writes nothing. */
  async check(watch: Watch): Promise<ImportReport> {
    await this.settle(watch)
    const tally = new Tally(this.lists, this.#source.leftOut, this.hash)
    const { report } = tally
    const pepper = await getPepper(this.#ctx.db)
    let batch: Found[] = []
    const decide = async () => {
      for (const decision of await decideAll(this.#ctx.db, batch, this.options)) tally.decided(decision)
      batch = []
    }
    for await (const reads of this.#read('checking', watch)) {
      for (const read of reads) {
        report.rows++
        report.files[this.lists.indexOf(read.list)]!.rows++
        const { line } = read
        if (!read.row) tally.reject(read.reason, { file: read.list.name, line, text: read.cells.join(' ') })
        else if (!this.#winners!.has(read.number)) tally.duplicate({ file: read.list.name, line, text: read.row.email })
        else batch.push(foundOf(read.row, read, pepper))
        if (batch.length >= batchSize) await decide()
      }
    }
    await decide()
    return report
  }

  /** In batches of 1,000, each in a transaction; the signal stops between two. `isDryRun`: everything except the writes. */
  async write(watch: Watch & { onRejected(rejected: Rejected): void; isDryRun?: boolean }): Promise<ImportResult> {
    await this.settle(watch)
    const ctx = this.#ctx
    const pepper = await getPepper(ctx.db)
    const seq = await newestSeq(ctx.db)
    const terms: SaveTerms = {
      source: this.options.source,
      now: this.#now,
      categories: this.#choice.categories,
      watermarks: Object.fromEntries(this.#choice.categories.map(({ id }) => [id, seq])),
      pepper,
    }
    const result: ImportResult = { rows: this.#rows, imported: 0, unchanged: 0, rejected: 0 }
    const reject = (rejected: Rejected) => {
      result.rejected++
      watch.onRejected(rejected)
    }
    const restrictive = this.#restrictive!
    const passes = restrictive.isEmpty ? [false] : [true, false]
    for (const [pass, isStrict] of passes.entries()) {
      let batch: Found[] = []
      const flush = async () => {
        watch.signal?.throwIfAborted()
        if (batch.length === 0) return
        const decisions = await this.#save(batch, terms, watch.isDryRun ?? false)
        batch = []
        for (const { row, outcome, why } of decisions) {
          if (why) reject({ list: row.list, line: row.line, reason: why, cells: row.cells })
          else if (outcome === 'unchanged' || outcome === 'agreed-later') result.unchanged++
          else result.imported++
        }
      }
      const share = { from: pass / passes.length, of: 1 / passes.length }
      const isSkipped = (number: number) => restrictive.has(number) !== isStrict
      for await (const reads of this.#read('writing', watch, { share, isSkipped }))
        for (const read of reads) {
          const { list, line, cells } = read
          if (!read.row) reject({ list, line, reason: read.reason, cells })
          else if (!this.#winners!.has(read.number))
            reject({ list, line, reason: 'email: comes more than once', cells })
          else batch.push(foundOf(read.row, read, pepper))
          if (batch.length >= batchSize) await flush()
        }
      await flush()
    }
    return result
  }

  #read(phase: Progress['phase'], watch: Watch, options: PassOptions = {}) {
    return readPass(this.lists, { choice: this.#choice, now: this.#now }, phase, watch, options)
  }

  async #save(batch: readonly Found[], terms: SaveTerms, isDryRun: boolean): Promise<Decision<Found>[]> {
    if (isDryRun) return decideAll(this.#ctx.db, batch, this.options)
    return retryDeadlock(() =>
      this.#ctx.db.transaction().execute(async (trx) => {
        const decisions = await decideAll(trx, batch, this.options)
        const refused = await saveBatch(trx, this.#ctx, decisions, terms)
        return decisions.map((one) => ({ ...one, why: one.why ?? refused.get(one.row) ?? null }))
      }),
    )
  }
}

function foundOf(row: ListRow, { list, cells }: Read, pepper: string): Found {
  return { ...row, list, cells, file: list.name, emailHash: hashAddress(pepper, row.emailKey) }
}

export function readSourceName(given: string): string {
  const source = given.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  if (!source)
    throw invalid('source', 'The source must say where the addresses come from, such as "Mailchimp, list Morning".')
  if ([...source].length > 200) throw invalid('source', 'The source must have at most 200 characters.')
  return source
}
