// What the console and the API say is true at that moment: counts, buttons, states and notices of an edition.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { moveEdition } from '../../src/desk/control.ts'
import { runTick } from '../../src/planning/tick.ts'
import { triggerDigest } from '../../src/planning/trigger.ts'
import { unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { story, type House } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addReader, addStory } from '../support/newsroom.ts'
import { postAll } from '../support/post.ts'
import { addCategories, getSubscriber } from '../support/readers.ts'
import { addCount } from '../../src/editions/account.ts'

const actor = 'editor:1'

/** A digest of everything, planned for so many readers. */
async function openEdition(house: House, readers: number): Promise<{ id: number; people: number[] }> {
  await addCategories(house, ['Politics', 'Investing'])
  await addStory(house.ctx, 'The lighthouse strike ends', [1])
  const people: number[] = []
  for (let n = 1; n <= readers; n++)
    people.push(await addReader(house.ctx, { email: `reader${n}@mail.example`, choice: { 1: 'daily' } }))
  const { id } = await triggerDigest(house.ctx, { actor })
  await runTick(house.ctx)
  return { id, people }
}

/** As a worker settles them. */
async function settleAs(house: House, editionId: number, state: 'failed' | 'uncertain'): Promise<void> {
  await house.db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('deliveries')
      .set({ state, nextAttemptAt: null, settledAt: sql<Date>`now()` })
      .where('editionId', '=', editionId)
      .executeTakeFirst()
    await addCount(trx, editionId, state, Number(numUpdatedRows))
  })
  await runTick(house.ctx)
}

/** Of five: one has unsubscribed, one is on the suppression list, one has paused. */
async function loseThree({ db, ctx }: House, people: readonly number[]): Promise<void> {
  await unsubscribe(ctx, people[0]!, { way: 'page', origin: { ip: null, formUrl: '/' } })
  await db
    .insertInto('suppressions')
    .values({ emailHash: 'reader2@mail.example', email: null, reason: 'manual', createdAt: ctx.clock.now() })
    .execute()
  await sql`update subscribers set paused_until = now() + interval '1 day' where id = ${people[2]!}`.execute(db)
}

/** The form of a page that asks: its fields and where it posts. */
function questionOf(page: string): { action: string; fields: Record<string, string> } {
  const form = /<form method="post" action="([^"]+)">([^]*?)<\/form>/.exec(
    page.slice(page.indexOf('class="confirmation"')),
  )!
  const inputs = [...form[2]!.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
  const texts = [...form[2]!.matchAll(/<textarea name="([^"]+)"[^>]*>([^<]*)</g)]
  return {
    action: form[1]!,
    fields: Object.fromEntries([...inputs, ...texts].map(([, name, value]) => [name!, value!])),
  }
}

const buttonsOf = (page: string): string[] =>
  [...page.matchAll(/<a class="button[^"]*"[^>]*>([^]*?)<\/a\s*>/g)].map(([, words]) =>
    words!.replaceAll(/<[^>]*>/g, '').trim(),
  )

story('a retry says how many can be tried again, and isn’t offered when none can', async (house) => {
  const { id, people } = await openEdition(house, 5)
  await settleAs(house, id, 'failed')
  await loseThree(house, people)
  const console = await openConsole(house)
  const api = await openApi(house)
  const page = `/admin/editions/${id}`
  assert.ok(buttonsOf((await console.get(page)).text).includes('Retry failed… 2'))
  assert.equal((await api('get', `/editions/${id}`).expect(200)).body.retryable, 2)
  const ask = (await console.get(`${page}/retry`).expect(200)).text
  assert.match(ask, /5 deliveries failed/)
  assert.match(ask, /2 mails can be tried again/)
  assert.match(ask, /Retry 2 failed mails/)
  const { headers } = await console.post(`${page}/retry`).expect(303)
  assert.match((await console.get(headers.location!)).text, /2 mails are being sent again/)
  assert.ok(!buttonsOf((await console.get(page)).text).some((words) => words.startsWith('Retry')))
  assert.doesNotMatch((await console.get(`${page}/retry`).expect(200)).text, /<form method="post" *>/)
  const again = (await api('post', `/editions/${id}/retry`).expect(200)).body
  assert.deepEqual([again.retried, again.retryable, again.account.failed], [0, 0, 3])
  const none = await console.post(`${page}/retry`).expect(303)
  assert.match((await console.get(none.headers.location!)).text, /No failed mail could be tried again/)
})

