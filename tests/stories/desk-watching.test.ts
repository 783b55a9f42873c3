import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { sql } from 'kysely'
import { checkAlerts, listAlerts } from '../../src/desk/alerts.ts'
import { arrangeEdition } from '../../src/desk/approval.ts'
import { closeFinished } from '../../src/editions/close.ts'
import { decideUncertain, moveEdition, retryFailed } from '../../src/desk/control.ts'
import { findEdition, getEdition, listEditions } from '../../src/editions/store.ts'
import { purgeSnapshots } from '../../src/digests/snapshot.ts'
import { purge } from '../../src/delivery/purge.ts'
import { readConfig } from '../../src/base/config.ts'
import { story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addCategories, addReader, addStory, tick } from '../support/newsroom.ts'
import { postAll, sendThroughFaulty } from '../support/post.ts'
import { listEditionStories } from '../../src/editions/stories.ts'
import { countRefusal } from '../../src/editions/guards.ts'

story('an alert is raised once, mailed to editors, cleared when it is over, and may come again', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  await house.db
    .insertInto('editors')
    .values({ email: 'eve@news.example', emailKey: 'eve@news.example', createdAt: house.clock.now() })
    .execute()
  const mails = () => house.db.selectFrom('deliveries').selectAll().where('kind', '=', 'alert').execute()
  house.clock.set('2026-03-02T07:14:00Z')
  await checkAlerts(house.ctx)
  assert.equal((await listAlerts(house.db)).length, 0)
  house.clock.set('2026-03-02T07:16:00Z')
  await checkAlerts(house.ctx)
  await checkAlerts(house.ctx)
  assert.deepEqual(
    (await listAlerts(house.db)).map(({ key }) => key),
    ['planning:2026-03-02T07:00:00.000Z'],
  )
  assert.equal((await mails()).length, 1)
  await tick(house.ctx)
  await checkAlerts(house.ctx)
  assert.equal((await listAlerts(house.db)).length, 0)
  house.clock.set('2026-03-03T07:20:00Z')
  await checkAlerts(house.ctx)
  assert.equal((await mails()).length, 2)
})

story(
  'each alert is raised once, everywhere: log, editors, console, metrics, webhook; and again after it was over',
  async (house) => {
    const { db, clock } = house
    const heard: { alert: string; text: string }[] = []
    let answer = 503
    const webhook = http.createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      if (answer === 204) heard.push(JSON.parse(Buffer.concat(chunks).toString()))
      response.writeHead(answer).end()
    })
    webhook.listen(0, '127.0.0.1')
    await once(webhook, 'listening')
    const { port } = webhook.address() as { port: number }
    const config = { ...house.config, alertWebhook: `http://127.0.0.1:${port}/alerts` }
    const ctx = { ...house.ctx, config }
    // Two processes look at once.
    const look = () => Promise.all([checkAlerts(ctx), checkAlerts(ctx)])
    const metric = async (about: string) => {
      const { text } = await house.web.get('/metrics').expect(200)
      return Number(new RegExp(`^broadsheet_alerts\\{about="${about}"\\} (\\d+)$`, 'm').exec(text)![1])
    }
    const [politics] = await addCategories(db, 'politics')
    await addReader(ctx, { choice: { [politics!]: 'daily' } })
    const editors = ['eve@news.example', 'tom@news.example']
    await db
      .insertInto('editors')
      .values(editors.map((email) => ({ email, emailKey: email, createdAt: clock.now() })))
      .execute()
    const desk = await openConsole(house)
    const mails = async () =>
      (await db.selectFrom('deliveries').selectAll().where('kind', '=', 'alert').execute()).length
    const mailed = 3

    // A slot that nobody plans. The webhook is down at first; nobody else hears it twice for that.
    clock.set('2026-03-02T07:16:00Z')
    await look()
    assert.deepEqual([heard.length, await mails(), await metric('planning')], [0, mailed, 1])
    answer = 204
    await look()
    await look()
    assert.deepEqual(heard.splice(0), [
      {
        alert: 'planning:2026-03-02T07:00:00.000Z',
        text: 'The slot of 2026-03-02T07:00:00.000Z still has subscribers who are due and not planned.',
        url: 'http://news.example/admin',
      },
    ])
    assert.match((await desk.get('/admin')).text, /still has subscribers who are due and not planned/)

    // The tick comes late, and it is over. Then the edition doesn't move, and nothing ticks.
    await tick(ctx)
    await look()
    assert.deepEqual([heard.length, await metric('planning')], [0, 0])
    await sql`update editions set progress_at = now() - interval '20 minutes'`.execute(db)
    await sql`update deliveries set next_attempt_at = now() - interval '20 minutes' where lane = 'digest'`.execute(db)
    await sql`update settings set updated_at = now() - interval '6 minutes' where key = 'last_tick'`.execute(db)
    await look()
    await look()
    assert.deepEqual(
      heard
        .splice(0)
        .map(({ alert }) => alert)
        .sort(),
      ['edition:1', 'tick'],
    )
    assert.deepEqual([await mails(), await metric('edition'), await metric('tick')], [3 * mailed, 1, 1])
    assert.match((await house.web.get('/metrics')).text, /^broadsheet_last_tick_seconds 36\d/m)

    await postAll(house)
    await tick(ctx)
    await look()
    assert.equal((await listAlerts(db)).length, 0)
    await sql`update settings set updated_at = now() - interval '6 minutes' where key = 'last_tick'`.execute(db)
    await look()
    assert.deepEqual(
      heard.map(({ alert }) => alert),
      ['tick'],
    )
    await new Promise((resolve) => webhook.close(resolve))
  },
)

