// What the console says about subscribers, editors, feeds and categories is true at that moment, and what it offers can work.

import assert from 'node:assert/strict'
import { addFeed } from '../../src/articles/feeds.ts'
import { suppressAddress, unsuppress } from '../../src/subscribers/suppression.ts'
import { story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addReader, addStory } from '../support/newsroom.ts'
import { addCategories, getSubscriber, signUp, subscribeFully } from '../support/readers.ts'

const textOf = (page: string): string => page.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')

story('a pending subscriber shows the categories they chose, until they confirm', async (house) => {
  await addCategories(house)
  let console = await openConsole(house)
  const api = await openApi(house)
  await signUp(house, 'ann@mail.example', { politics: 'daily', business: 'weekly' }).expect(303)
  const { id } = await getSubscriber(house, 'ann@mail.example')
  const page = async (path = `/admin/subscribers/${id}`) => textOf((await console.get(path).expect(200)).text)
  for (const path of [
    '/admin/subscribers',
    '/admin/subscribers?status=pending',
    '/admin/subscribers?email=ann@mail.example',
  ])
    assert.match(await page(path), /Politics daily, Business weekly \(not confirmed\)/, path)
  assert.match(await page(), /not confirmed yet\. Category How often Politics daily Business weekly/)
  assert.doesNotMatch(await page(), /No category/)
  const shown = (await api('get', `/subscribers/${id}`).expect(200)).body
  assert.deepEqual(shown.subscriptions, [])
  assert.deepEqual(
    [shown.requested.isExpired, shown.requested.subscriptions],
    [
      false,
      [
        { category: 'politics', name: 'Politics', frequency: 'daily' },
        { category: 'business', name: 'Business', frequency: 'weekly' },
      ],
    ],
  )
  // Another sign-up replaces the choice.
  house.clock.advance('2d')
  console = await openConsole(house)
  await signUp(house, 'ann@mail.example', { 'world-news': 'monthly' }).expect(303)
  assert.match(await page('/admin/subscribers'), /World News monthly \(not confirmed\)/)
  assert.doesNotMatch(await page(), /Politics/)
  house.clock.advance('8d')
  console = await openConsole(house)
  assert.match(await page(), /The link in that mail has expired/)
  await subscribeFully(house, 'bob@mail.example', { politics: 'daily' })
  const bob = await getSubscriber(house, 'bob@mail.example')
  assert.doesNotMatch(await page(`/admin/subscribers/${bob.id}`), /not confirmed yet/)
  assert.equal((await api('get', `/subscribers/${bob.id}`).expect(200)).body.requested, null)
})

story('a pause is shown while it lasts, and unsubscribing is offered while it can work', async (house) => {
  await addCategories(house)
  const id = await addReader(house.ctx, { email: 'ann@mail.example', choice: { 1: 'daily' } })
  let console = await openConsole(house)
  const page = async (path = `/admin/subscribers/${id}`) => textOf((await console.get(path).expect(200)).text)
  const pausedUntil = new Date(house.clock.now().getTime() + 86_400_000)
  await house.db.updateTable('subscribers').set({ pausedUntil }).where('id', '=', id).execute()
  assert.match(await page(), /active, paused.*Paused until/)
  assert.match(await page('/admin/subscribers'), /active, paused/)
  house.clock.advance('2d')
  console = await openConsole(house)
  assert.doesNotMatch(await page(), /[Pp]aused/)
  await console.post(`/admin/subscribers/${id}/unsubscribe`).expect(303)
  assert.match(await page(`/admin/subscribers/${id}?done=unsubscribed`), /nothing further is sent/)
  await console.get(`/admin/subscribers/${id}/unsubscribe`).expect(409)
  await console.post(`/admin/subscribers/${id}/unsubscribe`).expect(303)
  const log = await house.db
    .selectFrom('auditLog')
    .select('action')
    .where('action', '=', 'subscriber.unsubscribed')
    .execute()
  assert.equal(log.length, 1)
  await house.db.updateTable('subscribers').set({ status: 'active' }).where('id', '=', id).execute()
  assert.doesNotMatch(await page(`/admin/subscribers/${id}?done=unsubscribed`), /nothing further is sent/)
})

