// The console through HTTP: who gets in, what each page shows, what each button does.

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { sql } from 'kysely'
import { addFeed } from '../../src/articles/feeds.ts'
import { runTick } from '../../src/planning/tick.ts'
import { receiveUpload } from '../../src/subscribers/import/uploads.ts'
import { suppressAddress } from '../../src/subscribers/suppression.ts'
import { addBrake } from '../support/brakes.ts'
import { story, type House } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { openConsole } from '../support/keys.ts'
import { addReader, addStory } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, getSubscriber } from '../support/readers.ts'
import { routesOf as allRoutesOf } from '../support/routes.ts'

/** Every route of the console, so that none is forgotten. */
const routesOf = (house: House) => allRoutesOf(house.ctx).filter(({ path }) => /^\/admin(?:\/|$)/.test(path))

const open = ['/admin/sign-in', '/admin/sign-in/link', '/admin/sign-in/check-your-mail']

async function newsroom(house: House) {
  await addCategories(house, ['Politics', 'Investing'])
  for (const title of ['First story', 'Second <b>story</b>', 'Third story']) await addStory(house.ctx, title, [1])
  await addFeed(house.ctx, { url: 'https://lantern.example/feed', categories: ['politics'] })
  await addReader(house.ctx, { email: 'reader@mail.example', choice: { 1: 'daily', 2: 'weekly' } })
  await addBrake(house.db)
}

/** :id, :hash and :slug of things that exist. */
async function fill(house: House, path: string): Promise<string> {
  const address = { email: 'gone@mail.example', key: 'gone@mail.example' }
  if (path.includes(':hash')) await suppressAddress(house.ctx, address, 'manual')
  const suppression = await house.db.selectFrom('suppressions').select('emailHash').executeTakeFirst()
  return path
    .replace(':id', '1')
    .replace(':hash', suppression?.emailHash ?? 'x')
    .replace(':slug', 'politics')
    .replace(':action', 'hold')
}