story('an edition that paused because we were refused raises an alert until it is resumed', async (house) => {
  const { db, ctx } = house
  const [politics] = await addCategories(db, 'politics')
  await addReader(ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(ctx)
  await moveEdition(ctx, { editionId: 1, move: 'pause', actor: 'editor:1' })
  await checkAlerts(ctx)
  assert.deepEqual(await listAlerts(db), [])
  await moveEdition(ctx, { editionId: 1, move: 'resume', actor: 'editor:1' })
  for (let refusal = 0; refusal < 10; refusal++) await countRefusal(db, ctx.log, 1)
  await checkAlerts(ctx)
  assert.deepEqual(
    (await listAlerts(db)).map(({ key }) => key),
    ['edition:1'],
  )
  await moveEdition(ctx, { editionId: 1, move: 'resume', actor: 'editor:1' })
  await checkAlerts(ctx)
  assert.deepEqual(await listAlerts(db), [])
})

story('an edition that makes no progress and a feed that falls silent raise an alert', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(house.ctx)
  await sql`update editions set progress_at = now() - interval '20 minutes'`.execute(house.db)
  await sql`update deliveries set next_attempt_at = now() - interval '20 minutes'`.execute(house.db)
  const feed = await house.db
    .insertInto('feeds')
    .values({ url: 'https://quiet.example/feed', lastNewAt: new Date('2026-02-25T07:00Z'), createdAt: new Date() })
    .returning('id')
    .executeTakeFirstOrThrow()
  for (let n = 0; n < 6; n++) await addStory(house.ctx, `story-${n}`, [politics!])
  await sql`update articles set feed_id = ${feed.id}, first_seen_at = timestamptz '2026-02-24T00:00Z' + id * interval '4 hours'`.execute(
    house.db,
  )
  await checkAlerts(house.ctx)
  const keys = (await listAlerts(house.db)).map(({ key }) => key.split(':')[0])
  assert.deepEqual(keys.sort(), ['edition', 'feed'])
})

