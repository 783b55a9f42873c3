// `digest run`: runs the tick by hand. It plans, sends with its own delivery worker, and waits for every edition that it created,
// resumed or found open. Each must be closed, wait only for retries later than a minute, or wait for an editor.

import { setTimeout as sleep } from 'node:timers/promises'
import { fixedClock } from '../../base/clock.ts'
import { invalid } from '../../base/errors.ts'
import type { Out } from '../out.ts'
import type { Context } from '../../db/context.ts'
import type { Edition } from '../../db/schema.ts'
import { refuseWhileHeld } from '../../delivery/sending-hold.ts'
import { parseInstant, refuseFar } from './as-of.ts'
import { closeFinished } from '../../editions/close.ts'
import { dryRun } from './dry-run.ts'
import { findEdition, listUnfinished } from '../../editions/store.ts'
import type { MakeSnapshot } from '../../planning/prepare.ts'
import { progress, progressLine, type Sample } from '../../desk/progress.ts'
import { isStill, progressOf } from './still.ts'
import { makeSnapshot } from '../../digests/snapshot.ts'
import { subscriberOf } from '../../subscribers/store.ts'
import { runTick } from '../../planning/tick.ts'
import { triggerDigest } from '../../planning/trigger.ts'
import { accountOf, accountsOf } from '../../editions/account.ts'

export interface DigestRunArgs {
  dryRun?: boolean | undefined
  /** Used as now, for slots and for retries. ISO 8601. */
  asOf?: string | undefined
  /** `asOf` may be more than a week or so ahead: everything due until then is passed as missed. */
  far?: boolean | undefined
  /** An address: only this subscriber is planned. */
  only?: string | undefined
  manual?: boolean | undefined
  /** Slugs. */
  category?: readonly string[] | undefined
  planOnly?: boolean | undefined
  /** With `manual`. */
  retryHours?: number | undefined
  json?: boolean | undefined
}

/** The parts of delivery/worker.ts that a run needs. */
export interface RunWorker {
  start(): Promise<void>
  stop(): Promise<void>
  wake(): void
}

export interface DigestRunParts {
  /** Creates the worker that sends; null if one runs already, as in a server. */
  openWorker: ((asOf: Date | null) => RunWorker) | null
  makeSnapshot?: MakeSnapshot
  /** When aborted, planning and waiting stop. */
  signal?: AbortSignal
}

const pollMs = 250
const mostPollMs = 2000
/** If nothing was settled and nothing was on the wire for so long, waiting doesn't help. */
const stallSeconds = 120

/** Resolves to the exit code. */
export async function digestRun(given: Context, args: DigestRunArgs, out: Out, parts: DigestRunParts): Promise<number> {
  const asOf = args.asOf === undefined ? null : parseInstant(args.asOf)
  if (args.category?.length && !args.manual) throw invalid('category', '--category needs --manual.')
  if (args.retryHours !== undefined && !args.manual)
    throw invalid('retry-hours', '--retry-hours needs --manual. Other editions are retried for RETRY_HOURS.')
  if (asOf && !args.far && !args.dryRun && args.only === undefined) await refuseFar(given, asOf)
  const { signal } = parts
  const ctx = asOf ? { ...given, clock: fixedClock(asOf) } : given
  const only = args.only === undefined ? undefined : await subscriberOf(ctx.db, args.only)
  if (args.dryRun)
    return dryRun(ctx, { only, manual: args.manual ?? false, categories: args.category, json: args.json, signal }, out)

  await refuseWhileHeld(ctx.db)
  const snapshot = parts.makeSnapshot ?? makeSnapshot
  const run = new Run(ctx, { json: args.json ?? false, only, asOf, out, snapshot, signal })
  if (args.manual) {
    const edition = await triggerDigest(ctx, {
      categories: args.category,
      onlySubscriberId: only,
      retryHours: args.retryHours,
      actor: 'cli',
    })
    run.watch(edition.id)
  }
  const worker = args.planOnly ? null : (parts.openWorker?.(asOf) ?? null)
  await worker?.start()
  // At once, because planning may be in the middle of a chunk.
  signal?.addEventListener('abort', () => void worker?.stop(), { once: true })
  try {
    await run.plan()
    if (!args.planOnly && !(await run.untilSettled(() => worker?.wake()))) {
      out.progress('')
      const minutes = stallSeconds / 60
      out.error(`No mail was sent for ${minutes} minutes. Run doctor to check the relay. Open mails stay queued.`)
      return 1
    }
  } finally {
    await worker?.stop()
    out.progress('')
  }
  if (run.isIdle) run.say({ event: 'nothing' }, 'No subscriber is due.')
  return 0
}

interface RunSettings {
  json: boolean
  only: number | undefined
  asOf: Date | null
  out: Out
  snapshot: MakeSnapshot
  signal: AbortSignal | undefined
}

class Run {
  #ctx: Context
  #settings: RunSettings
  #started = performance.now()
  #watched = new Set<number>()
  /**
   * Planned by this run, alone or with others. They are announced once no process plans them any more, because the audience is
   * known only then.
   */
  #planned = new Set<number>()
  #announced = new Set<number>()
  #over = new Set<number>()
  #samples: Sample[] = []

