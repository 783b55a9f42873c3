// What came back, as editors and programs see it: from a provider's webhook to the pages of the edition and of the subscriber.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { setSetting } from '../../src/db/settings.ts'
import { returnPath } from '../../src/delivery/return-path.ts'
import { closeFinished } from '../../src/editions/close.ts'
import { runTick } from '../../src/planning/tick.ts'
import { imapStateKey } from '../../src/inbound/imap.ts'
import { countFailed, mostAttempts, runInbound } from '../../src/inbound/work.ts'
import { typed } from '../support/command-line.ts'
import { type House, story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addStory } from '../support/newsroom.ts'
import { openWorker } from '../support/post.ts'
import { addCategories, subscribeFully } from '../support/readers.ts'
import { mailgunFailure, mailgunKey, mailgunPost } from '../support/webhooks.ts'

const env = { BOUNCE_DOMAIN: 'bounces.example', INBOUND_MAILGUN_KEY: mailgunKey }

/** A digest that was sent to four readers, and is closed. */
async function sendDigest(
  house: House,
): Promise<{ editionId: number; deliveries: { id: number; recipient: string }[] }> {
  await addCategories(house, ['Politics'])
  await addStory(house.ctx, 'The lighthouse strike ends', [1])
  for (const name of ['ada@paper.example', 'bob@paper.example', 'cyd@ink.example', 'dan@ink.example'])
    await subscribeFully(house, name)
  const api = await openApi(house)
  const { body } = await api('post', '/editions').send({ kind: 'manual' }).expect(201)
  await runTick(house.ctx)
  await openWorker(house).runOnce()
  await closeFinished(house.ctx)
  const editionId = body.id as number
  const deliveries = await house.db
    .selectFrom('deliveries')
    .select(['id', 'recipient'])
    .where('editionId', '=', editionId)
    .orderBy('recipient')
    .execute()
  return { editionId, deliveries }
}

let tokens = 0
/** By a webhook that names the return path of the delivery. */
async function fails(house: House, delivery: { id: number; recipient: string }, changes: object = {}): Promise<void> {
  const sender = returnPath(house.config.secretKeys, 'bounces.example', delivery.id)
  const event = mailgunFailure(`e${++tokens}`, delivery.recipient, { envelope: { sender }, ...changes })
  await house.web
    .post('/inbound/mailgun')
    .send(mailgunPost(house.clock.now(), event, `token${tokens}`))
    .expect(200, 'stored\n')
  await runInbound(house.ctx)
}

story(
  'what a webhook tells is seen beside the account, which stays as it was, on pages, by API and in the metrics',
  async (house) => {
    const { editionId, deliveries } = await sendDigest(house)
    const [ada, bob, cyd] = deliveries
    const desk = await openConsole(house)
    const api = await openApi(house)
    const before = (await api('get', `/editions/${editionId}`).expect(200)).body
    assert.deepEqual([before.account.sent, before.returned], [4, { hard: 0, soft: 0, complaint: 0 }])
    assert.match((await desk.get(`/admin/editions/${editionId}`).expect(200)).text, /nothing has come back/)

    await fails(house, ada!)
    await fails(house, bob!, { event: 'complained' })
    await fails(house, cyd!, { 'delivery-status': { code: 452, message: '4.2.2 Mailbox full' } })
    // Of another site that sends by the same account.
    const theirs = mailgunFailure('theirs', 'eve@elsewhere.example')
    await house.web
      .post('/inbound/mailgun')
      .send(mailgunPost(house.clock.now(), theirs, 'theirs'))
      .expect(200)
    await runInbound(house.ctx)

    const after = (await api('get', `/editions/${editionId}`).expect(200)).body
    assert.deepEqual(after.account, before.account)
    assert.deepEqual(after.returned, { hard: 1, soft: 1, complaint: 1 })
    const returned = (await api('get', `/editions/${editionId}/deliveries?state=returned`).expect(200)).body.items
    assert.deepEqual(
      (returned as { recipient: string; state: string; returned: { class: string; reason: string } }[])
        .map((each) => [each.recipient, each.state, each.returned.class, each.returned.reason])
        .sort(),
      [
        ['ada@paper.example', 'sent', 'hard', 'user_unknown'],
        ['bob@paper.example', 'sent', 'complaint', ''],
        ['cyd@ink.example', 'sent', 'soft', 'mailbox_full'],
      ],
    )
    const inbound = async (query: string) => (await api('get', `/inbound?${query}`).expect(200)).body.items
    assert.equal((await inbound('')).length, 4)
    const [unmatched, ...others] = await inbound('show=unmatched')
    assert.deepEqual(others, [])
    assert.deepEqual(
      [unmatched.source, unmatched.reports[0].recipient, unmatched.reports[0].proof, unmatched.reports[0].effect],
      ['mailgun', 'eve@elsewhere.example', null, 'not-ours'],
    )
    assert.deepEqual(await inbound('show=failed'), [])
    assert.equal((await inbound('limit=1')).length, 1)

    const edition = (await desk.get(`/admin/editions/${editionId}`).expect(200)).text.replace(/\s+/g, ' ')
    assert.match(edition, />3 came back<\/a>: 1 hard, 1 soft, 1 complaint\. The account counts them as sent\./)
    assert.match(edition, /ink\.example.{0,200}soft.{0,100}mailbox full/)
    assert.match(
      (await desk.get(`/admin/editions/${editionId}/deliveries?state=returned`).expect(200)).text,
      /returned: hard/,
    )
    const subscriber = (await api('get', '/subscribers?email=ada@paper.example').expect(200)).body.items[0]
    assert.equal(subscriber.status, 'suppressed')
    const page = (await desk.get(`/admin/subscribers/${subscriber.id}`).expect(200)).text
    for (const words of [
      /returned: hard, user unknown/,
      /What came back/,
      /the address was suppressed/,
      /doesn&#39;t exist/,
    ])
      assert.match(page, words)
    const list = (await desk.get('/admin/returned?show=unmatched').expect(200)).text
    assert.match(list, /come back from Mailgun/)
    assert.ok(list.includes('eve@elsewhere.example') && !list.includes('ada@paper.example'))
    const { text: metrics } = await house.web.get('/metrics').expect(200)
    for (const line of ['events{state="waiting"} 0', 'events{state="failed"} 0'])
      assert.ok(metrics.includes(`inbound_${line}`))
    for (const line of ['hard', 'soft', 'complaint'])
      assert.ok(metrics.includes(`broadsheet_returned_deliveries{class="${line}"} 1`))
  },
  { env },
)

