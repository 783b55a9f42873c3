// One server of the sign-up bench, in a process of its own: `ours`, the whole program's web side, or `bare`, the least that a
// sign-up can be: Express, its form parser, and the four inserts in a transaction. Prints its port.

import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { sql } from 'kysely'
import { readConfig } from '../src/base/config.ts'
import { systemClock } from '../src/base/clock.ts'
import { createLog } from '../src/base/log.ts'
import { openPostgres } from '../src/db/connect.ts'
import { createServer } from '../src/web/server.ts'

const [kind, url] = process.argv.slice(2) as [string, string]
const config = readConfig({
  SITE_NAME: 'The Whale Gazette',
  SMTP_URL: 'smtp://127.0.0.1:9',
  PUBLIC_URL: 'http://127.0.0.1',
  SECRET_KEY: 'a secret of the bench that is long enough',
  MAIL_FROM: 'digest@news.example',
  POSTAL_ADDRESS: '1 Harbour Street',
  SIGNUPS_PER_DOMAIN: '10000000',
  SIGNUPS_PER_HOUR: '10000000',
  LOG_LEVEL: 'fatal',
})
const database = openPostgres(url, config.database.pool)
const app = kind === 'bare' ? bare() : ours()
const server = app.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port)
})
process.on('SIGTERM', () => {
  server.close(() => void database.close())
  server.closeAllConnections()
})

function ours(): Express {
  // A sign-up enqueues no chores.
  const queue = null as never
  return createServer({
    db: database.db,
    database,
    queue,
    config,
    clock: systemClock,
    log: createLog('fatal'),
  })
}

function bare(): Express {
  const app = express()
  const { db } = database
  app.use(express.urlencoded({ extended: true }))
  app.post('/subscribe', async (request, response) => {
    const { email, timezone, frequency } = request.body as { email: string; timezone: string; frequency: object }
    const choices = JSON.stringify(frequency)
    await db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ id: number }>`
        insert into subscribers (email, email_key, email_hash, status, timezone, created_at)
        values (${email}, ${email}, ${email}, 'pending', ${timezone}, now()) returning id`.execute(trx)
      const { id } = rows[0]!
      await sql`insert into signup_requests (subscriber_id, choices, timezone, consent_version, requested_at)
        values (${id}, ${choices}, ${timezone}, '1', now())`.execute(trx)
      await sql`insert into consents (subscriber_id, action, wording, wording_version, at, ip, form_url, detail)
        values (${id}, 'requested', ${config.site.optInStatement}, '1', now(), ${request.ip}, '/', ${choices})`.execute(
        trx,
      )
      await sql`insert into deliveries (subscriber_id, kind, lane, recipient, next_attempt_at, payload)
        values (${id}, 'confirmation', 'transactional', ${email}, now(), ${choices})`.execute(trx)
    })
    response.redirect(303, '/subscribe/check-your-mail')
  })
  return app
}
