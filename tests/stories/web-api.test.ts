// /api/v1 as a program sees it.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { endpoints } from '../../src/web/api/endpoints.ts'
import { runTick } from '../../src/planning/tick.ts'
import { suppressAddress } from '../../src/subscribers/suppression.ts'
import { story, type House } from '../support/house.ts'
import { openApi } from '../support/keys.ts'
import { addReader, addStory } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, getSubscriber, subscribeFully } from '../support/readers.ts'

async function newsroom(house: House) {
  await addCategories(house, ['Politics', 'Investing'])
  await addStory(house.ctx, 'A story', [1])
  await addReader(house.ctx, { email: 'ada@mail.example', choice: { 1: 'daily', 2: 'weekly' } })
}

story('a program triggers a digest for chosen categories and reads its account', async (house) => {
  await newsroom(house)
  const api = await openApi(house)
  const { body: made } = await api('post', '/editions')
    .send({ kind: 'manual', categories: ['politics'] })
    .expect(201)
  assert.equal(made.kind, 'manual')
  assert.equal(made.state, 'planning')
  assert.deepEqual(made.categories, ['politics'])
  await runTick(house.ctx)
  const { body: planned } = await api('get', `/editions/${made.id}`).expect(200)
  assert.equal(planned.state, 'sending')
  assert.equal(planned.account.audience, 1)
  assert.equal(planned.account.open, 1)
  assert.equal(planned.account.skipped.nothing_new, 0)
  const { body: deliveries } = await api('get', `/editions/${made.id}/deliveries?state=open`).expect(200)
  assert.equal(deliveries.items[0].recipient, 'ada@mail.example')
  for (const [move, state] of [
    ['pause', 'paused'],
    ['resume', 'sending'],
    ['cancel', 'cancelled'],
  ])
    assert.equal((await api('post', `/editions/${made.id}/${move}`).expect(200)).body.state, state)
  const refused = await api('post', `/editions/${made.id}/pause`).expect(409)
  assert.equal(refused.type, 'application/problem+json')
  const { body: log } = await api('get', `/audit?subject=edition:${made.id}`).expect(200)
  assert.deepEqual(
    log.items.map((line: { action: string }) => line.action),
    ['edition.cancelled', 'edition.resumed', 'edition.paused', 'edition.triggered'],
  )
  assert.equal(log.items[0].actor, `api-key:${api.id}`)
})

story('an edition may give up on deferred mails sooner than the site does, never later', async (house) => {
  await newsroom(house)
  const api = await openApi(house)
  const announcement = { kind: 'announcement', subject: 'Hello', body: 'We moved.' }
  const make = (body: object) => api('post', '/editions').send(body)
  assert.equal((await make({ kind: 'manual', retryHours: 6 }).expect(201)).body.retryHours, 6)
  assert.equal((await make({ ...announcement, retryHours: 48 }).expect(201)).body.retryHours, 48)
  assert.equal((await make({ kind: 'manual' }).expect(201)).body.retryHours, null)
  for (const [retryHours, status] of [
    [0, 400],
    [1.5, 400],
    [1000, 400],
    ['6', 400],
    [49, 409],
  ] as const)
    assert.equal((await make({ ...announcement, retryHours }).expect(status)).body.errors[0].field, 'retryHours')
})