story(
  'an editor pins, drops, reorders and introduces; a held edition whose digests were overtaken closes',
  async (house) => {
    const [politics] = await addCategories(house.db, 'politics')
    const ids: number[] = []
    for (const title of ['a', 'b', 'c', 'd']) ids.push(await addStory(house.ctx, title, [politics!]))
    const reader = await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
    house.clock.set('2026-03-02T06:45:00Z')
    await tick(house.ctx)
    const editionId = (await listEditions(house.db, { limit: 1 })).items[0]!.id
    await arrangeEdition(house.ctx, {
      editionId,
      arrangement: {
        order: [{ categoryId: politics!, articleIds: [ids[1]!, ids[2]!] }],
        pin: [ids[0]!],
        drop: [ids[3]!],
        intro: 'Good morning.',
      },
      actor: 'editor:1',
    })
    assert.deepEqual(
      (await listEditionStories(house.db, editionId)).map(({ articleId, isDropped }) => [articleId, isDropped]),
      [
        [ids[0], false],
        [ids[1], false],
        [ids[2], false],
        [ids[3], true],
      ],
    )
    assert.equal((await findEdition(house.db, editionId))!.content.intro, 'Good morning.')
    house.clock.set('2026-03-02T07:00:00Z')
    await tick(house.ctx)
    assert.equal((await getEdition(house.db, editionId))!.state, 'held')
    house.clock.set('2026-03-03T07:00:00Z')
    await tick(house.ctx)
    const [next, old] = (await listEditions(house.db, { limit: 2 })).items
    assert.deepEqual([old!.state, old!.account.skipped.superseded], ['closed', 1])
    assert.equal(next!.state, 'held')
    await moveEdition(house.ctx, { editionId: next!.id, move: 'release', actor: 'editor:1' })
    const [posted] = await postAll(house)
    assert.equal(posted!.subscriberId, reader)
    assert.equal(posted!.articleIds!.length, 4)
  },
  { env: { APPROVAL_MINUTES: '30', APPROVAL_POLICY: 'hold' } },
)

story('an uncertain mail is taken for sent or sent again, and the account is counted anew', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addStory(house.ctx, 'one', [politics!])
  await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(house.ctx)
  await sendThroughFaulty(house, 'takes and hangs up')
  const [editionId] = await closeFinished(house.ctx)
  assert.equal((await getEdition(house.db, editionId!))!.account.uncertain, 1)
  assert.equal(await decideUncertain(house.ctx, { editionId: editionId!, as: 'resend', actor: 'editor:1' }), 1)
  assert.deepEqual(await closeFinished(house.ctx), [])
  await sendThroughFaulty(house, 'takes and hangs up')
  await closeFinished(house.ctx)
  assert.equal(await decideUncertain(house.ctx, { editionId: editionId!, as: 'sent', actor: 'editor:1' }), 1)
  await closeFinished(house.ctx)
  const { state, account } = (await getEdition(house.db, editionId!))!
  assert.deepEqual([state, account.sent, account.uncertain], ['closed', 1, 0])
})

story('the snapshot of an edition is deleted a week after it closed, and made again for failed mail', async (house) => {
  const { db, ctx } = house
  const [politics] = await addCategories(db, 'politics')
  await addStory(ctx, 'one', [politics!])
  await addReader(ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(ctx)
  const { snapshot } = await db.selectFrom('editionSnapshots').selectAll().executeTakeFirstOrThrow()
  await sendThroughFaulty(house, 'refuses')
  const kept = async () => (await db.selectFrom('editionSnapshots').select('editionId').execute()).length
  const [editionId] = await closeFinished(ctx)
  await db.updateTable('editions').set({ closedAt: new Date() }).execute()
  await purgeSnapshots(ctx)
  assert.equal(await kept(), 1)
  await sql`update editions set closed_at = now() - interval '8 days'`.execute(db)
  await purgeSnapshots(ctx)
  assert.equal(await kept(), 0)
  assert.equal(await retryFailed(ctx, { editionId: editionId!, actor: 'cli' }), 1)
  assert.equal((await postAll(house))[0]!.articleIds!.length, 1)
  assert.deepEqual((await db.selectFrom('editionSnapshots').selectAll().executeTakeFirstOrThrow()).snapshot, snapshot)
})

story('an editor decides about an uncertain mail in the console, a program by the API', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addStory(house.ctx, 'one', [politics!])
  await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(house.ctx)
  await sendThroughFaulty(house, 'takes and hangs up')
  const [editionId] = await closeFinished(house.ctx)
  const desk = await openConsole(house)
  assert.match((await desk.get(`/admin/editions/${editionId}`)).text, /Resend uncertain…/)
  assert.match((await desk.get(`/admin/editions/${editionId}/resend`)).text, /1 delivery uncertain/)
  assert.equal((await getEdition(house.db, editionId!))!.account.uncertain, 1)
  await desk.post(`/admin/editions/${editionId}/resend`).expect(303)
  assert.equal((await getEdition(house.db, editionId!))!.closedAt, null)
  await sendThroughFaulty(house, 'takes and hangs up')
  const api = await openApi(house)
  await api('post', `/editions/${editionId}/uncertain`).send({ as: 'perhaps' }).expect(400)
  const decided = await api('post', `/editions/${editionId}/uncertain`).send({ as: 'sent' }).expect(200)
  assert.deepEqual([decided.body.account.sent, decided.body.account.uncertain], [1, 0])
  await closeFinished(house.ctx)
  assert.equal((await getEdition(house.db, editionId!))!.state, 'closed')
})

