// For load balancers and monitors: alive, ready, and metrics for Prometheus. No session and no key is needed, because nothing here
// names a person.

import { Router } from 'express'
import { sql } from 'kysely'
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { parser } from '../articles/parser.ts'
import { stopReasons } from '../base/parser-thread.ts'
import { inboundReader } from '../inbound/reader.ts'
import { alertKinds, listAlerts } from '../desk/alerts.ts'
import { countOpenInbound, countReturnedOfDay } from './reads/returned.ts'
import type { WebContext } from './web-context.ts'

type Health = Pick<WebContext, 'db' | 'clock' | 'registry'>

export function healthRouter(web: Health): Router {
  const registry = web.registry ?? new Registry()
  collectDefaultMetrics({ register: registry })
  const gauges = {
    editions: gauge('broadsheet_editions_open', 'editions that are not closed'),
    due: gauge('broadsheet_subscribers_overdue', 'active subscribers whose slot has passed and isn’t planned'),
    feeds: gauge('broadsheet_feeds_failing', 'feeds whose last poll failed'),
    tick: gauge('broadsheet_last_tick_seconds', 'seconds since a tick last came to its end; -1: none has'),
  }
  const inbound = new Gauge({
    name: 'broadsheet_inbound_events',
    help: 'returned mail that is not applied: waiting, or failed after five attempts',
    labelNames: ['state'],
    registers: [registry],
  })
  const returned = new Gauge({
    name: 'broadsheet_returned_deliveries',
    help: 'mails that came back in the last 24 hours, by class',
    labelNames: ['class'],
    registers: [registry],
  })
  const alerts = new Gauge({
    name: 'broadsheet_alerts',
    help: 'alerts that stand, by what they are about',
    labelNames: ['about'],
    registers: [registry],
  })
  const stopped = new Counter({
    name: 'broadsheet_parser_stopped_total',
    help: 'documents and returned mails that a parser of this process was stopped over, by reason',
    labelNames: ['reason'],
    registers: [registry],
  })
  function gauge(name: string, help: string) {
    return new Gauge({ name, help, registers: [registry] })
  }
  const router = Router({ strict: true, caseSensitive: true })
  router.get('/healthz', (_request, response) => {
    response.type('text').set('Cache-Control', 'no-store').send('ok\n')
  })
  router.get('/readyz', async (_request, response) => {
    response.type('text').set('Cache-Control', 'no-store')
    try {
      await sql`select 1`.execute(web.db)
      response.send('ready\n')
    } catch {
      response.status(503).send('the database does not answer\n')
    }
  })
  router.get('/metrics', async (_request, response) => {
    const { rows } = await sql<{ editions: number; due: number; feeds: number; tick: number }>`select
      (select count(*) from editions where state not in ('closed', 'cancelled', 'missed')) as editions,
      (select count(*) from due_times where next_due_at < ${web.clock.now()}) as due,
      (select count(*) from feeds where state = 'active' and failures > 0) as feeds,
      coalesce((select extract(epoch from now() - updated_at) from settings where key = 'last_tick'), -1)::float8 as tick`.execute(
      web.db,
    )
    gauges.editions.set(rows[0]!.editions)
    gauges.due.set(rows[0]!.due)
    gauges.feeds.set(rows[0]!.feeds)
    gauges.tick.set(rows[0]!.tick)
    for (const [state, count] of Object.entries(await countOpenInbound(web.db))) inbound.set({ state }, count)
    for (const [kind, count] of Object.entries(await countReturnedOfDay(web.db, web.clock.now())))
      returned.set({ class: kind }, count)
    stopped.reset()
    for (const reason of stopReasons) stopped.inc({ reason }, parser.stopped[reason] + inboundReader.stopped[reason])
    const standing = await listAlerts(web.db)
    for (const about of alertKinds)
      alerts.set({ about }, standing.filter(({ key }) => key.split(':')[0] === about).length)
    response
      .type(registry.contentType)
      .set('Cache-Control', 'no-store')
      .send(await registry.metrics())
  })
  return router
}
