// A site with large tables: no statement of a tick, a claim, a turn, a page or the nightly chores reads one of them from one end to
// the other.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { returnPath } from '../../src/delivery/return-path.ts'
import { retryFailed } from '../../src/inbound/retry.ts'
import { storeInbound } from '../../src/inbound/store.ts'
import { countFailed, runInbound } from '../../src/inbound/work.ts'
import { inboundFilters, listInbound } from '../../src/web/reads/returned.ts'
import { runTick } from '../../src/planning/tick.ts'
import { chores } from '../../src/chores.ts'
import { everyApiList, readEveryPage } from '../support/every-page.ts'
import { postForms, readRoutes } from '../support/every-route.ts'
import { fillLargeSite } from '../support/large-site.ts'
import { story, type House } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { openWorker } from '../support/post.ts'
import { bounceOf, complaintOf } from '../support/returned-mail.ts'
import { mailgunFailure, mailgunKey, mailgunPost } from '../support/webhooks.ts'
import { record, scannedTables } from '../support/query-plans.ts'
import { waitFor } from '../support/wait-for.ts'

const bounceDomain = 'bounces.example'
const subscribers = 30_000
const large = 10_000

async function readPages(house: House): Promise<number> {
  const console = await openConsole(house)
  const paths = await readEveryPage(async (path) => {
    const page = await console.get(path)
    assert.ok(page.status < 500, `${path}: ${page.status}`)
    return String(page.text ?? '')
  })
  return paths.length
}

/** Mail that comes back of mails that were sent: by listener, by webhook, and by Message-ID alone. */
async function takeIn(house: House): Promise<void> {
  const { db, config, clock } = house
  const sent = await db
    .selectFrom('deliveries')
    .select(['id', 'recipient', 'messageId'])
    .where('state', '=', 'sent')
    .where('editionId', 'is not', null)
    .where('subscriberId', 'is not', null)
    .orderBy('id', 'desc')
    .limit(20)
    .execute()
  const soft = { status: '5.2.2', diagnostic: '552 5.2.2 mailbox full' }
  for (const [n, { id, recipient, messageId }] of sent.entries()) {
    const to = returnPath(config.secretKeys, bounceDomain, id)
    const raw = Buffer.from(`To: ${recipient}\r\nMessage-ID: ${messageId}\r\n\r\n`)
    const mail = { returnPath: to, to: recipient, raw }
    const text = n % 5 === 0 ? complaintOf(mail) : bounceOf(mail, n % 2 ? soft : {})
    const envelopeTo = n % 5 === 4 ? null : to
    const source = envelopeTo === null ? 'imap' : 'listener'
    await storeInbound(db, { source, envelopeTo, raw: Buffer.from(text), receivedAt: clock.now() })
  }
  const [{ id, recipient }] = sent as [(typeof sent)[number]]
  const sender = returnPath(config.secretKeys, bounceDomain, id)
  const event = mailgunFailure('e1', recipient, { envelope: { sender } })
  await house.web
    .post('/inbound/mailgun')
    .send(mailgunPost(clock.now(), event, 'token1'))
    .expect(200)
  assert.equal(await runInbound(house.ctx), sent.length + 1)
  assert.equal(await countFailed(db), 0)
  await retryFailed(house.ctx, { actor: 'cli' })
}

async function readApi(house: House): Promise<void> {
  const api = await openApi(house)
  for (const path of everyApiList(house.config)) {
    const { body } = (await api('get', path)) as { body: { next?: string | null } }
    if (body.next) await api('get', `${path}${path.includes('?') ? '&' : '?'}cursor=${body.next}`)
  }
}

story(
  'no statement of a tick, a claim, a turn, a page or a nightly chore reads a large table from end to end',
  async (house) => {
    const { ctx, db, database } = house
    await fillLargeSite(house, subscribers)
    const { rows: tables } = await sql<{ name: string; rows: number }>`
      select relname as name, reltuples::int as rows from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace`.execute(db)
    const sizes = new Map(tables.map(({ name, rows }) => [name, rows]))
    for (const name of ['unsubscribes', 'signup_requests', 'form_mails', 'address_changes'])
      assert.ok(sizes.get(name)! > large, `${name} has ${sizes.get(name)} rows`)
    for (const name of ['inbound_events', 'inbound_reports', 'returned_deliveries', 'bounce_scores'])
      assert.ok(sizes.get(name)! > large, `${name} has ${sizes.get(name)} rows`)
    for (const name of ['subscribers', 'subscriptions', 'due_times', 'deliveries', 'reading', 'articles', 'consents'])
      assert.ok(sizes.get(name)! > large, `${name} has ${sizes.get(name)} rows`)

    const { rows: slots } = await sql<{ at: Date }>`select min(next_due_at) as at from due_times`.execute(db)
    const refused: string[] = []
    const statements = await record(async () => {
      assert.ok((await readPages(house)) > 40)
      assert.ok((await readRoutes(house)) > 150)
      await readApi(house)
      refused.push(...(await postForms(house)))
      for (const filter of inboundFilters) await listInbound(db, { limit: 51, before: 5000, filter })
      house.clock.set(slots[0]!.at.toISOString())
      await runTick(ctx, { chunkSize: 500 })
      const worker = openWorker(house)
      await worker.start()
      await waitFor(() => house.inbox.received.length >= 50)
      await worker.stop()
      await takeIn(house)
      await readPages(house)
      for (const chore of Object.values(chores(ctx))) await chore({})
    })
    assert.ok(statements.length > 120, `${statements.length} statements`)
    const scans: string[] = []
    for (const statement of statements)
      for (const table of await scannedTables(database.pool!, statement))
        if ((sizes.get(table) ?? 0) > large)
          scans.push(`${table}: ${statement.text.replace(/\s+/g, ' ').slice(0, 400)}`)
    assert.deepEqual({ scans, refused }, { scans: [], refused: [] })
  },
  {
    on: 'postgres',
    now: new Date().toISOString(),
    env: { BOUNCE_DOMAIN: bounceDomain, INBOUND_LISTEN: '127.0.0.1:2525', INBOUND_MAILGUN_KEY: mailgunKey },
  },
)
