// Counts the relays' answers that this worker receives, for all workers. An answer that calls an address dead is written to the
// database at once, and brakes.ts decides there whether to believe it. All other answers are added up here, and written together
// with those or with the next beat.
//
// Dead answers that arrive together share a transaction. Each connection waits for its own, so there are never more undecided
// answers than connections. All answers of a transaction count before any of them suppresses an address.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import type { Brake } from '../db/schema.ts'
import { type Course, covers, doubts, newestMinutes } from './brake-rules.ts'
import {
  brakeIfImplausible,
  listBelieved,
  listStanding,
  lockBrakes,
  reopenLate,
  type Scope,
  scopeKey,
} from './brakes.ts'
import type { DeadAddress, DeadAddresses } from './dead-addresses.ts'
import { plainArray, textArray } from './hot-query.ts'
import type { LeasedDelivery } from './lane.ts'
import { withoutAddresses } from './reasons.ts'

export interface DeadAnswer extends Omit<DeadAddress, 'brakeId'>, Course {}

interface Waiting {
  answer: DeadAnswer
  /** Other answers that arrived before this one and after the previous one. */
  before: Map<string, number>
  resolve: (isBraked: boolean) => void
  reject: (cause: unknown) => void
}

export interface AnswersOptions {
  db: Db
  deadAddresses: DeadAddresses
  relays: readonly string[]
  retryHours: number
}

export class Answers {
  #options: AnswersOptions
  #others = new Map<string, number>()
  #emptiedAt = performance.now()
  #waiting: Waiting[] = []
  #isJudging = false
  #standing: readonly Brake[] = []
  /** Scopes of domains with a recent dead answer. */
  #watched = new Set<string>()

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  /** An answer that calls no address dead. */
  heard({ domain, editionId }: LeasedDelivery, relay: string): void {
    for (const key of keysOf({ domain, editionId, relay })) this.#others.set(key, (this.#others.get(key) ?? 0) + 1)
  }