story('every page of the console opens for an editor, and for nobody else', async (house) => {
  await newsroom(house)
  const console = await openConsole(house)
  await console.post('/admin/trigger').expect(303)
  await runTick(house.ctx)
  await console.post('/admin/api-keys', { name: 'site', scope: 'read' }).expect(200)
  const query: Record<string, string> = {
    '/admin/trigger/confirm': '?categories=politics',
    '/admin/test-send': '?to=ada@news.example',
    '/admin/suppressions/add': '?email=x@mail.example',
    '/admin/suppressions/undo': '?reason=manual',
  }
  const form = { source: 'a list', category: [], frequency: null, isAsked: false, map: [], choice: [], ignored: [] }
  const upload = { actor: 'cli' as const, fileName: 'list.txt', options: form }
  await receiveUpload(house.ctx, upload, Readable.from([Buffer.from('ada@mail.example')]))
  const pages = routesOf(house).filter(({ method, path }) => method === 'get' && !path.endsWith('/live'))
  assert.ok(pages.length > 25, `${pages.length} pages`)
  for (const { path } of pages) {
    const address = (await fill(house, path)) + (query[path] ?? '')
    if (!open.includes(path)) {
      const away = await house.web.get(address)
      assert.deepEqual([away.status, away.headers.location], [303, '/admin/sign-in'], address)
    }
    const page = await console.get(address)
    assert.equal(page.status, 200, `${address}: ${page.text.slice(0, 4000)}`)
    assert.equal(page.headers['cache-control'], 'no-store', address)
    assert.ok(!/<script(?![^>]* src=)|style="|\son\w+="/.test(page.text) || path === '/admin/preview/mail', address)
    if (path !== '/admin/preview/mail' && page.type === 'text/html') {
      assert.match(page.text, /<h1>[^<]/, address)
      assert.ok(!/undefined|\[object|NaN/.test(page.text), address)
    }
  }
})

story('nothing that changes something can be pressed from elsewhere', async (house) => {
  await newsroom(house)
  const console = await openConsole(house)
  const changes = routesOf(house).filter(({ method }) => method !== 'get')
  assert.ok(changes.length > 15)
  const elsewhere: Record<string, string>[] = [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' },
    {},
  ]
  for (const { method, path } of changes)
    for (const headers of elsewhere) {
      const address = await fill(house, path)
      const call = console.browser[method as 'post'](address).set(headers).type('form').send({ email: 'x@y.example' })
      assert.equal((await call).status, 403, `${method} ${address} ${JSON.stringify(headers)}`)
    }
  for (const { path } of changes) {
    const address = await fill(house, path)
    const json = console.browser.post(address).set('Sec-Fetch-Site', 'cross-site').type('text/plain').send('{}')
    assert.equal((await json).status, 403, path)
  }
  assert.equal((await house.db.selectFrom('editions').select('id').execute()).length, 0)
  assert.equal((await house.db.selectFrom('editors').select('id').execute()).length, 1)
})

story('an address spelled otherwise is guarded as well, or is nothing', async (house) => {
  await openConsole(house)
  for (const { method, path } of routesOf(house).filter((route) => !open.includes(route.path))) {
    const address = await fill(house, path)
    const odd = [
      `${address}/`,
      `/${address}`,
      address.replace('/admin', '/ADMIN'),
      address.replace('/admin', '/%61dmin'),
    ]
    for (const spelling of odd) {
      const { status } = await house.web[method as 'get'](spelling).set('Sec-Fetch-Site', 'same-origin')
      assert.ok([303, 401, 404].includes(status), `${method} ${spelling} → ${status}`)
    }
    const head = await house.web.head(address)
    assert.ok(head.status === 303 || head.status === 404, `HEAD ${address} → ${head.status}`)
    const override = await house.web.get(address).set('X-HTTP-Method-Override', 'POST')
    assert.ok([303, 404].includes(override.status), `override ${address} → ${override.status}`)
  }
  assert.equal(
    (await house.db.selectFrom('auditLog').selectAll().where('action', '!=', 'editor.created').execute()).length,
    1,
  )
})

story(
  'an editor asks for a link by mail, opens it as often as a scanner does, and presses its button',
  async (house) => {
    const { editor } = await openConsole(house)
    const browser = house.browser()
    const ask = (email: string) =>
      browser.post('/admin/sign-in/link').set('Sec-Fetch-Site', 'same-origin').type('form').send({ email })
    const known = await ask(editor.email).expect(303)
    const unknown = await ask('stranger@mail.example').expect(303)
    assert.equal(known.text, unknown.text)
    assert.equal(known.headers.location, unknown.headers.location)
    await sendWaitingMail(house)
    assert.equal(house.inbox.received.length, 1)
    const link = linkIn(house.inbox.last(editor.email).mail, /^\/admin\/sign-in$/)
    for (let i = 0; i < 20; i++) await house.web.get(link).expect(200)
    await browser.get('/admin').expect(303)
    const token = new URL(link, 'http://x').searchParams.get('token')!
    const press = () => browser.post('/admin/sign-in').set('Sec-Fetch-Site', 'same-origin').type('form').send({ token })
    const pressed = await press().expect(303)
    const cookie = String(pressed.headers['set-cookie'])
    assert.match(cookie, /HttpOnly; SameSite=Lax/)
    assert.ok(!cookie.includes('Secure'))
    await browser.get('/admin').expect(200)
    await press().expect(410)
    await browser.post('/admin/sign-out').set('Sec-Fetch-Site', 'same-origin').expect(303)
    await browser.get('/admin').expect(303)
  },
)

story(
  'over https the cookie is __Host- and Secure',
  async (house) => {
    await newsroom(house)
    const { createEditor } = await import('../../src/access/editors.ts')
    const { addPrintedLink, signInUrl } = await import('../../src/access/sign-in.ts')
    const { editor } = await createEditor(house.ctx, { email: 'ada@news.example', actor: 'cli' })
    const link = new URL(signInUrl(house.config, await addPrintedLink(house.ctx, editor)))
    const token = link.searchParams.get('token')
    const pressed = await house.web
      .post('/admin/sign-in')
      .set('Origin', 'https://news.example')
      .type('form')
      .send({ token })
      .expect(303)
    assert.match(String(pressed.headers['set-cookie']), /^__Host-broadsheet=.*Path=\/;.*HttpOnly; Secure; SameSite=Lax/)
  },
  { env: { PUBLIC_URL: 'https://news.example' } },
)

story('a session ends after twelve idle hours, and at once when the editor is disabled', async (house) => {
  const ada = await openConsole(house)
  const grace = await openConsole(house, 'grace@news.example')
  house.clock.advance('11h')
  await ada.get('/admin').expect(200)
  house.clock.advance('2h')
  await ada.get('/admin').expect(200)
  await grace.get('/admin').expect(303)
  const back = await openConsole(house, 'grace@news.example')
  await back.get('/admin').expect(200)
  await ada.post(`/admin/editors/${grace.editor.id}/disable`).expect(303)
  await back.get('/admin').expect(303)
  await back.post('/admin/trigger').expect(401)
})

story(
  'a count that takes long doesn’t hold the page up: it says so and asks again by itself, without script',
  async (house) => {
    await newsroom(house)
    const console = await openConsole(house)
    const page = '/admin/trigger/confirm?categories=politics'
    const locked = Promise.withResolvers<void>()
    const done = Promise.withResolvers<void>()
    const lock = house.db.transaction().execute(async (trx) => {
      await sql`lock table subscriptions in access exclusive mode`.execute(trx)
      locked.resolve()
      await done.promise
    })
    await locked.promise
    const waiting = await console.get(page).expect(200)
    assert.equal(waiting.headers.refresh, '1')
    assert.match(waiting.text, /Counting how many subscribers a digest of Politics reaches/)
    done.resolve()
    await lock
    const counted = await console.get(page).expect(200)
    assert.equal(counted.headers.refresh, undefined)
    assert.match(counted.text, /to <b>1 subscriber<\/b>/)
  },
  { on: 'postgres' },
)

story('an editor looks at whom a digest reaches, confirms, watches, pauses and cancels it', async (house) => {
  await newsroom(house)
  const console = await openConsole(house)
  const ask = await console.get('/admin/trigger/confirm?categories=politics').expect(200)
  assert.match(ask.text, /A digest of <b>Politics<\/b>, to <b>1 subscriber<\/b>/)
  assert.equal((await house.db.selectFrom('editions').select('id').execute()).length, 0)
  assert.match(ask.text, /name="retryHours"[^>]*max="48"/)
  await console.post('/admin/trigger', { categories: ['politics'], retryHours: 'soon' }).expect(400)
  const { headers } = await console.post('/admin/trigger', { categories: ['politics'], retryHours: '12' }).expect(303)
  assert.equal((await house.db.selectFrom('editions').select('retryHours').executeTakeFirst())?.retryHours, 12)
  await runTick(house.ctx)
  const path = headers.location!.split('?')[0]!
  const page = await console.get(path).expect(200)
  assert.match(page.text, /Manual digest: Politics/)
  assert.match(page.text, /Second &lt;b&gt;story/)
  assert.match(page.text, /data-live="\/admin\/editions\/1\/live"/)
  assert.match((await console.get(`${path}/deliveries?state=open`).expect(200)).text, /reader@mail\.example/)
  for (const move of ['pause', 'resume', 'cancel']) {
    await console.get(`${path}/${move}`).expect(200)
    await console.post(`${path}/${move}`).expect(303)
  }
  const refused = await console.post(`${path}/pause`).expect(409)
  assert.match(refused.text, /is cancelled[^]*<nav class="sections"|<nav class="sections"[^]*is cancelled/)
  await console.get('/admin/nowhere').expect(404)
  const log = await console.get('/admin/audit').expect(200)
  for (const action of ['triggered', 'paused', 'resumed', 'cancelled'])
    assert.match(log.text, new RegExp(`edition ${action}`))
})

story('a button that is pressed twice sends one digest and one announcement', async (house) => {
  await newsroom(house)
  const console = await openConsole(house)
  const onceOf = (page: string) => /name="once" value="([^"]+)"/.exec(page)![1]!
  const page = await console.get('/admin/trigger/confirm?categories=politics').expect(200)
  const digest = { categories: ['politics'], once: onceOf(page.text) }
  const draft = { subject: 'Hello', body: 'We moved.' }
  const confirm = await console.post('/admin/announcement/confirm', draft).expect(200)
  const letter = { ...draft, once: onceOf(confirm.text) }
  const post = (path: string, form: object) => console.post(path, form as Record<string, string>).expect(303)
  const digests = await Promise.all([post('/admin/trigger', digest), post('/admin/trigger', digest)])
  assert.equal(digests[0]!.headers.location, digests[1]!.headers.location)
  house.clock.advance('11m')
  const letters = await Promise.all([post('/admin/announcement', letter), post('/admin/announcement', letter)])
  assert.equal(letters[0]!.headers.location, letters[1]!.headers.location)
  const made = await house.db.selectFrom('editions').select('kind').orderBy('id').execute()
  assert.deepEqual(
    made.map((edition) => edition.kind),
    ['manual', 'announcement'],
  )
  house.clock.advance('11m')
  await post('/admin/announcement', {
    ...draft,
    once: onceOf((await console.post('/admin/announcement/confirm', draft)).text),
  })
  assert.equal((await house.db.selectFrom('editions').select('id').execute()).length, 3)
})