story('what a program gets wrong is refused by its field', async (house) => {
  await newsroom(house)
  const api = await openApi(house)
  const fieldOf = async (path: string, body: object, status = 400) =>
    (await api('post', path).send(body).expect(status)).body.errors[0].field
  assert.equal(await fieldOf('/editions', { kind: 'manual', categories: ['nowhere'] }, 409), 'categories')
  assert.equal(await fieldOf('/editions', { kind: 'manual', categories: 'politics' }), 'categories')
  assert.equal(await fieldOf('/editions', { kind: 'weekly' }), 'kind')
  assert.equal(await fieldOf('/subscribers', { email: 'a@b', frequency: { politics: 'daily' } }), 'email')
  assert.equal(await fieldOf('/subscribers', { email: 'a@b.example', frequency: { x: 'daily' } }, 409), 'frequency.x')
  const hourly = await api('post', '/subscribers').send({ email: 'a@b.example', frequency: { politics: 'hourly' } })
  assert.equal(hourly.body.errors[0].field, 'frequency.politics')
  assert.equal((await api('get', '/editions/0').expect(400)).body.errors[0].field, 'id')
  assert.equal((await api('get', '/editions?limit=1000').expect(400)).body.errors[0].field, 'limit')
  assert.equal((await api('get', '/editions?cursor=zzz').expect(400)).body.errors[0].field, 'cursor')
  assert.equal((await api('get', '/editions?cursor[]=1').expect(400)).body.errors[0].field, 'cursor[]')
  assert.equal((await api('get', '/editions?state=open').expect(400)).body.errors[0].field, 'state')
  assert.equal((await api('get', '/editions?limit=1&limit=2').expect(400)).body.errors[0].field, 'limit')
  assert.equal((await api('post', '/editions?dry').send({ kind: 'manual' }).expect(400)).body.errors[0].field, 'dry')
  await api('get', '/editions?limit=3.0').expect(200)
  await api('get', '/editions/99').expect(404)
  await api('post', '/editions').set('Content-Type', 'application/json').send('{"kind":').expect(400)
  await api('post', '/editions').set('Content-Type', 'text/plain').send('{"kind":"manual"}').expect(415)
  await api('post', '/editions')
    .send({ kind: 'manual', categories: ['x'.repeat(400_000)] })
    .expect(413)
  assert.equal((await api('get', '/editions').expect(200)).body.items.length, 0)
})

story('a method that a path doesn’t have is answered 405 and told which it has', async (house) => {
  const api = await openApi(house)
  await api('delete', '/editions').expect(405).expect('Allow', 'GET, HEAD, POST')
  // Fixed words come before a parameter in their place.
  await api('get', '/editions/test-send').expect(405).expect('Allow', 'POST')
  await api('patch', '/articles/1').expect(405).expect('Allow', 'GET, HEAD, DELETE')
  await house.web.post('/api/v1/openapi.json').set('Authorization', `Bearer ${api.key}`).expect(405)
  await house.web.delete('/api/v1/editions').expect(401)
})

story('a POST that is repeated with its Idempotency-Key is done once', async (house) => {
  await newsroom(house)
  const api = await openApi(house)
  const trigger = (key: string, body: object = { kind: 'manual' }) =>
    api('post', '/editions').set('Idempotency-Key', key).send(body)
  const first = await trigger('one').expect(201)
  const again = await trigger('one').expect(201)
  assert.deepEqual(again.body, first.body)
  assert.equal(again.headers['idempotency-replayed'], 'true')
  await trigger('one', { kind: 'manual', categories: ['politics'] }).expect(409)
  await trigger('two', { kind: 'manual', categories: ['nowhere'] }).expect(409)
  await trigger('two').expect(201)
  const other = await openApi(house)
  await other('post', '/editions').set('Idempotency-Key', 'one').send({ kind: 'manual' }).expect(201)
  const both = await Promise.all([trigger('three'), trigger('three')])
  assert.ok(both.some((response) => response.status === 201))
  assert.equal((await api('get', '/editions').expect(200)).body.items.length, 4)
  house.clock.advance('25h')
  await trigger('one').expect(201)
  await trigger('bad key').expect(400)
})

story('a test mail needs an existing subscriber, and is cancelled when they are erased', async (house) => {
  await newsroom(house)
  const api = await openApi(house)
  const test = (view: object) => api('post', '/editions/test-send').send({ to: 'eve@mail.example', ...view })
  await test({ subscriberId: 99 }).expect(404)
  assert.equal((await test({ categories: ['nowhere'] }).expect(409)).body.errors[0].field, 'categories')
  const { body } = await test({ subscriberId: 1 }).expect(202)
  await api('delete', '/subscribers/1').expect(204)
  await sendWaitingMail(house)
  const delivery = await house.db.selectFrom('deliveries').selectAll().where('id', '=', body.deliveryId).execute()
  assert.deepEqual([delivery[0]!.state, delivery[0]!.reason], ['skipped', 'cancelled'])
})

