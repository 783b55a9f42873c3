// `digest run`: the tick by hand. It plans, sends with a delivery worker of its own, and waits until every edition that it made,
// resumed or found open is closed or waits for nothing but retries later than a minute, or for an editor.

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { fixedClock } from '../base/clock.ts'
import { invalid, Refusal } from '../base/errors.ts'
import type { Out } from '../commands/out.ts'
import type { Context } from '../db/context.ts'
import type { Edition } from '../db/schema.ts'
import { closeFinished } from './close.ts'
import { dryRun } from './dry-run.ts'
import { accountOf, accountsOf, findEdition, listUnfinished } from './editions.ts'
import type { MakeSnapshot } from './prepare.ts'
import { progress, progressLine, type Sample } from './progress.ts'
import { makeSnapshot } from './snapshot.ts'
import { runTick } from './tick.ts'
import { triggerDigest } from './trigger.ts'

export interface DigestRunArgs {
  dryRun?: boolean | undefined
  /** Counts as now: for slots and for retries. ISO 8601. */
  asOf?: string | undefined
  /** An address: nobody else is planned. */
  only?: string | undefined
  manual?: boolean | undefined
  /** Slugs. */
  category?: readonly string[] | undefined
  planOnly?: boolean | undefined
  /** With `manual`. */
  retryHours?: number | undefined
  json?: boolean | undefined
}

/** delivery/worker.ts, as far as a run needs it. */
export interface RunWorker {
  start(): Promise<void>
  stop(): Promise<void>
  wake(): void
}

export interface DigestRunParts {
  /** Makes the worker that sends; null where one runs already, as in a server. */
  openWorker: ((asOf: Date | null) => RunWorker) | null
  makeSnapshot?: MakeSnapshot
}

const pollMs = 250
/** Deliveries that are deferred by more than this aren't waited for. */
const patienceSeconds = 60
/** With nothing settled and nothing on the wire for so long, waiting on helps nobody. */
const stallSeconds = 120

/** Resolves to the exit code. */
export async function digestRun(given: Context, args: DigestRunArgs, out: Out, parts: DigestRunParts): Promise<number> {
  const asOf = args.asOf === undefined ? null : parseInstant(args.asOf)
  if (args.category?.length && !args.manual) throw invalid('category', '--category belongs to --manual.')
  if (args.retryHours !== undefined && !args.manual)
    throw invalid('retry-hours', '--retry-hours belongs to --manual; others are tried for RETRY_HOURS.')
  const ctx = asOf ? { ...given, clock: fixedClock(asOf) } : given
  const only = args.only === undefined ? undefined : await subscriberOf(ctx, args.only)
  if (args.dryRun)
    return dryRun(ctx, { only, manual: args.manual ?? false, categories: args.category, json: args.json }, out)

  const run = new Run(ctx, { json: args.json ?? false, only, asOf, out, snapshot: parts.makeSnapshot ?? makeSnapshot })
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
  try {
    await run.plan()
    if (!args.planOnly && !(await run.untilSettled(() => worker?.wake()))) {
      out.progress('')
      const minutes = stallSeconds / 60
      out.error(
        `No mail has moved for ${minutes} minutes: is the relay down? (doctor tells.) What is open stays queued.`,
      )
      return 1
    }
  } finally {
    await worker?.stop()
    out.progress('')
  }
  if (run.isIdle) run.say({ event: 'nothing' }, 'Nobody is due.')
  return 0
}

interface RunSettings {
  json: boolean
  only: number | undefined
  asOf: Date | null
  out: Out
  snapshot: MakeSnapshot
}

class Run {
  #ctx: Context
  #settings: RunSettings
  #started = performance.now()
  #watched = new Set<number>()
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