story('live counts come as server-sent events, to editors only', async (house) => {
  await newsroom(house)
  const console = await openConsole(house)
  await console.post('/admin/trigger').expect(303)
  await runTick(house.ctx)
  await house.web.get('/admin/editions/1/live').expect(303)
  const first = await new Promise<string>((resolve, reject) => {
    const request = console.get('/admin/editions/1/live').buffer(false)
    request.parse((response, done) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += String(chunk)
        if (!text.includes('</table>')) return
        resolve(text)
        ;(response as unknown as { destroy(): void }).destroy()
        done(null, text)
      })
    })
    request.end((error) => error && reject(error as Error))
  })
  assert.match(first, /data: .*sending/)
  assert.match(first, /Audience/)
})

story('an announcement is read over before it is sent', async (house) => {
  await newsroom(house)
  const console = await openConsole(house)
  const draft = { subject: 'We have moved', body: 'Dear *readers*,\n\nour <new> office is by the harbour.' }
  const page = await console.post('/admin/announcement/confirm', draft).expect(200)
  assert.match(page.text, /“We have moved”, to <b>1 subscriber<\/b>/)
  assert.match(page.text, /our &lt;new&gt; office/)
  const mail = await console.post('/admin/announcement/mail', draft).expect(200)
  assert.match(mail.text, /our &lt;new&gt; office/)
  assert.match(mail.get('Content-Security-Policy')!, /default-src 'none'.*sandbox/)
  assert.equal((await house.db.selectFrom('editions').select('id').execute()).length, 0)
  // As a browser's form sends it.
  await console.post('/admin/announcement', { ...draft, body: draft.body.replaceAll('\n', '\r\n') }).expect(303)
  await runTick(house.ctx)
  const shown = (await console.get('/admin/editions/1').expect(200)).text
  assert.match(shown, /Announcement: We have moved/)
  const frame = /<iframe[^>]* src="([^"]+)"/.exec(shown)![1]!
  assert.match((await console.get(frame).expect(200)).text, /Dear <em>readers<\/em>,.*our &lt;new&gt; office/s)
  const long = await console.post('/admin/announcement', { ...draft, body: 'a\n\n'.repeat(6000) }).expect(400)
  assert.match(long.text, /bytes of HTML, more than 80000/)
})