story('lists come in pages that neither repeat nor miss a row', async (house) => {
  await newsroom(house)
  const api = await openApi(house)
  for (let i = 0; i < 7; i++) await api('post', '/editions').send({ kind: 'manual' }).expect(201)
  const ids: number[] = []
  let next: string | null = ''
  while (next !== null) {
    const page = await api('get', `/editions?limit=3${next && `&cursor=${next}`}`).expect(200)
    ids.push(...page.body.items.map((item: { id: number }) => item.id))
    next = page.body.next as string | null
  }
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => b - a),
  )
  assert.equal(new Set(ids).size, 7)
})

story('a program signs an address up, which confirms by mail, and looks it up', async (house) => {
  await addCategories(house)
  const api = await openApi(house)
  const { body: made } = await api('post', '/subscribers')
    .send({ email: 'Ada@mail.example', frequency: { politics: 'daily', business: 'off' }, timezone: 'Europe/Berlin' })
    .expect(202)
  assert.equal(made.status, 'pending')
  await subscribeFully(house, 'grace@mail.example', { politics: 'weekly' })
  const { body: found } = await api('get', '/subscribers?email=GRACE@mail.example').expect(200)
  assert.equal(found.items[0].status, 'active')
  assert.deepEqual(found.items[0].subscriptions, [
    { category: 'politics', name: 'Politics', frequency: 'weekly', position: 0 },
  ])
  assert.deepEqual((await api('get', '/subscribers?email=no@mail.example').expect(200)).body, { items: [], next: null })
  const { id } = found.items[0]
  const { body: changed } = await api('patch', `/subscribers/${id}`)
    .send({ frequency: { business: 'daily', politics: 'off' }, sendHour: 18 })
    .expect(200)
  assert.equal(changed.sendHour, 18)
  assert.deepEqual(
    changed.subscriptions.map((line: { category: string }) => line.category),
    ['business'],
  )
  await api('patch', `/subscribers/${made.id}`).send({ sendHour: 18 }).expect(409)
  await api('patch', `/subscribers/${id}`).send({ status: 'suppressed' }).expect(400)
  assert.equal((await api('post', `/subscribers/${id}/unsubscribe`).expect(200)).body.status, 'unsubscribed')
  assert.ok((await api('get', `/subscribers/${id}/data`).expect(200)).body.consents.length >= 3)
  await api('delete', `/subscribers/${id}`).expect(204)
  await api('get', `/subscribers/${id}`).expect(404)
  // Erased: a new reader. What stays suppressed is refused.
  const again = { email: 'grace@mail.example', frequency: { politics: 'daily' } }
  assert.equal((await api('post', '/subscribers').send(again).expect(202)).body.status, 'pending')
  await suppressAddress(house.ctx, { email: again.email, key: again.email }, 'complaint')
  await api('post', '/subscribers').send(again).expect(409)
})

story('an address is put on the suppression list and taken off it', async (house) => {
  await addCategories(house)
  const api = await openApi(house)
  await subscribeFully(house, 'ada@mail.example')
  const { body: made } = await api('post', '/suppressions').send({ email: 'ada@mail.example' }).expect(201)
  assert.equal((await getSubscriber(house, 'ada@mail.example')).status, 'suppressed')
  for (let i = 0; i < 3; i++) {
    house.clock.advance('1m')
    await suppressAddress(house.ctx, { email: `${i}@x.example`, key: `${i}@x.example` }, 'complaint')
  }
  const first = (await api('get', '/suppressions?limit=2').expect(200)).body
  const second = (await api('get', `/suppressions?limit=2&cursor=${first.next}`).expect(200)).body
  assert.equal(second.next, null)
  assert.deepEqual(
    [...first.items, ...second.items].map((item: { email: string }) => item.email),
    ['2@x.example', '1@x.example', '0@x.example', 'ada@mail.example'],
  )
  await api('delete', `/suppressions/${made.id}`).expect(204)
  assert.equal((await getSubscriber(house, 'ada@mail.example')).status, 'active')
  await api('delete', `/suppressions/${made.id}`).expect(404)
})