  constructor(ctx: Context, settings: RunSettings) {
    this.#ctx = ctx
    this.#settings = settings
  }

  get isIdle(): boolean {
    return this.#watched.size === 0
  }

  watch(editionId: number): void {
    this.#watched.add(editionId)
  }

  say(event: Record<string, unknown>, sentence: string): void {
    const { json, out } = this.#settings
    if (!json) out.print(sentence)
    else if (event['event'] !== 'nothing') out.print(JSON.stringify({ ...event, ms: this.#ms() }))
  }

  /** Ticks until nothing is left to plan, or the rest waits for mails that are under way. */
  async plan(): Promise<void> {
    const { only, signal } = this.#settings
    for (const edition of await listUnfinished(this.#ctx.db)) if (isUnderWay(edition)) this.watch(edition.id)
    let waitMs = pollMs
    for (;;) {
      let added = 0
      const { built, planned, closed, isBusy } = await runTick(this.#ctx, {
        only,
        isAsOf: this.#settings.asOf !== null,
        makeSnapshot: this.#settings.snapshot,
        onProgress: (editionId, count) => {
          // Between two chunks: the next tick continues here.
          signal?.throwIfAborted()
          added += count
          this.#settings.out.progress(`edition ${editionId}: planned ${added.toLocaleString('en')}`)
        },
      })
      for (const id of built) {
        this.watch(id)
        await this.#sayOver(id)
      }
      for (const { editionId, planned: count, isComplete } of planned) {
        this.watch(editionId)
        this.#over.delete(editionId)
        if (isComplete || count > 0) this.#planned.add(editionId)
      }
      for (const id of closed) if (this.#watched.has(id)) await this.#sayOver(id)
      // If another process that plans crashes, this run continues. Each check slows down the process that plans, so the checks
      // become less frequent.
      if (only !== undefined || !isBusy) break
      await sleep(waitMs * (0.5 + Math.random()), undefined, { signal })
      waitMs = Math.min(waitMs * 2, mostPollMs)
    }
    for (const id of this.#planned) await this.#sayPlanned(id)
  }

  /** false: some editions are still open and nothing has changed for long. */
  async untilSettled(wake: () => void): Promise<boolean> {
    let standing = ''
    let movedAt = performance.now()
    for (;;) {
      await closeFinished(this.#ctx)
      let waiting = false
      for (const id of this.#watched) {
        if (this.#over.has(id)) continue
        const edition = (await findEdition(this.#ctx.db, id))!
        if (edition.closedAt) await this.#sayOver(id)
        else if (await isStill(this.#ctx, edition, this.#settings)) await this.#sayOver(id)
        else waiting = true
        if (!this.#over.has(id) && !edition.plannedAt) await this.plan()
      }
      if (!waiting) return true
      const now = await progressOf(
        this.#ctx.db,
        [...this.#watched].filter((id) => !this.#over.has(id)),
      )
      if (now !== standing) movedAt = performance.now()
      standing = now
      if (performance.now() - movedAt > stallSeconds * 1000) {
        for (const id of this.#watched) await this.#sayOver(id)
        return false
      }
      await this.#showProgress()
      wake()
      await sleep(pollMs, undefined, { signal: this.#settings.signal })
    }
  }

  async #sayPlanned(id: number): Promise<void> {
    if (this.#announced.has(id)) return
    this.#announced.add(id)
    const { audience } = await accountOf(this.#ctx.db, id)
    this.say(
      { event: 'planned', edition: id, audience },
      `Edition ${id}: planned for ${audience.toLocaleString('en')}.`,
    )
  }

  async #sayOver(id: number): Promise<void> {
    if (this.#over.has(id)) return
    this.#over.add(id)
    if (this.#planned.has(id)) await this.#sayPlanned(id)
    const edition = (await findEdition(this.#ctx.db, id))!
    const account = await accountOf(this.#ctx.db, id)
    const event = edition.closedAt ? 'closed' : 'open'
    const { skipped, ...counts } = account
    const skips = Object.entries(skipped).filter(([, count]) => count > 0)
    const words = [...Object.entries(counts), ...skips].map(([name, count]) => `${name.replace('_', ' ')} ${count}`)
    const note = edition.note ? ` ${edition.note}` : ''
    this.say({ event, edition: id, account }, `Edition ${id}: ${edition.state}. ${words.join(', ')}.${note}`)
  }

  async #showProgress(): Promise<void> {
    if (!this.#settings.out.isTty) return
    const open = [...this.#watched].filter((id) => !this.#over.has(id))
    const editions = await this.#ctx.db.selectFrom('editions').selectAll().where('id', 'in', open).execute()
    const at = new Date()
    for (const [id, account] of await accountsOf(this.#ctx.db, editions)) {
      const earlier = this.#samples.find((sample) => at.getTime() - sample.at.getTime() < 5000) ?? null
      this.#settings.out.progress(progressLine(`edition ${id}`, progress(account, at, earlier)))
      this.#samples = [...this.#samples.slice(-40), { done: account.audience - account.open, at }]
    }
  }

  #ms(): number {
    return Math.round(performance.now() - this.#started)
  }
}

function isUnderWay({ state }: Edition): boolean {
  return state === 'planning' || state === 'sending' || state === 'cancelled'
}
