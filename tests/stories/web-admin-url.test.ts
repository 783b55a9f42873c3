// ADMIN_URL: the console on a host of its own, and nothing else there.

import assert from 'node:assert/strict'
import { createEditor } from '../../src/access/editors.ts'
import { addPrintedLink, signInUrl } from '../../src/access/sign-in.ts'
import { raiseAlert } from '../../src/desk/alerts.ts'
import { story, type House } from '../support/house.ts'
import { sendWaitingMail } from '../support/post.ts'

const adminUrl = 'https://desk.example'
const options = { env: { PUBLIC_URL: 'https://paper.example/letters', ADMIN_URL: adminUrl } }
const atDesk = { Host: 'desk.example' }
const atPaper = { Host: 'paper.example' }

async function signIn(house: House, headers: Record<string, string>) {
  const { editor } = await createEditor(house.ctx, { email: 'ada@news.example', actor: 'cli' })
  const url = new URL(signInUrl(house.config, await addPrintedLink(house.ctx, editor)))
  const token = url.searchParams.get('token')
  const answer = await house.web.post(url.pathname).set(headers).type('form').send({ token })
  return { url, answer }
}

story(
  'the console answers on its host only, and its host answers only the console',
  async (house) => {
    const { web } = house
    for (const path of ['/admin', '/admin/sign-in', '/letters/admin', '/letters/admin/feeds', '/admin/nothing'])
      for (const headers of [atPaper, { Host: '127.0.0.1:3000' }, { Host: 'desk.example:8443' }])
        await web.get(path).set(headers).expect(404)
    await web.post('/letters/admin/sign-in').set(atPaper).set('Origin', 'https://paper.example').expect(404)
    for (const path of [
      '/archive',
      '/letters/archive',
      '/preferences',
      '/api/v1/openapi.json',
      '/api/docs',
      '/embed',
      '/letters',
    ])
      await web.get(path).set(atDesk).expect(404)
    await web.post('/subscribe').set(atDesk).type('form').send({ email: 'ada@mail.example' }).expect(404)
    for (const path of ['/healthz', '/readyz', '/metrics', '/assets/icon.svg', '/theme.css'])
      for (const headers of [atDesk, atPaper]) await web.get(path).set(headers).expect(200)
    assert.equal((await web.get('/').set(atDesk).expect(303)).headers['location'], '/admin')
    assert.equal((await web.get('/admin').set(atDesk).expect(303)).headers['location'], '/admin/sign-in')
    const page = (await web.get('/admin/sign-in').set(atDesk).expect(200)).text
    assert.match(page, /action="\/admin\/sign-in\/link"/)
    assert.match(page, /href="\/assets\/console\.css\?v=/)
    assert.match(page, /href="https:\/\/paper\.example\/letters\/"/)
  },
  options,
)

story(
  'sign-in, cookie and the check of where a form came from follow the console’s host',
  async (house) => {
    const foreign = [
      { Origin: 'https://paper.example' },
      { 'Sec-Fetch-Site': 'same-site', Origin: 'https://paper.example' },
      { 'Sec-Fetch-Site': 'cross-site' },
    ]
    for (const headers of foreign)
      assert.equal((await signIn(house, { ...atDesk, ...headers } as Record<string, string>)).answer.status, 403)
    const { url, answer } = await signIn(house, { ...atDesk, Origin: adminUrl, 'Sec-Fetch-Site': 'same-origin' })
    assert.equal(url.origin + url.pathname, `${adminUrl}/admin/sign-in`)
    assert.equal(answer.status, 303)
    assert.equal(answer.headers['location'], '/admin')
    const cookie = String(answer.headers['set-cookie'])
    assert.match(cookie, /^__Host-broadsheet=[^;]+;.*Path=\/;.*Secure/)
    await house.web.get('/admin').set(atDesk).set('Cookie', cookie.split(';')[0]!).expect(200)
    await house.web.get('/admin').set(atPaper).set('Cookie', cookie.split(';')[0]!).expect(404)
  },
  options,
)

story(
  'sign-in mails and alerts lead to the console’s host',
  async (house) => {
    await createEditor(house.ctx, { email: 'ada@news.example', actor: 'cli' })
    const headers = { ...atDesk, Origin: adminUrl }
    await house.web
      .post('/admin/sign-in/link')
      .set(headers)
      .type('form')
      .send({ email: 'ada@news.example' })
      .expect(303)
    await house.db.transaction().execute((trx) => raiseAlert(trx, house.ctx, 'tick', 'Nothing ticks.'))
    await sendWaitingMail(house)
    const links = house.inbox.received.map(({ mail }) => /https:\/\/\S+\/admin\S*/.exec(mail.text ?? '')?.[0])
    assert.equal(links.length, 2)
    for (const link of links) assert.match(link!, /^https:\/\/desk\.example\/admin(?:\/sign-in\?token=\S+)?$/)
  },
  options,
)

const names: string[] = []
for (const [where, env, name] of [
  ['below a path', { PUBLIC_URL: 'https://paper.example/letters' }, /^__Host-broadsheet-[0-9a-f]{8}=/],
  ['below another path', { PUBLIC_URL: 'https://paper.example/sports' }, /^__Host-broadsheet-[0-9a-f]{8}=/],
  ['on a port', { PUBLIC_URL: 'http://paper.example:8080' }, /^broadsheet-[0-9a-f]{8}=/],
] as const)
  story(
    `the session’s cookie has a name of its own ${where}`,
    async (house) => {
      const { answer } = await signIn(house, { 'Sec-Fetch-Site': 'same-origin' })
      assert.equal(answer.status, 303)
      const [cookie] = answer.headers['set-cookie'] as unknown as string[]
      assert.match(cookie!, name)
      names.push(cookie!.split('=')[0]!)
      assert.equal(new Set(names).size, names.length, names.join(', '))
      assert.match(cookie!, /Path=\/;/)
    },
    { env, on: 'embedded' },
  )
