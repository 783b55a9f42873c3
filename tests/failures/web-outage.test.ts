// The website while its Postgres can't work: full disk, stopped, starting again. Whoever asks is told to come back, nothing is
// half done, and what was answered well is there afterwards.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import supertest from 'supertest'
import { createApiKey } from '../../src/access/api-keys.ts'
import { systemClock } from '../../src/base/clock.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { type Database, openPostgres } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openQueue, type Queue } from '../../src/db/queue.ts'
import { createServer } from '../../src/web/server.ts'
import { testSecret } from '../support/house.ts'
import { addCategories } from '../support/readers.ts'
import { findPostgresBinaries } from '../support/postgres.ts'
import { type RestartablePostgres, startRestartablePostgres } from '../support/restartable-postgres.ts'
import { mailgunFailure, mailgunKey, mailgunPost } from '../support/webhooks.ts'
import { fillDisk, mountSmallDisk, unmountSmallDisk } from '../support/small-disk.ts'
import { waitFor } from '../support/wait-for.ts'

const hasPostgres = findPostgresBinaries() !== null
const disk = hasPostgres ? mountSmallDisk() : null
const noPostgres = hasPostgres ? false : 'no Postgres found'
const noDisk = disk ? false : 'needs Postgres, and root to mount a small tmpfs'
let postgres: RestartablePostgres | null = null
let database: Database
let queue: Queue
let web: ReturnType<typeof supertest>
let key: string

before(async () => {
  if (!hasPostgres) return
  postgres = await startRestartablePostgres(['max_wal_size=48MB', 'min_wal_size=32MB'], disk ?? undefined)
  database = openPostgres(postgres!.url, 5)
  await migrate(database.db)
  const log = createLog('silent')
  queue = await openQueue(database, postgres!.url, log)
  const config = readConfig({
    PUBLIC_URL: 'http://news.example',
    SITE_NAME: 'The Whale Gazette',
    SMTP_URL: 'smtp://127.0.0.1:1',
    SECRET_KEY: testSecret,
    MAIL_FROM: 'The Whale Gazette <digest@news.example>',
    POSTAL_ADDRESS: '1 Harbour Street, Port Lantern',
    SIGNUPS_PER_IP: '0',
    INBOUND_MAILGUN_KEY: mailgunKey,
  })
  const ctx = { db: database.db, clock: systemClock, config, log, database, queue }
  await addCategories({ ctx })
  key = (await createApiKey(ctx, { name: 'a program', scope: 'all', actor: 'cli' })).key
  web = supertest(createServer(ctx))
})
after(async () => {
  await queue?.stop(1000)
  await database?.close()
  await postgres?.remove()
  if (disk) unmountSmallDisk(disk)
})

const signUp = (email: string) =>
  web.post('/subscribe').type('form').send({ email, 'frequency[politics]': 'daily', consent: 'on', website: '' })
const isKept = async (email: string) =>
  (await database.db.selectFrom('subscribers').select('id').where('emailKey', '=', email).execute()).length === 1
async function untilReady(): Promise<void> {
  await waitFor(async () => (await web.get('/readyz')).status === 200)
}

test('a full disk: 503 with Retry-After, and what was answered well was kept', { skip: noDisk }, async () => {
  const ballast = path.join(disk!, 'ballast')
  await signUp('before@example.com').expect(303)
  fillDisk(ballast)
  await sql`select pg_switch_wal()`.execute(database.db).catch(() => {})
  const answers = new Map<string, number>()
  for (let i = 0; i < 400; i++) {
    const email = `reader${i}@example.com`
    const answer = await signUp(email)
    answers.set(email, answer.status)
    if (answer.status < 500) continue
    assert.equal(answer.status, 503, answer.text)
    assert.equal(answer.get('Retry-After'), '60')
    assert.match(answer.text, /try again in a few minutes/)
    break
  }
  assert.ok([...answers.values()].includes(503), 'the disk was never felt')
  fs.rmSync(ballast)
  // Without room for its log Postgres gives up; whoever watches it starts it again.
  await postgres!.start().catch(() => {})
  await untilReady()
  for (const [email, status] of answers) if (status < 400) assert.ok(await isKept(email), `${email} was lost`)
  await signUp('after@example.com').expect(303)
})

test(
  'a Postgres that is stopped: 503 at once, also for the API, and well again when it is',
  { skip: noPostgres },
  async () => {
    await postgres!.stopImmediately()
    const page = await signUp('ada@example.com').expect(503)
    assert.equal(page.get('Retry-After'), '60')
    const api = await web.get('/api/v1/editions').set('Authorization', `Bearer ${key}`).expect(503)
    assert.equal(api.body.status, 503)
    assert.match(api.get('Content-Type')!, /problem\+json/)
    const webhook = () =>
      web.post('/inbound/mailgun').send(mailgunPost(new Date(), mailgunFailure('e1', 'ada@example.com')))
    await webhook().expect(503)
    await web.get('/readyz').expect(503)
    await web.get('/healthz').expect(200)
    await postgres!.start()
    await untilReady()
    await signUp('ada@example.com').expect(303)
    assert.ok(await isKept('ada@example.com'))
    await webhook().expect(200, 'stored\n')
  },
)