story("when the site's own hour changes, so does the next slot of everyone who left it to the site", async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  const plain = await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  const own = await addReader(house.ctx, {
    choice: { [politics!]: 'daily' },
    timezone: 'UTC',
    sendHour: 8,
    weeklyDay: 1,
    monthlyDay: 1,
  })
  await tick(house.ctx)
  await tick({ ...house.ctx, config: readConfig({ DIGEST_HOUR: '18' }) })
  const due = async (id: number) =>
    (await house.db.selectFrom('dueTimes').select('nextDueAt').where('subscriberId', '=', id).executeTakeFirstOrThrow())
      .nextDueAt
  assert.equal((await due(plain)).toISOString(), '2026-03-02T18:00:00.000Z')
  assert.equal((await due(own)).toISOString(), '2026-03-02T08:00:00.000Z')
})

story('old settled deliveries are purged; what is open, recent or in an open edition stays', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  for (let n = 0; n < 3; n++) await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(house.ctx)
  await postAll(house)
  await closeFinished(house.ctx)
  assert.equal(await purge(house.ctx), 0)
  await sql`update deliveries set created_at = now() - interval '91 days', settled_at = now() - interval '91 days'`.execute(
    house.db,
  )
  // An older edition that never closed doesn't stop the others.
  const unclosed = await house.db
    .insertInto('editions')
    .values({ id: 900, kind: 'manual', state: 'paused', createdAt: new Date('2025-01-01') })
    .returning('id')
    .executeTakeFirstOrThrow()
  await sql`
    insert into deliveries (id, edition_id, subscriber_id, kind, lane, recipient, created_at)
    select -1 - id, ${unclosed.id}, id, 'digest', 'digest', email, '2025-01-01' from subscribers`.execute(house.db)
  await sql`
    insert into deliveries (kind, lane, recipient, state, created_at, settled_at)
    values ('confirmation', 'transactional', 'ada@paper.example', 'sent', '2025-01-01', '2025-01-01'),
      ('confirmation', 'transactional', 'eve@paper.example', 'queued', '2025-01-01', null)`.execute(house.db)
  await sql`update editions set closed_at = now() - interval '91 days' where closed_at is not null`.execute(house.db)
  // Chunks of two: three deliveries of the edition, and the confirmation that was sent.
  assert.equal(await purge(house.ctx, 2), 4)
  assert.equal(await purge(house.ctx, 2), 0)
  assert.equal((await house.db.selectFrom('deliveries').select('id').execute()).length, 4)
  await house.db.deleteFrom('deliveries').execute()
  await house.db.deleteFrom('editions').where('id', '=', unclosed.id).execute()
  assert.equal(
    (await getEdition(house.db, (await listEditions(house.db, { limit: 1 })).items[0]!.id))!.account.audience,
    3,
  )
})

story('an edition whose deliveries do not add up stays open and raises an alert until they do', async (house) => {
  const { db, ctx } = house
  const [politics] = await addCategories(db, 'politics')
  await addStory(ctx, 'one', [politics!])
  await addReader(ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(ctx)
  await postAll(house)
  const [edition] = (await listEditions(db, { limit: 1 })).items
  await db.updateTable('editions').set({ audience: 2 }).execute()
  assert.deepEqual(await closeFinished(ctx), [])
  await checkAlerts(ctx)
  assert.match((await listAlerts(db))[0]!.message, /doesn't add up: 2 were planned/)

  await db.updateTable('editions').set({ audience: 1 }).execute()
  assert.deepEqual(await closeFinished(ctx), [edition!.id])
  assert.equal((await getEdition(db, edition!.id))!.note, '')
  await checkAlerts(ctx)
  assert.deepEqual(await listAlerts(db), [])
})
