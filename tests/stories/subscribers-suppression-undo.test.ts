// The suppression list by time, domain and reason, and taken back in bulk: in the console, by API and on the command line.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { Out } from '../../src/commands/out.ts'
import { suppressionsList, suppressionsUndo } from '../../src/commands/subscribers/suppressions.ts'
import { suppressAddress, type SuppressionReason } from '../../src/subscribers/suppression.ts'
import { undoSuppressions } from '../../src/subscribers/suppression-list.ts'
import { crashingAfter } from '../support/crashing-db.ts'
import { type House, story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addCategories, buttonOf, getSubscriber, subscribeFully } from '../support/readers.ts'
import { planEdition } from '../support/sending.ts'

/** Three readers at two domains, suppressed one hour after the other; a complaint after that; an erasure. */
async function fill(house: House): Promise<void> {
  await addCategories(house)
  const entries: [string, SuppressionReason][] = [
    ['ada@paper.example', 'hard_bounce'],
    ['bob@paper.example', 'hard_bounce'],
    ['cyd@ink.example', 'hard_bounce'],
    ['dan@paper.example', 'complaint'],
    ['eve@paper.example', 'erasure'],
  ]
  for (const [email] of entries) await subscribeFully(house, email)
  for (const [email, reason] of entries) {
    await suppressAddress(house.ctx, { email, key: email }, reason, '550 5.1.1 unknown')
    house.clock.advance('1h')
  }
}
const listed = async ({ db }: House) =>
  (await db.selectFrom('suppressions').select('email').orderBy('email').execute()).map(({ email }) => email)
const at = (house: House, hoursAgo: number) =>
  new Date(house.clock.now().getTime() - hoursAgo * 3_600_000).toISOString()

function listen(): { lines: string[]; out: Out } {
  const lines: string[] = []
  const out = { print: (line: string) => lines.push(line), progress() {}, error() {}, isTty: false } as unknown as Out
  return { lines, out }
}

story('an editor filters, is asked first, and takes back what one domain was wrong about', async (house) => {
  await fill(house)
  const desk = await openConsole(house)
  const shown = async (query: string) => {
    const { text } = await desk.get(`/admin/suppressions?${query}`).expect(200)
    return ['ada', 'bob', 'cyd', 'dan', 'eve'].filter((name) => new RegExp(`${name}@(paper|ink)`).test(text))
  }
  assert.deepEqual(await shown(''), ['ada', 'bob', 'cyd', 'dan', 'eve'])
  assert.deepEqual(await shown('reason=hard_bounce'), ['ada', 'bob', 'cyd'])
  assert.deepEqual(await shown('domain=PAPER.example&reason=hard_bounce'), ['ada', 'bob'])
  assert.deepEqual(await shown(`from=${at(house, 4.5).slice(0, 16)}`), ['bob', 'cyd', 'dan', 'eve'])
  assert.deepEqual(await shown(`to=${at(house, 4.5).slice(0, 16)}`), ['ada'])
  await desk.get('/admin/suppressions?reason=nonsense').expect(400)
  await desk.get('/admin/suppressions?from=yesterday').expect(400)

  const page = await desk.get('/admin/suppressions?domain=paper.example&reason=hard_bounce').expect(200)
  const link = /href="(\/admin\/suppressions\/undo[^"]*)"/.exec(page.text)![1]!.replaceAll('&amp;', '&')
  const ask = await desk.get(link).expect(200)
  assert.match(ask.text, /Take 2 addresses off the list\?/)
  assert.equal((await listed(house)).length, 5, 'a question changes nothing')
  // Whoever is suppressed while the page is read wasn't meant.
  house.clock.advance('1m')
  await subscribeFully(house, 'fay@paper.example')
  await suppressAddress(house.ctx, { email: 'fay@paper.example', key: 'fay@paper.example' }, 'hard_bounce')
  const { action, fields } = buttonOf(ask.text.slice(ask.text.indexOf('class="confirmation"')))
  await desk.post(action, fields).expect(303)
  assert.deepEqual(await listed(house), [
    'cyd@ink.example',
    'dan@paper.example',
    'eve@paper.example',
    'fay@paper.example',
  ])
  const ada = await getSubscriber(house, 'ada@paper.example')
  assert.equal(ada.status, 'active')
  assert.ok(ada.nextDueAt)
  const line = await house.db
    .selectFrom('auditLog')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  assert.equal(line.action, 'suppression.undone')
  assert.equal(line.actor, `editor:${desk.editor.id}`)
  assert.equal(line.detail.removed, 2)
  await desk.get('/admin/suppressions/undo?domain=paper.example').expect(400)
  await desk.get('/admin/suppressions/undo?reason=erasure').expect(400)
  const none = (await desk.get('/admin/suppressions/undo?reason=hard_bounce&domain=nobody.example').expect(200)).text
  assert.match(none, /No address on the list matches/)
  assert.doesNotMatch(none, /<button class="final"/)
  await desk.post('/admin/suppressions/undo', { reason: 'erasure' }).expect(400)
})

