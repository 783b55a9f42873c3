// Thousands of requests made from the OpenAPI document, the valid and the broken: nothing fails, nothing is answered that the
// document doesn't declare, and nothing that it calls valid is called malformed. TEST_SEED plays a run again.

import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { addFeed } from '../../src/articles/feeds.ts'
import { pushArticles } from '../../src/articles/push.ts'
import { suppressAddress } from '../../src/subscribers/suppression.ts'
import { createServer } from '../../src/web/server.ts'
import type { Answer } from '../support/api-answers.ts'
import { apiAnswers } from '../support/checked-web.ts'
import { type ApiRequest, brokenRequests, type Known, validRequests } from '../support/api-requests.ts'
import { story, type House } from '../support/house.ts'
import { openApi } from '../support/keys.ts'
import { addReader, addStory, tick } from '../support/newsroom.ts'
import { addCategories } from '../support/readers.ts'
import { seedOf } from '../support/seed.ts'

const seed = seedOf('API_SEED')
/** Of each operation, valid and broken ones each. */
const runs = Number(process.env['API_RUNS'] ?? 25)

/** Nothing listens there: what fetches it fails at once. */
const closedPort = 'http://127.0.0.1:1'

async function fillTables(house: House): Promise<Known> {
  const { ctx } = house
  await addCategories(house)
  for (const title of ['A', 'B', 'C']) await addStory(ctx, title, [1, 2, 3])
  const article = { id: 'p-1', title: 'Pushed', link: 'https://news.example/pushed', categories: ['politics'] }
  await pushArticles(ctx, [article])
  for (const name of ['ada', 'bob', 'eve'])
    await addReader(ctx, { email: `${name}@mail.example`, choice: { 1: 'daily', 2: 'weekly' } })
  for (const path of ['a', 'b']) await addFeed(ctx, { url: `${closedPort}/${path}`, categories: ['politics'] })
  await suppressAddress(ctx, { email: 'no@mail.example', key: 'no@mail.example' }, 'complaint')
  const api = await openApi(house)
  for (const kind of ['manual', 'announcement'])
    await api('post', '/editions').send(kind === 'manual' ? { kind } : { kind, subject: 'Hello', body: 'We moved.' })
  await tick(ctx)
  const { items } = (await api('get', '/suppressions')).body as { items: { id: string }[] }
  const addresses = ['ada@mail.example', 'new@mail.example', 'no@mail.example']
  const slugs = ['politics', 'world-news', 'business']
  return {
    texts: [...slugs, ...addresses, items[0]!.id, 'p-1', 'Europe/Berlin', 'pt-BR', 'edition:1', '3', '1700000000000-9'],
    ids: [1, 2, 3],
    only: {
      url: [`${closedPort}/a`, `${closedPort}/new`, 'http://10.0.0.1/', 'feed://[::1]/x', 'https://news.example:8080/'],
    },
  }
}

async function listen(house: House) {
  const server = http.createServer(createServer(house.ctx)).listen(0, '127.0.0.1')
  const agent = new http.Agent({ keepAlive: true })
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    /** As it stands: no client that would tidy up the address or the body. */
    send: (key: string, { method, path, headers, body = '' }: ApiRequest): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const given = { Authorization: `Bearer ${key}`, 'Content-Length': Buffer.byteLength(body), ...headers }
        const call = http.request({ port, method, path: `/api/v1${path}`, headers: given, agent })
        call.on('response', (response) => {
          const { statusCode: status, headers } = response
          text(response).then((text) => resolve({ status: status!, headers, text }), reject)
        })
        call.on('error', reject).end(body)
      }),
    async [Symbol.asyncDispose]() {
      agent.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

story(
  `every request of a program is answered as the document says (seed ${seed})`,
  async (house) => {
    const known = await fillTables(house)
    const { key } = await openApi(house)
    const answers = apiAnswers(house.config)
    const { document } = answers
    const counts = new Map<number, number>()
    const failures: Error[] = []
    await using server = await listen(house)
    const ask = async (request: ApiRequest) => {
      const answer = await server.send(key, request)
      counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
      const body = request.body instanceof Buffer ? request.body.toString() : request.body
      answers.check({ method: request.method, path: request.path, body }, answer)
      assert.ok(answer.status < 500, answer.text)
      return answer
    }
    const holds = (requests: fc.Arbitrary<ApiRequest>, check: (request: ApiRequest, answer: Answer) => void) =>
      fc
        .assert(
          fc.asyncProperty(requests, async (request) => check(request, await ask(request))),
          { seed, numRuns: runs, endOnFailure: true },
        )
        .catch((error: Error) => failures.push(error))
    for (const [path, item] of Object.entries(document.paths))
      for (const method of Object.keys(item)) {
        await holds(validRequests(document, known, path, method), (_request, { status, text }) =>
          assert.ok(![400, 401, 403, 405, 413, 415].includes(status), `a valid request was refused: ${text}`),
        )
        const schema = ['paths', path, method, 'requestBody', 'content', 'application/json', 'schema']
        const isBodyValid = item[method]!.requestBody ? answers.validator(schema) : () => true
        await holds(brokenRequests(document, known, path, method), (request, { status }) => {
          if (request.method === method.toUpperCase() && status < 300)
            assert.ok(isBodyValid(jsonOf(request.body)), 'a body was taken that isn’t as declared')
        })
      }
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    console.log(`seed ${seed}: ${total} requests, by status ${JSON.stringify(Object.fromEntries(counts))}`)
    if (failures.length > 0)
      throw new Error(failures.map((error) => `${error.message}\n${String(error.cause)}`).join('\n\n'))
    for (const status of [200, 201, 202, 204, 400, 404, 405, 409, 415])
      assert.ok(counts.has(status), `no request was answered ${status}: the generator doesn't reach far enough`)
  },
  { env: { FEED_ALLOW_HOSTS: '127.0.0.1:1' } },
)

function jsonOf(body: ApiRequest['body']): unknown {
  try {
    // A byte order mark may be ignored (RFC 8259 §8.1), and is.
    return JSON.parse(String(body).replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}
