// For load balancers and monitors: alive, ready, and the figures in Prometheus text. No page of the site, so no session and no
// key: nothing here names a person.

import { Router } from 'express'
import { sql } from 'kysely'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { WebContext } from './web-context.ts'

export function healthRouter(web: WebContext): Router {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const gauges = {
    open: gauge('broadsheet_deliveries_claimable', 'mails that wait to be sent, by lane', ['lane']),
    oldest: gauge('broadsheet_oldest_claimable_seconds', 'age of the mail that has waited longest, by lane', ['lane']),
    editions: gauge('broadsheet_editions_open', 'editions that are not closed', []),
    due: gauge('broadsheet_subscribers_overdue', 'active subscribers whose slot has passed and isn’t planned', []),
    feeds: gauge('broadsheet_feeds_failing', 'feeds whose last poll failed', []),
  }
  function gauge(name: string, help: string, labelNames: string[]) {
    return new Gauge({ name, help, labelNames, registers: [registry] })
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
    for (const { lane, waiting, oldest } of await claimable(web)) {
      gauges.open.set({ lane }, waiting)
      gauges.oldest.set({ lane }, oldest)
    }
    const { rows } = await sql<{ editions: number; due: number; feeds: number }>`select
      (select count(*) from editions where state not in ('closed', 'cancelled', 'missed')) as editions,
      (select count(*) from subscribers where status = 'active' and next_due_at < ${web.clock.now()}) as due,
      (select count(*) from feeds where state = 'active' and failures > 0) as feeds`.execute(web.db)
    gauges.editions.set(rows[0]!.editions)
    gauges.due.set(rows[0]!.due)
    gauges.feeds.set(rows[0]!.feeds)
    response
      .type(registry.contentType)
      .set('Cache-Control', 'no-store')
      .send(await registry.metrics())
  })
  return router
}

/** Both lanes, also when nothing waits: a series that comes and goes is hard to alert on. Partial indexes keep it cheap. */
async function claimable(web: WebContext): Promise<{ lane: string; waiting: number; oldest: number }[]> {
  const { rows } = await sql<{ lane: string; waiting: number; oldest: number }>`
    select 'transactional' as lane, count(*) as waiting,
      coalesce(extract(epoch from now() - min(next_attempt_at)), 0)::float8 as oldest
    from deliveries where next_attempt_at is not null and lane = 'transactional'
    union all
    select 'digest', count(*), coalesce(extract(epoch from now() - min(next_attempt_at)), 0)::float8
    from deliveries where next_attempt_at is not null and lane = 'digest'`.execute(web.db)
  return rows
}