story('without a good key nothing answers, and a key does only what its scopes name', async (house) => {
  const paths = endpoints.map(({ method, path }) => ({ method, path: `/api/v1${path.replace(/:\w+/g, '1')}` }))
  for (const { method, path } of paths)
    for (const authorization of ['', 'Bearer x', `Bearer bsk_${'x'.repeat(43)}`, 'Basic YTpi'])
      await house.web[method](path).set('Authorization', authorization).expect(401)
  for (const odd of ['/api/v1/nowhere', '/api/v1//editions', '/api/v1/editions/', '/api/v1/Editions'])
    await house.web.get(odd).expect(401)
  const reader = await openApi(house, 'read')
  const publisher = await openApi(house, 'articles')
  for (const { method, scope, path } of endpoints) {
    const call = path.replace(/:\w+/g, '999999')
    const send = (api: typeof reader) => house.web[method](`/api/v1${call}`).set('Authorization', `Bearer ${api.key}`)
    const isForbidden = async (api: typeof reader) => (await send(api)).status === 403
    assert.equal(await isForbidden(reader), method !== 'get' && scope !== 'read', `read: ${method} ${path}`)
    assert.equal(await isForbidden(publisher), scope !== 'articles', `articles: ${method} ${path}`)
  }
  await house.db.updateTable('apiKeys').set({ revokedAt: house.clock.now() }).execute()
  await reader('get', '/editions').expect(401)
})

story('the OpenAPI document describes every endpoint, and its page needs no key', async (house) => {
  const { body: document } = await house.web.get('/api/v1/openapi.json').expect(200)
  assert.equal(document.openapi, '3.1.0')
  for (const { method, path, status } of endpoints) {
    const operation = document.paths[path.replace(/:(\w+)/g, '{$1}')][method]
    assert.ok(operation.responses[String(status)], `${method} ${path}`)
    assert.ok(operation.responses['401'].content['application/problem+json'])
    if (method === 'post')
      assert.ok(operation.parameters.some((parameter: { name: string }) => parameter.name === 'Idempotency-Key'))
  }
  const ids = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>)
    .flatMap((item) => Object.values(item))
    .map((operation) => operation.operationId)
  assert.equal(new Set(ids).size, ids.length)
  const doors = ['/editions', '/editions/{id}/pause', '/editions/{id}/resume', '/editions/{id}/cancel']
  doors.push('/editions/{id}/retry', '/subscribers', '/suppressions', '/audit')
  for (const door of doors) assert.ok(document.paths[door], door)
  assert.deepEqual(document.components.schemas.Edition.required.slice(0, 6), [
    'id',
    'kind',
    'state',
    'slotAt',
    'createdAt',
    'closedAt',
  ])
  const golden = path.join(import.meta.dirname, '../samples/openapi.json')
  const ours = ['editions', 'subscribers', 'brakes', 'inbound', 'suppressions', 'audit']
  const described = Object.fromEntries(
    Object.entries(document.paths as Record<string, unknown>).filter(([door]) => ours.includes(door.split('/')[1]!)),
  )
  // What programs rely on changes only on purpose: UPDATE_GOLDEN=1 writes the file anew.
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden, `${JSON.stringify(described, null, 2)}\n`)
  assert.deepEqual(described, JSON.parse(readFileSync(golden, 'utf8')))
  const page = await house.web.get('/api/docs').expect(200)
  assert.ok(!/<script(?![^>]* src=)/.test(page.text))
  for (const [, file] of page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)) await house.web.get(file!).expect(200)
})