story('an announcement that nobody would get is not offered to be sent', async (house) => {
  const console = await openConsole(house)
  const page = await console.post('/admin/announcement/confirm', { subject: 'Hello', body: 'Is anybody here?' })
  assert.match(page.text, /Nobody to send it to/)
  assert.match(page.text, /Change the text/)
  assert.doesNotMatch(page.text, /Send to/)
})

story('the next digest is previewed as a subscriber gets it, and a test is sent to one address', async (house) => {
  await newsroom(house)
  const console = await openConsole(house)
  for (const view of ['', '?categories=politics', '?email=reader@mail.example', '?subscriber=1']) {
    const page = await console.get(`/admin/preview${view}`).expect(200)
    assert.match(page.text, /First story/, view)
    assert.match(page.text, /sandbox=""/)
  }
  assert.match((await console.get('/admin/preview?categories=investing').expect(200)).text, /nothing new to show/)
  await console.get('/admin/preview?email=nobody@mail.example').expect(400)
  const mail = await console.get('/admin/preview/mail?categories=politics').expect(200)
  assert.match(mail.headers['content-security-policy']!, /default-src 'none'.*sandbox/)
  assert.ok(!mail.text.includes('<b>story</b>'))
  await console.post('/admin/test-send', { to: 'two@a.example, b@b.example' }).expect(400)
  await console.post('/admin/test-send', { to: 'boss@news.example', categories: ['politics'] }).expect(303)
  const queued = await house.db.selectFrom('deliveries').selectAll().where('kind', '=', 'test').execute()
  assert.deepEqual(
    queued.map((row) => row.recipient),
    ['boss@news.example'],
  )
})