story('a program that retries hears how many are sent again', async (house) => {
  const { id } = await openEdition(house, 3)
  await settleAs(house, id, 'failed')
  const api = await openApi(house)
  const { retried, retryable, account } = (await api('post', `/editions/${id}/retry`).expect(200)).body
  assert.deepEqual([retried, retryable, account.failed, account.open], [3, 0, 0, 3])
})

story('uncertain mails are resent only to those who can be mailed, and each button says its number', async (house) => {
  const { id, people } = await openEdition(house, 5)
  await settleAs(house, id, 'uncertain')
  await loseThree(house, people)
  const console = await openConsole(house)
  const api = await openApi(house)
  const page = `/admin/editions/${id}`
  const offered = async () => buttonsOf((await console.get(page)).text).filter((words) => /uncertain/.test(words))
  assert.deepEqual(await offered(), ['Resend uncertain… 2', 'Take uncertain as sent… 5'])
  assert.equal((await api('get', `/editions/${id}`).expect(200)).body.undecided, 5)
  const { headers } = await console.post(`${page}/resend`).expect(303)
  assert.match((await console.get(headers.location!)).text, /2 mails are being sent again/)
  const again = (await api('post', `/editions/${id}/uncertain`).send({ as: 'resend' }).expect(200)).body
  assert.deepEqual([again.decided, again.undecided, again.account.uncertain], [0, 3, 5])
  // Two wait to be resent: nobody has to decide about them.
  assert.deepEqual(await offered(), ['Take uncertain as sent… 3'])
  await console.post(`${page}/cancel`).expect(303)
  await runTick(house.ctx)
  assert.deepEqual(await offered(), [])
  assert.match(
    (await console.get(`${page}/accept`).expect(200)).text,
    /The edition is cancelled, so this can’t be done/,
  )
})

story('what is retried in a paused edition waits, and the page says so', async (house) => {
  const { id } = await openEdition(house, 2)
  const console = await openConsole(house)
  await house.db.transaction().execute(async (trx) => {
    const one = trx.selectFrom('deliveries').select('id').where('editionId', '=', id).limit(1)
    await trx
      .updateTable('deliveries')
      .set({ state: 'failed', nextAttemptAt: null, settledAt: sql<Date>`now()` })
      .where('id', 'in', one)
      .execute()
    await addCount(trx, id, 'failed', 1)
  })
  await moveEdition(house.ctx, { editionId: id, move: 'pause', actor })
  assert.match((await console.get(`/admin/editions/${id}/retry`)).text, /wait until you resume it/)
  const { headers } = await console.post(`/admin/editions/${id}/retry`).expect(303)
  const shown = (await console.get(headers.location!)).text
  assert.match(shown, /1 mail is tried again when you resume the edition/)
  assert.match(shown, /Paused by an editor\./)
})

story('a notice is shown for as long as it is true', async (house) => {
  const { id } = await openEdition(house, 1)
  const console = await openConsole(house)
  const noticeOf = async (done: string) =>
    /<p class="notice">([^<]*)</.exec((await console.get(`/admin/editions/${id}?done=${done}`)).text)?.[1] ?? null
  assert.equal(await noticeOf('pause'), null)
  await console.post(`/admin/editions/${id}/pause`).expect(303)
  assert.equal(await noticeOf('pause'), 'Paused.')
  await console.post(`/admin/editions/${id}/resume`).expect(303)
  assert.equal(await noticeOf('pause'), null)
  assert.equal(await noticeOf('triggered'), 'Triggered. It is being sent.')
  await postAll(house)
  await runTick(house.ctx)
  for (const done of ['triggered', 'resume', 'release', 'hold', 'nonsense', '__proto__'])
    assert.equal(await noticeOf(done), null, done)
})

story('a button that can’t work now asks nothing, and says why', async (house) => {
  const { id } = await openEdition(house, 1)
  const console = await openConsole(house)
  for (const move of ['hold', 'release', 'resume', 'retry', 'resend', 'accept']) {
    const page = (await console.get(`/admin/editions/${id}/${move}`).expect(200)).text
    assert.doesNotMatch(page, /class="(main|final)"/, move)
  }
  assert.match((await console.get(`/admin/editions/${id}/pause`)).text, /1 open mail/)
  assert.match((await console.get(`/admin/editions/${id}/cancel`)).text, /1 open mail/)
})

