// Delivery's metrics for Prometheus. A process creates one DeliveryMetrics on its registry and passes it to its worker. Gauges
// read the database by index when they are scraped. No label contains an address or a token. Recipient domains are labels only
// while there are few; all others are `other`.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Lane } from '../db/schema.ts'
import { listStanding } from './brakes.ts'
import type { Fate } from './fate.ts'
import type { LeasedDelivery } from './lane.ts'

export type Step = 'compose' | 'sign' | 'turn' | 'smtp'

export interface WorkerView {
  relays: readonly { name: string; connections: number; isUp: boolean }[]
  limits: readonly { domain: string; limit: number }[]
}

const mostDomains = 50

export class DeliveryMetrics {
  #mails: Counter<'lane' | 'class'>
  #replies: Counter<'class' | 'code' | 'domain'>
  #retries: Counter<'lane'>
  #skipped: Counter<'reason'>
  #steps: Histogram<'step'>
  #group: Histogram
  #domains = new Set<string>()
  /** The worker's own numbers; set while it runs. */
  view: (() => WorkerView) | null = null

  constructor(registry: Registry, db: Db) {
    const registers = [registry]
    this.#mails = new Counter({
      name: 'broadsheet_mails_total',
      help: 'Mails handed to a relay, by lane and what became of them',
      labelNames: ['lane', 'class'],
      registers,
    })
    this.#replies = new Counter({
      name: 'broadsheet_smtp_replies_total',
      help: 'Answers of relays, by class, code and recipient domain',
      labelNames: ['class', 'code', 'domain'],
      registers,
    })
    this.#retries = new Counter({
      name: 'broadsheet_retries_total',
      help: 'Mails handed to a relay that had been tried before, by lane',
      labelNames: ['lane'],
      registers,
    })
    this.#skipped = new Counter({
      name: 'broadsheet_skipped_total',
      help: 'Deliveries that were not sent, by reason',
      labelNames: ['reason'],
      registers,
    })
    this.#steps = new Histogram({
      name: 'broadsheet_delivery_step_seconds',
      help: 'Time per mail in each step; per group in turn',
      labelNames: ['step'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30],
      registers,
    })
    this.#group = new Histogram({
      name: 'broadsheet_turn_connections',
      help: 'Connections that shared one statement',
      buckets: [1, 2, 5, 10, 20, 50],
      registers,
    })
    this.#gauges(registers, db)
  }

  learned({ lane, domain, attempt }: LeasedDelivery, fate: Fate, code: number | null): void {
    this.#mails.inc({ lane, class: fate.class })
    if (attempt > 0) this.#retries.inc({ lane })
    if (code !== null) this.#replies.inc({ class: fate.class, code: String(code), domain: this.#label(domain) })
  }

  skipped(reason: string): void {
    this.#skipped.inc({ reason })
  }

  took(step: Step, ms: number): void {
    this.#steps.observe({ step }, ms / 1000)
  }

  turned(connections: number, ms: number): void {
    this.#group.observe(connections)
    this.took('turn', ms)
  }

  #label(domain: string): string {
    if (this.#domains.has(domain)) return domain
    if (this.#domains.size >= mostDomains) return 'other'
    this.#domains.add(domain)
    return domain
  }

  #gauges(registers: Registry[], db: Db): void {
    const gauge = (name: string, help: string, label: string | null, fill: (gauge: Gauge) => Promise<void> | void) =>
      new Gauge({
        name,
        help,
        labelNames: label ? [label] : [],
        registers,
        collect() {
          return fill(this)
        },
      })
    gauge('broadsheet_open_deliveries', 'Deliveries that are not over, by lane', 'lane', async (open) => {
      for (const [lane, count] of Object.entries(await countOpen(db))) open.set({ lane }, count)
    })
    const oldestHelp = 'How long the oldest delivery that could be sent now has been waiting, by lane'
    gauge('broadsheet_oldest_delivery_seconds', oldestHelp, 'lane', async (oldest) => {
      for (const [lane, seconds] of Object.entries(await oldestSeconds(db))) oldest.set({ lane }, seconds)
    })
    const uncertainHelp = 'Deliveries of all editions on record whose fate is not known'
    gauge('broadsheet_uncertain_deliveries', uncertainHelp, null, async (uncertain) => {
      const { rows } = await sql<{ count: number }>`
        select coalesce(sum(count), 0)::int as count from edition_counts where outcome = 'uncertain'`.execute(db)
      uncertain.set(rows[0]!.count)
    })
    const brakesHelp = 'Brakes that are on: mail waits for an editor because too many addresses were called dead'
    gauge('broadsheet_brakes', brakesHelp, null, async (brakes) => brakes.set((await listStanding(db)).length))
    const relays = () => this.view?.().relays ?? []
    const connectionsHelp = 'Connections of this process that are open, by relay'
    gauge('broadsheet_smtp_connections', connectionsHelp, 'relay', (open) => {
      for (const relay of relays()) open.set({ relay: relay.name }, relay.connections)
    })
    gauge('broadsheet_relay_up', '1 while the relay can be used, 0 while its circuit is open', 'relay', (up) => {
      for (const relay of relays()) up.set({ relay: relay.name }, relay.isUp ? 1 : 0)
    })
    const limitHelp = 'Mails at a time to a recipient domain that throttled; no sample: unlimited'
    gauge('broadsheet_domain_limit', limitHelp, 'domain', (limit) => {
      limit.reset()
      for (const each of this.view?.().limits ?? []) limit.set({ domain: this.#label(each.domain) }, each.limit)
    })
  }
}

/** From the open counts of the open editions, and by index. Deliveries are never counted. */
async function countOpen(db: Db): Promise<Record<Lane, number>> {
  const { rows } = await sql<Record<Lane, number>>`
    select
      (select coalesce(sum(e.audience - coalesce((select sum(c.count) from edition_counts c where c.edition_id = e.id), 0)), 0)::int
        from editions e where e.state not in ('closed', 'cancelled', 'missed')) as digest,
      (select count(*)::int from (select from deliveries
        where lane = 'transactional' and next_attempt_at is not null limit 100000) waiting) as transactional`.execute(
    db,
  )
  return rows[0]!
}

async function oldestSeconds(db: Db): Promise<Record<Lane, number>> {
  const { rows } = await sql<Record<Lane, number>>`
    select
      (select coalesce(max(extract(epoch from now() - o.at)), 0)::float8 from editions e cross join lateral
        (select min(d.next_attempt_at) as at from deliveries d where d.edition_id = e.id and d.lane = 'digest'
          and d.next_attempt_at is not null) o where e.state = 'sending' and o.at < now()) as digest,
      (select coalesce(extract(epoch from now() - min(next_attempt_at)), 0)::float8 from deliveries
        where lane = 'transactional' and next_attempt_at <= now()) as transactional`.execute(db)
  return rows[0]!
}
