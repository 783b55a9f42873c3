// Odd input on every route that there is, read from the routers: ids that no column takes, U+0000 and broken percent-encoding in
// addresses, queries and forms, lists where one text is meant, huge bodies for things that don't exist. None of it is a fault of
// ours: no 5xx anywhere.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { createServer } from '../../src/web/server.ts'
import type { WebContext } from '../../src/web/web-context.ts'
import { addFeed } from '../../src/articles/feeds.ts'
import { Mailbox } from '../../src/trial/mailbox.ts'
import { story, type House } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addStory, tick } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'
import { type Route, routesOf } from '../support/routes.ts'
import { seedOf } from '../support/seed.ts'
import { addCategories, subscribeFully } from '../support/readers.ts'
import { triggerDigest } from '../../src/planning/trigger.ts'

/** Nothing listens there: what fetches it fails at once. */
const closedPort = 'http://127.0.0.1:1'

const oddIds = [
  '0',
  '-1',
  '1.5',
  '2147483648',
  '9007199254740990',
  '9007199254740993',
  '99999999999999999999',
  '1e9',
  '0x1',
]
const oddTexts = [
  '%00',
  'a%00b',
  '%zz',
  '%',
  '%ff%fe',
  '%ED%A0%80',
  '..%2f..%2f',
  '%2F',
  'constructor',
  '__proto__',
  'x'.repeat(5000),
]
const oddQueries = [
  '%00',
  '%00=%00',
  '%ff=%fe',
  '%zz=%zz',
  '[]',
  '__proto__[a]=1',
  'constructor=1',
  `${'a[]=1&'.repeat(2000)}`,
]
const oddValues = [
  '%00',
  '%ff',
  '99999999999999999999',
  '-1',
  '1e308',
  'NaN',
  '%ED%A0%80',
  "'",
  '%25',
  'x'.repeat(3000),
]
/** What any page reads from its address or its form. */
const names = [
  'token',
  'email',
  'cursor',
  'before',
  'after',
  'q',
  'category',
  'categories',
  'feed',
  'state',
  'status',
  'id',
  'limit',
]
const more = [
  'subscriber',
  'edition',
  'to',
  'url',
  'name',
  'slug',
  'done',
  'actor',
  'action',
  'subject',
  'body',
  'hub.topic',
  'view',
]
const fields = [
  'frequency',
  'order',
  'timezone',
  'hour',
  'weekday',
  'monthday',
  'language',
  'paused_until',
  'new_email',
  'form_url',
]
const rest = [
  'days',
  'scope',
  'story',
  'place',
  'pin',
  'drop',
  'intro',
  'retry_hours',
  'request',
  'rules',
  'reason',
  'as',
  'position',
]
const oddForms = ['', '%00=%00', '__proto__[a]=1', `${'a[b]'.repeat(500)}=1`, 'a=1&'.repeat(500)]
const oddJson = ['', '{', 'null', '[]', '{"a":"\\u0000"}', '{"__proto__":{}}', '['.repeat(50_000)]
// Another order in each run, so that each name meets each value and each other name in time.
const seed = seedOf('ODD_INPUT_SEED')
const allNames = [...names, ...more, ...fields, ...rest].toSorted((a, b) => hash(a) - hash(b))
function hash(name: string): number {
  return createHash('sha256').update(`${seed} ${name}`).digest().readUInt32LE()
}