story(
  'an edition that waits for approval is arranged, then released',
  async (house) => {
    await newsroom(house)
    const console = await openConsole(house)
    const slot = (await getSubscriber(house, 'reader@mail.example')).nextDueAt!
    house.clock.set(new Date(slot.getTime() - 20 * 60_000))
    await runTick(house.ctx)
    assert.match((await console.get('/admin/editions/1')).text, /planned then, and held if nobody has released it/)
    const page = await console.get('/admin/editions/1/arrange').expect(200)
    const stories = [...page.text.matchAll(/name="story" value="(\d+-(\d+))"/g)].map(([, key, id]) => ({
      key: key!,
      id: id!,
    }))
    assert.equal(stories.length, 3)
    const [first, second, third] = stories as [
      { key: string; id: string },
      { key: string; id: string },
      { key: string; id: string },
    ]
    await console
      .post('/admin/editions/1/arrange', {
        intro: 'Good morning.',
        story: stories.map((each) => each.key),
        [`place[${first.key}]`]: '3',
        [`place[${third.key}]`]: '1',
        pin: [second.id],
        drop: [first.id],
      })
      .expect(303)
    const rows = await house.db.selectFrom('editionArticles').selectAll().orderBy('position').execute()
    assert.deepEqual(
      rows.map((row) => [String(row.articleId), row.isPinned, row.isDropped]),
      [
        [second.id, true, false],
        [third.id, false, false],
        [first.id, false, true],
      ],
    )
    assert.match((await console.get('/admin/editions/1/arrange').expect(200)).text, /Good morning\./)
    await console.post('/admin/editions/1/hold').expect(303)
    assert.match((await console.get('/admin/editions/1')).text, /planned then, and kept until you release it/)
    await console.post('/admin/editions/1/release').expect(303)
    assert.match((await console.get('/admin/editions/1')).text, /planned and sent then/)
    assert.match((await console.get('/admin/editions/1').expect(200)).text, /Approved\./)
  },
  { env: { APPROVAL_MINUTES: '30', APPROVAL_POLICY: 'hold' } },
)

story('an editor unsubscribes and erases somebody who asked', async (house) => {
  await newsroom(house)
  const console = await openConsole(house)
  const found = await console.get('/admin/subscribers?email=READER@mail.example').expect(200)
  assert.match(found.text, /href="\/admin\/subscribers\/1"/)
  await console.post('/admin/subscribers/1/unsubscribe').expect(303)
  assert.equal((await getSubscriber(house, 'reader@mail.example')).status, 'unsubscribed')
  await console.post('/admin/subscribers/1/erase').expect(303)
  await console.get('/admin/subscribers/1').expect(404)
  const log = await house.db.selectFrom('auditLog').selectAll().execute()
  assert.ok(!JSON.stringify(log).includes('reader@mail.example'))
})