story(
  'a released edition waits for its slot only, and says how many get it',
  async (house) => {
    await addCategories(house, ['Politics', 'Investing'])
    await addStory(house.ctx, 'The lighthouse strike ends', [1])
    for (const name of ['one', 'two', 'three'])
      await addReader(house.ctx, { email: `${name}@mail.example`, choice: { 1: 'daily' } })
    const slot = (await getSubscriber(house, 'one@mail.example')).nextDueAt!
    house.clock.set(new Date(slot.getTime() - 20 * 60_000))
    await runTick(house.ctx)
    const console = await openConsole(house)
    const api = await openApi(house)
    const shown = async (path = '/admin/editions/1') => (await console.get(path).expect(200)).text
    assert.match(await shown(), /3 subscribers are due then/)
    assert.match(await shown(), /awaiting approval/)
    assert.match(await shown('/admin'), /Edition 1 waits for approval/)
    assert.match(await shown('/admin/editions/1/release'), /3 subscribers are due then/)
    const released = await console.post('/admin/editions/1/release').expect(303)
    const page = await shown(released.headers.location)
    assert.match(page, /Released\. It is sent at its slot\./)
    assert.match(page, /<\/span> released<\/span>/)
    assert.match(page, /3 subscribers are due then/)
    assert.ok(!buttonsOf(page).some((words) => words.startsWith('Release')))
    for (const path of ['/admin', '/admin/editions', '/admin/editions/1'])
      assert.doesNotMatch(await shown(path), /awaiting approval|waits for approval/, path)
    assert.ok((await api('get', '/editions/1').expect(200)).body.approvedAt)
    await console.post('/admin/editions/1/release').expect(409)
    await console.post('/admin/editions/1/hold').expect(303)
    assert.equal((await api('get', '/editions/1').expect(200)).body.approvedAt, null)
    await console.post('/admin/editions/1/cancel').expect(303)
    assert.doesNotMatch(await shown(), /planned and sent then|subscribers are due/)
    assert.doesNotMatch(await shown('/admin/editions'), /not planned yet/)
  },
  { env: { APPROVAL_MINUTES: '30', APPROVAL_POLICY: 'hold' } },
)

story('an editor who sends within minutes of another edition is shown that one and asked to confirm', async (house) => {
  await addCategories(house, ['Politics', 'Investing'])
  await addStory(house.ctx, 'The lighthouse strike ends', [1])
  await addReader(house.ctx, { email: 'reader@mail.example', choice: { 1: 'daily' } })
  const ada = await openConsole(house)
  const grace = await openConsole(house, 'grace@news.example')
  const editions = async () => (await house.db.selectFrom('editions').select('id').execute()).length
  const digest = { categories: 'politics', once: 'a' }
  // Two tabs of two editors, pressed at the same moment: one of them sends.
  const pressed = await Promise.all([
    ada.post('/admin/trigger', digest),
    grace.post('/admin/trigger', { ...digest, once: 'b', retryHours: '7' }),
  ])
  assert.deepEqual(pressed.map(({ status }) => status).sort(), [200, 303])
  assert.equal(await editions(), 1)
  // The same editor in another tab, and an announcement.
  const again = await ada.post('/admin/trigger', { ...digest, once: 'c', retryHours: '7' }).expect(200)
  assert.match(again.text, /Manual digest: Politics<\/a>, by (you|grace@news\.example)/)
  const draft = { subject: 'We have “moved” <b>', body: 'To the harbour.' }
  const letter = await grace.post('/admin/announcement', { ...draft, once: 'd' }).expect(200)
  assert.match(letter.text, /Manual digest: Politics<\/a>, by (you|ada@news\.example)/)
  assert.equal(await editions(), 1)
  // Asked again, they mean it: everything that was chosen is kept.
  const meant = questionOf(again.text)
  await ada.post(meant.action, meant.fields).expect(303)
  await ada.post(meant.action, meant.fields).expect(303)
  const newest = await house.db.selectFrom('editions').selectAll().orderBy('id', 'desc').executeTakeFirstOrThrow()
  assert.deepEqual([await editions(), newest.categoryIds, newest.retryHours], [2, [1], 7])
  // Another was sent since the question was asked.
  const stale = await grace.post('/admin/announcement', {
    ...draft,
    once: 'd',
    seen: questionOf(letter.text).fields['seen']!,
  })
  assert.equal(stale.status, 200)
  house.clock.advance('11m')
  await grace.post('/admin/announcement', { ...draft, once: 'd' }).expect(303)
  assert.equal(await editions(), 3)
  // A program isn't asked.
  const api = await openApi(house)
  await api('post', '/editions').send({ kind: 'manual' }).expect(201)
})