story('a test mail that would never go isn’t queued', async (house) => {
  await addCategories(house)
  const console = await openConsole(house)
  const queued = async () =>
    (await house.db.selectFrom('deliveries').select('id').where('kind', '=', 'test').execute()).length
  assert.doesNotMatch((await console.get('/admin/preview')).text, /Send a test/)
  await console.get('/admin/test-send?to=boss@news.example').expect(409)
  await console.post('/admin/test-send', { to: 'boss@news.example' }).expect(409)
  await addStory(house.ctx, 'The lighthouse strike ends', [1])
  assert.match((await console.get('/admin/preview')).text, /Send a test/)
  const address = { email: 'boss@news.example', key: 'boss@news.example' }
  await suppressAddress(house.ctx, address, 'manual')
  await console.get('/admin/test-send?to=boss@news.example').expect(409)
  const refused = await console.post('/admin/test-send', { to: 'boss@news.example' }).expect(409)
  assert.match(refused.text, /on the suppression list/)
  assert.equal(await queued(), 0)
  const { emailHash } = await house.db.selectFrom('suppressions').select('emailHash').executeTakeFirstOrThrow()
  await unsuppress(house.ctx, emailHash)
  await console.post('/admin/test-send', { to: 'boss@news.example' }).expect(303)
  assert.equal(await queued(), 1)
})

story('a feed that couldn’t be fetched isn’t called fetched', async (house) => {
  await addCategories(house)
  const { id } = await addFeed(house.ctx, { url: 'https://lantern.example/feed', categories: ['politics'] })
  const console = await openConsole(house)
  house.clock.advance('10m')
  for (const path of ['/admin/feeds', `/admin/feeds/${id}`])
    assert.match(textOf((await console.get(path)).text), /Next poll due now/, path)
  const polled = await console.post(`/admin/feeds/${id}/poll`).expect(303)
  const page = (await console.get(polled.headers.location!)).text
  assert.doesNotMatch(page, /Fetched just now/)
  assert.match(page, /the fetch failed/)
  const added = await console
    .post('/admin/feeds', { url: 'https://harbour.example/feed', category: 'politics' })
    .expect(303)
  assert.match((await console.get(added.headers.location!)).text, /Added, but the first fetch failed/)
})

story('a category is moved only where there is a place for it', async (house) => {
  await addCategories(house, ['Politics', 'World News', 'Business'])
  const console = await openConsole(house)
  await console.post('/admin/categories/business/retire').expect(303)
  const moves = [...(await console.get('/admin/categories')).text.matchAll(/aria-label="(Move [^"]+)"/g)]
  assert.deepEqual(
    moves.map(([, label]) => label),
    ['Move Politics down', 'Move World News up'],
  )
})

story('an existing editor isn’t reported as added, and no mail is promised that isn’t sent', async (house) => {
  const console = await openConsole(house)
  const add = async () => {
    const { headers } = await console.post('/admin/editors', { email: 'grace@news.example' }).expect(303)
    return /<p class="notice">([^<]*)/.exec((await console.get(headers.location!)).text)![1]!
  }
  assert.match(await add(), /^Added\./)
  assert.match(await add(), /an editor’s already\. A new link/)
  let said = ''
  for (let tries = 0; tries < 10 && !/No link was mailed/.test(said); tries++) said = await add()
  assert.match(said, /No link was mailed/)
})

story('the overview counts anew while counting is quick', async (house) => {
  await addCategories(house)
  const console = await openConsole(house)
  const active = async () => /(\d+) active subscribers/.exec(textOf((await console.get('/admin')).text))![1]
  await active()
  await addReader(house.ctx, { email: 'ann@mail.example', choice: { 1: 'daily' } })
  // A count that took long once is kept for half a minute.
  house.clock.advance('31s')
  await active()
  await addReader(house.ctx, { email: 'bob@mail.example', choice: { 1: 'daily' } })
  assert.equal(await active(), '2')
})