story(
  'mail that five attempts could not apply is retried by a button, by API and by a command, and applied once',
  async (house) => {
    const { editionId, deliveries } = await sendDigest(house)
    const desk = await openConsole(house)
    const api = await openApi(house)
    const failed = '/admin/returned?show=failed'
    await desk.post('/admin/returned/retry').expect(303).expect('location', `${failed}&done=none-retried`)
    await api('post', '/inbound/retry').send({}).expect(200, { retried: 0 })
    await api('post', '/inbound/retry').send({ id: 1 }).expect(409)

    // Nothing can be written about it for now.
    await sql`alter table inbound_reports rename to inbound_reports_away`.execute(house.db)
    for (const delivery of deliveries.slice(0, 3)) await fails(house, delivery)
    const ids = (await house.db.selectFrom('inboundEvents').select('id').orderBy('id').execute()).map(({ id }) => id)
    for (let attempt = 2; attempt <= mostAttempts; attempt++) {
      await sql`update inbound_events set next_attempt_at = now()`.execute(house.db)
      await runInbound(house.ctx)
    }
    await sql`alter table inbound_reports_away rename to inbound_reports`.execute(house.db)
    assert.equal(await countFailed(house.db), 3)

    const page = (await desk.get(failed).expect(200)).text
    assert.ok(page.includes('Retry all of them') && page.includes(`name="id" value="${ids[2]}"`))
    assert.ok(!(await desk.get('/admin/returned').expect(200)).text.includes('Retry'))
    await desk.post('/admin/returned/retry', { id: 'x' }).expect(400)
    await desk.post('/admin/returned/retry', { id: String(ids[0]) }).expect(303)
    assert.equal(await countFailed(house.db), 2)
    await api('post', '/inbound/retry').send({ id: ids[1] }).expect(200, { retried: 1 })
    const wrong = await typed(house, ['inbound', 'retry', 'x'])
    assert.deepEqual([wrong.code === 0, wrong.stderr.includes('ID must be a whole number')], [false, true])
    assert.deepEqual((await typed(house, ['inbound', 'retry', '--json'])).lines(), [{ retried: 1 }])
    assert.match((await typed(house, ['inbound', 'retry'])).stdout, /No mail has failed/)
    assert.equal(await runInbound(house.ctx), 3)
    const after = (await api('get', `/editions/${editionId}`).expect(200)).body
    assert.equal(after.returned.hard, 3)
    const actors = await house.db
      .selectFrom('auditLog')
      .select('actor')
      .where('action', '=', 'inbound.retried')
      .execute()
    assert.deepEqual(
      actors.map(({ actor }) => actor.replace(/:.*/, '')),
      ['editor', 'api-key', 'cli'],
    )
    // What is applied stays as it is; what has lost its text can't be retried.
    await api('post', '/inbound/retry').send({ id: ids[0] }).expect(409)
    await sql`update inbound_events set applied_at = null, raw = null, facts = null`.execute(house.db)
    await api('post', '/inbound/retry').send({}).expect(200, { retried: 0 })
  },
  { env },
)

story('without a way to receive returned mail, the console says so', async (house) => {
  const { editionId } = await sendDigest(house)
  const desk = await openConsole(house)
  for (const path of ['/admin', '/admin/returned', `/admin/editions/${editionId}`, '/admin/subscribers/1'])
    assert.match((await desk.get(path).expect(200)).text, /Nothing comes back/, path)
})

story(
  'a mailbox that can’t be read is shown with its reason',
  async (house) => {
    const problem = 'It refuses the user name or the password.'
    await setSetting(house.db, imapStateKey, { problem, since: house.clock.now().toISOString() })
    const desk = await openConsole(house)
    assert.ok((await desk.get('/admin/returned').expect(200)).text.includes(problem))
  },
  { env: { INBOUND_IMAP: 'imaps://user:password@mail.example/Bounces' } },
)