async function listen(web: WebContext) {
  const server = http.createServer(createServer(web)).listen(0, '127.0.0.1')
  const agent = new http.Agent({ keepAlive: true })
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    send: (method: string, path: string, headers: http.OutgoingHttpHeaders = {}, body: string | Buffer = '') =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const given = { Host: 'news.example', 'Content-Length': Buffer.byteLength(body), ...headers }
        const call = http.request({ port, agent, method: method.toUpperCase(), path, headers: given })
        call.on('response', (response) => {
          // A stream of events has no end of its own.
          if (String(response.headers['content-type']).startsWith('text/event-stream')) {
            response.destroy()
            return resolve({ status: response.statusCode!, text: '' })
          }
          text(response).then((body) => resolve({ status: response.statusCode!, text: body }), reject)
        })
        call.on('error', reject).end(body)
      }),
    async [Symbol.asyncDispose]() {
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Something of everything, so that nothing is refused only because there is nothing. The links are those of real mails. */
async function fill(house: House): Promise<Record<string, string>> {
  await addCategories(house)
  await addStory(house.ctx, 'A story', [1])
  await subscribeFully(house, 'ada@mail.example', { politics: 'daily' })
  await sendWaitingMail(house)
  await addFeed(house.ctx, { url: `${closedPort}/feed`, categories: ['politics'] })
  await triggerDigest(house.ctx, { actor: 'cli' })
  await tick(house.ctx)
  const { received } = house.inbox
  return Object.fromEntries(
    ['/confirm', '/preferences', '/unsubscribe'].map((door) => {
      const mail = received.find((one) => one.mail.html?.includes(`${door}?token=`))
      assert.ok(mail, `no mail has a link to ${door}`)
      return [door, linkIn(mail.mail, new RegExp(`^${door}$`)).split('?')[1]!]
    }),
  )
}

async function keysOf(house: House): Promise<http.OutgoingHttpHeaders> {
  const { cookie } = await openConsole(house)
  const { key } = await openApi(house)
  return { Cookie: cookie, Authorization: `Bearer ${key}`, 'Sec-Fetch-Site': 'same-origin' }
}

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const json = { 'Content-Type': 'application/json' }
const fixed = { slug: 'politics', category: 'politics', action: 'hold' }

/** The route's address with these in its slots; whatever isn't given is something that exists. */
function addressOf(path: string, given: Record<string, string> = {}): string {
  const values: Record<string, string> = { ...fixed, ...given }
  return path.replace(/:(\w+)/g, (_, name: string) => values[name] ?? '1')
}

/** Sixteen names at a time, so that pages that need several get them. */
function oddPairs(): string[] {
  const value = (at: number) => oddValues[at % oddValues.length]!
  const ways = [
    (name: string, at: number) => `${name}=${value(at)}`,
    (name: string) => `${name}[]=1&${name}[x]=2&${name}[x][y]=3`,
    (name: string) => `${name}=1&${name}=2`,
  ]
  return ways.flatMap((way) =>
    Array.from({ length: Math.ceil(allNames.length / 16) }, (_, group) =>
      allNames
        .slice(group * 16, group * 16 + 16)
        .map((name, at) => way(name, group + at))
        .join('&'),
    ),
  )
}

story(
  'odd ids, U+0000, broken encodings, lists and huge bodies are no fault of ours on any route',
  async (house) => {
    const tokens = await fill(house)
    const keys = await keysOf(house)
    await using folder = await fs.mkdtempDisposable(path.join(os.tmpdir(), 'broadsheet-odd-'))
    // With what the trial adds.
    const web = { ...house.ctx, config: { ...house.config, trial: true }, mailbox: new Mailbox(folder.path) }
    await using server = await listen(web)
    const routes = routesOf(web).toSorted((a, b) => Number(endsSession(a)) - Number(endsSession(b)))
    assert.ok(routes.length > 120, `only ${routes.length} routes were found`)
    const faults: string[] = []
    let asked = 0
    const ask = async (
      method: string,
      address: string,
      headers: http.OutgoingHttpHeaders = {},
      body?: string | Buffer,
    ) => {
      asked++
      const answer = await server.send(method, address, { ...keys, ...headers }, body)
      if (answer.status >= 500)
        faults.push(
          `${method} ${address.slice(0, 200)} ${String(body ?? '').slice(0, 100)}: ${answer.text.slice(0, 300)}`,
        )
    }
    for (const { method, path, slots } of routes) {
      const token = Object.entries(tokens).find(([door]) => path.startsWith(door))?.[1] ?? 'a=1'
      const kind = path.startsWith('/api') ? json : form
      for (const slot of slots)
        for (const odd of [...oddIds, ...oddTexts])
          await ask(method, addressOf(path, { [slot]: odd }), kind, path.startsWith('/api') ? '{}' : '')
      const address = addressOf(path)
      for (const query of oddQueries) await ask(method, `${address}?${token}&${query}`)
      for (const pairs of oddPairs()) {
        if (method === 'get') await ask(method, `${address}?${token}&${pairs}`)
        else await ask(method, address, form, `${token}&${pairs}`)
      }
      if (method === 'get') continue
      for (const body of oddForms) await ask(method, address, form, body && `${token}&${body}`)
      for (const body of oddJson) await ask(method, address, json, body)
      const nowhere = path.replace(/:\w+/g, '999999')
      await ask(method, nowhere, kind, Buffer.alloc(path.startsWith('/websub') ? 10_000_000 : 1_000_000, 'a'))
    }
    console.log(`seed ${seed}: ${asked} odd requests to ${routes.length} routes`)
    assert.deepEqual(faults, [])
  },
  // Thousands of requests: on one of the databases, the stricter if there is one.
  { on: process.env['TEST_DATABASE_URL'] ? 'postgres' : 'embedded', env: { FEED_ALLOW_HOSTS: '127.0.0.1:1' } },
)

const endsSession = ({ path }: Route) => path === '/admin/sign-out'

story('a push for a feed that doesn’t exist is answered before its body is read', async (house) => {
  await using server = await listen(house.ctx)
  const { port } = server
  const status = await new Promise((resolve, reject) => {
    const call = http.request({
      port,
      method: 'POST',
      path: '/websub/999999/key',
      headers: { 'Content-Length': 10_000_000 },
    })
    // Not a byte of the body has been sent.
    call
      .on('response', (response) => resolve(response.statusCode))
      .on('error', reject)
      .flushHeaders()
  })
  assert.equal(status, 410)
})