story('the same by API and on the command line; an erasure is never taken back like that', async (house) => {
  await fill(house)
  const api = await openApi(house, 'subscribers')
  const names = async (query: string) => {
    const { body } = await api('get', `/suppressions?${query}`).expect(200)
    return (body.items as { email: string }[]).map(({ email }) => email.split('@')[0])
  }
  assert.deepEqual(await names('reason=hard_bounce&domain=paper.example'), ['bob', 'ada'])
  assert.deepEqual(await names(`from=${at(house, 3.5)}&limit=200`), ['eve', 'dan', 'cyd'])
  await api('post', '/suppressions/undo').send({ reason: 'erasure' }).expect(400)
  await api('post', '/suppressions/undo').send({}).expect(400)
  const range = { from: at(house, 1), to: at(house, 2), reason: 'hard_bounce' }
  await api('post', '/suppressions/undo').send(range).expect(409)
  const { body } = await api('post', '/suppressions/undo')
    .send({ reason: 'hard_bounce', to: at(house, 3.5) })
    .expect(200)
  assert.deepEqual(body, { removed: 2 })

  const { lines, out } = listen()
  await suppressionsList(house.ctx, { json: true }, out)
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { email: string }).email),
    ['eve@paper.example', 'dan@paper.example', 'cyd@ink.example'],
  )
  const no = async () => false
  await assert.rejects(suppressionsUndo(house.ctx, {}, out, no), /taken back/)
  await assert.rejects(suppressionsUndo(house.ctx, { reason: 'complaint' }, out, no), /Nothing was changed/)
  await suppressionsUndo(house.ctx, { reason: 'complaint', yes: true, json: true }, out, no)
  assert.equal(lines.at(-1), '{"event":"undone","removed":1}')
  assert.deepEqual(await listed(house), ['cyd@ink.example', 'eve@paper.example'])
})

story('thousands of suppressions are taken back in few statements', async (house) => {
  const { ctx, db, database, clock } = house
  await planEdition(
    database,
    Array.from({ length: 3000 }, (_, i) => `reader${i}@paper.example`),
  )
  await sql`update subscribers set status = 'suppressed'`.execute(db)
  await sql`
    insert into suppressions (email_hash, email, reason, created_at, status_before)
    select email_hash, email, 'hard_bounce', ${clock.now()}, case when id % 2 = 0 then 'active' else 'unsubscribed' end
    from subscribers`.execute(db)
  clock.advance('1h')
  const removed = await undoSuppressions({ ...ctx, db: crashingAfter(db, 30) }, { reason: 'hard_bounce' }, 'cli')
  assert.equal(removed, 3000)
  assert.deepEqual(await listed(house), [])
  const { rows } = await sql`
    select status, count(*)::int as count, bool_and((id % 2 = 0) = (status = 'active')) as exact
    from subscribers group by 1 order by 1`.execute(db)
  assert.deepEqual(rows, [
    { status: 'active', count: 1500, exact: true },
    { status: 'unsubscribed', count: 1500, exact: true },
  ])
})