  /** Ticks until nothing is left to plan, or what is left waits for mails that are on their way. */
  async plan(): Promise<void> {
    for (const edition of await listUnfinished(this.#ctx.db)) if (isUnderWay(edition)) this.watch(edition.id)
    for (;;) {
      let added = 0
      const { built, planned, closed } = await runTick(this.#ctx, {
        only: this.#settings.only,
        makeSnapshot: this.#settings.snapshot,
        onProgress: (editionId, count) => {
          added += count
          this.#settings.out.progress(`edition ${editionId}: planned ${added.toLocaleString('en')}`)
        },
      })
      for (const id of built) {
        this.watch(id)
        await this.#sayOver(id)
      }
      for (const { editionId } of planned) {
        this.watch(editionId)
        this.#over.delete(editionId)
      }
      for (const { editionId, planned: count, isComplete } of planned)
        if (isComplete || count > 0) await this.#sayPlanned(editionId)
      for (const id of closed) if (this.#watched.has(id)) await this.#sayOver(id)
      // Busy: another process plans at this moment. A crash of it is ours to continue.
      if (!(await this.#isPlannedElsewhere())) return
      await sleep(pollMs)
    }
  }

  /** false: some are still open and nothing has moved for long. */
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
        else if (await this.#isStill(edition)) await this.#sayOver(id)
        else waiting = true
        if (!this.#over.has(id) && !edition.plannedAt) await this.plan()
      }
      if (!waiting) return true
      const now = await this.#standing()
      if (now !== standing) movedAt = performance.now()
      standing = now
      if (performance.now() - movedAt > stallSeconds * 1000) {
        for (const id of this.#watched) await this.#sayOver(id)
        return false
      }
      await this.#showProgress()
      wake()
      await sleep(pollMs)
    }
  }

  /** Changes whenever a mail is settled or put on the wire: a relay that takes minutes to answer isn't down. */
  async #standing(): Promise<string> {
    const open = [...this.#watched].filter((id) => !this.#over.has(id))
    const { rows } = await sql<{ standing: string }>`
      select coalesce((select sum(count) from edition_counts where edition_id = any(${open}::bigint[])), 0)::text || ' ' ||
        case when exists (select from in_flight where delivery_id is not null) then clock_timestamp()::text else '' end
        as standing`.execute(this.#ctx.db)
    return rows[0]!.standing
  }

  /** Nothing of it will move within a minute: it waits for an editor, for its slot, or for late retries. */
  async #isStill(edition: Edition): Promise<boolean> {
    if (!['sending', 'planning', 'cancelled'].includes(edition.state)) return true
    if (!edition.plannedAt && this.#settings.only === undefined) return false
    const { rows } = await sql<{ moves: boolean }>`
      select exists (
        select from deliveries where edition_id = ${edition.id} and lane = 'digest'
          and next_attempt_at <= greatest(now(), ${this.#settings.asOf}::timestamptz) + ${patienceSeconds} * interval '1 second'
      ) or exists (
        select from claims l cross join unnest(l.delivery_ids) as u (id) join deliveries d on d.id = u.id
        where d.edition_id = ${edition.id} and d.settled_at is null and d.next_attempt_at is null
      ) as moves`.execute(this.#ctx.db)
    if (rows[0]!.moves) return false
    // Everything is settled: it closes now, unless it has late retries.
    const { open } = await accountOf(this.#ctx.db, edition.id)
    return open > 0 || !edition.plannedAt
  }

  async #isPlannedElsewhere(): Promise<boolean> {
    if (this.#settings.only !== undefined) return false
    const now = this.#ctx.clock.now()
    for (const edition of await listUnfinished(this.#ctx.db)) {
      if (edition.plannedAt || edition.state === 'cancelled') continue
      if (edition.kind === 'scheduled' && edition.slotAt! > now) continue
      const { rows } = await sql<{ busy: boolean }>`
        select not exists (select from editions where id = ${edition.id} for no key update skip locked) as busy`.execute(
        this.#ctx.db,
      )
      if (rows[0]!.busy) return true
    }
    return false
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

function parseInstant(text: string): Date {
  const at = new Date(text)
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(at.getTime()))
    throw invalid('as-of', `${text} is not an instant such as 2026-03-02T07:00:00Z.`)
  return at
}

export async function subscriberOf(ctx: Context, email: string): Promise<number> {
  const found = await ctx.db
    .selectFrom('subscribers')
    .select('id')
    .where('emailKey', '=', email.trim().toLowerCase())
    .executeTakeFirst()
  if (!found) throw new Refusal('not_found', `There is no subscriber ${email}.`)
  return found.id
}