  /** Suppresses the address. Resolves to true if there is a brake and the answer isn't believed. */
  dead(answer: DeadAnswer): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ answer, before: this.#take(keysOf(answer)), resolve, reject })
      void this.#judgeAll()
    })
  }

  /** Whether a digest has to wait at this relay. Without `relay`: at every relay. */
  holds({ lane, domain, editionId }: LeasedDelivery, relay?: string): boolean {
    if (lane !== 'digest' || !this.#standing.length) return false
    const relays = relay === undefined ? this.#options.relays : [relay]
    return relays.every((each) =>
      this.#standing.some((brake) => brake.holdsDigests && covers(brake, { lane, domain, editionId, relay: each })),
    )
  }

  /** Ids of the brakes under which single mails go one at a time through this relay. */
  listBrakesOn(delivery: Pick<LeasedDelivery, 'lane' | 'domain' | 'editionId'>, relay: string): readonly number[] {
    if (!this.#standing.length) return none
    const course = { ...pick(delivery), relay }
    return this.#standing.filter((brake) => doubts(brake, course)).map(({ id }) => id)
  }

  /** Whether a single mail goes one at a time through every relay. */
  isBraked(delivery: Pick<LeasedDelivery, 'lane' | 'domain' | 'editionId'>): boolean {
    return this.#options.relays.every((relay) => this.listBrakesOn(delivery, relay).length > 0)
  }

  get isAnyOn(): boolean {
    return this.#standing.length > 0
  }

  async refresh(): Promise<void> {
    this.#standing = await listStanding(this.#options.db)
  }

  /** Writes the counts that other workers need, and reads theirs. */
  async beat(): Promise<void> {
    await this.refresh()
    const { db, retryHours } = this.#options
    const { rows } = await sql<{ domain: string }>`
      select distinct domain from dead_answers
      where brake_id is null and at > now() - ${newestMinutes} * interval '1 minute'`.execute(db)
    this.#watched = new Set(rows.map(({ domain }) => scopeKey({ domain })))
    // Counts of domains without a dead answer aren't written. Old counts are no evidence.
    const keys = [...this.#others.keys()].filter((key) => key.startsWith('relay ') || this.#watched.has(key))
    await addCounts(
      db,
      [...this.#take(keys)].map(([scope, count]) => ({ scope, count, at: null })),
    )
    if (performance.now() - this.#emptiedAt > newestMinutes * 60_000) {
      this.#others.clear()
      this.#emptiedAt = performance.now()
    }
    if (this.isAnyOn) await reopenLate(db, retryHours)
  }

  #take(keys: readonly string[]): Map<string, number> {
    const taken = new Map<string, number>()
    for (const key of keys) {
      const count = this.#others.get(key)
      if (count) taken.set(key, count)
      this.#others.delete(key)
    }
    return taken
  }

  async #judgeAll(): Promise<void> {
    if (this.#isJudging) return
    this.#isJudging = true
    while (this.#waiting.length) {
      const group = this.#waiting
      this.#waiting = []
      try {
        const { db } = this.#options
        const braked = await retryDeadlock(() => db.transaction().execute((trx) => this.#judge(trx, group)))
        if (braked.size) await this.refresh()
        for (const { answer, resolve } of group) resolve(braked.has(answer))
      } catch (cause) {
        for (const { reject } of group) reject(cause)
      }
    }
    this.#isJudging = false
  }

  /** Returns the answers that a brake covers. */
  async #judge(trx: Trx, group: readonly Waiting[]): Promise<Set<DeadAnswer>> {
    const answers = group.map(({ answer }) => answer)
    const { deadAddresses, retryHours } = this.#options
    await lockBrakes(trx)
    const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(trx)
    const { now } = rows[0]!
    await addCounts(trx, countsOf(group, now))
    const standing = await listStanding(trx)
    const believed = await listBelieved(trx, retryHours)
    const brakeOf = new Map<DeadAnswer, Brake>()
    for (const answer of answers) {
      const brake =
        standing.find((each) => covers(each, answer)) ??
        standing.find((each) => doubts(each, answer)) ??
        believed.find((each) => covers(each, answer))
      if (brake) brakeOf.set(answer, brake)
    }
    await trx
      .insertInto('deadAnswers')
      .values(
        answers.map((answer) => ({
          at: now,
          deliveryId: answer.deliveryId,
          emailHash: answer.emailHash,
          lane: answer.lane,
          domain: answer.domain,
          relay: answer.relay,
          editionId: answer.editionId,
          reply: withoutAddresses(answer.reply).slice(0, 500),
          brakeId: brakeOf.get(answer)?.id ?? null,
        })),
      )
      .execute()
    // Domains first: an answer that a domain explains doesn't count for an edition.
    for (const scopesOf of [domainOf, relayOf]) {
      const free = answers.filter((answer) => !brakeOf.has(answer))
      const scopes = new Map(free.map((answer) => [scopeKey(scopesOf(answer)), scopesOf(answer)]))
      for (const scope of scopes.values()) {
        const brake = await brakeIfImplausible(trx, scope, { now, retryHours }, deadAddresses)
        if (!brake) continue
        for (const answer of free) if (doubts(brake, answer)) brakeOf.set(answer, brake)
      }
    }
    const isBraked = (answer: DeadAnswer) => brakeOf.get(answer)?.decision === null
    const proven = answers.filter((answer) => !isBraked(answer))
    await deadAddresses.suppress(
      trx,
      proven.map((answer) => ({ ...answer, brakeId: brakeOf.get(answer)?.id ?? null })),
    )
    return new Set(answers.filter(isBraked))
  }
}

const none: readonly number[] = []
const pick = ({ lane, domain, editionId }: Omit<Course, 'relay'>) => ({ lane, domain, editionId })

const domainOf = ({ domain }: Pick<Course, 'domain'>): Scope => ({ domain })
const relayOf = ({ relay, editionId }: Pick<Course, 'relay' | 'editionId'>): Scope => ({ relay, editionId })
const keysOf = (course: Omit<Course, 'lane'>) => [scopeKey(domainOf(course)), scopeKey(relayOf(course))]

/** Answers before the first dead answer of a scope must not count as later ones. */
function countsOf(group: readonly Waiting[], now: Date) {
  const begun = new Set<string>()
  return group.flatMap(({ answer, before }) =>
    keysOf(answer).map((scope) => {
      const at = begun.has(scope) ? now : new Date(now.getTime() - 1)
      begun.add(scope)
      return { scope, count: before.get(scope) ?? 0, at }
    }),
  )
}

/** `at` null: now. Rows are only inserted, and deleted once nothing counts them, so workers never wait for each other here. */
async function addCounts(db: Db, all: readonly { scope: string; count: number; at: Date | null }[]): Promise<void> {
  const counts = all.filter(({ count }) => count > 0)
  if (!counts.length) return
  const times = textArray(counts.map(({ at }) => at?.toISOString() ?? null))
  await sql`
    insert into answer_counts (scope, at, answers)
    select scope, coalesce(at, now()), answers
    from unnest(${textArray(counts.map(({ scope }) => scope))}::text[], ${times}::timestamptz[],
      ${plainArray(counts.map(({ count }) => count))}::int[]) as c (scope, at, answers)`.execute(db)
}
