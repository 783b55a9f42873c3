// How much a page weighs on the wire, and how long its parts are kept.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { createServer } from '../../src/web/server.ts'
import { type House, story } from '../support/house.ts'
import { openConsole } from '../support/keys.ts'
import { addCategories, addStory } from '../support/newsroom.ts'

interface Answer {
  headers: http.IncomingHttpHeaders
  body: Buffer
}

/** As a browser gets it: compressed bytes stay compressed. */
async function raw(house: House, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const server = http.createServer(createServer(house.ctx)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const request = http.get({
      port: (server.address() as AddressInfo).port,
      path,
      headers: { host: 'news.example', 'accept-encoding': 'gzip', ...headers },
    })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    return { headers: response.headers, body: Buffer.concat(await Array.fromAsync(response)) }
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

story('pages go out compressed, and none weighs more than 40 kB', async (house) => {
  const categories = await addCategories(house.db, 'politics', 'world', 'business', 'investing')
  for (let n = 0; n < 80; n++)
    await addStory(house.ctx, `A headline of some length that tells what happened, number ${n}`, [categories[n % 4]!])
  const { cookie } = await openConsole(house)
  for (const path of ['/', '/archive', '/embed', '/privacy', '/terms', '/admin', '/admin/articles']) {
    const { headers, body } = await raw(house, path, { cookie: String(cookie) })
    assert.equal(headers['content-encoding'], 'gzip', path)
    assert.ok(body.length <= 40_000, `${path}: ${body.length}`)
    const page = gunzipSync(body).toString()
    for (const address of [...page.matchAll(/(?:href|src)="(\/(?:assets\/|theme)[^"]+)"/g)].map((match) => match[1]!)) {
      const part = await raw(house, address)
      assert.equal(part.headers['cache-control'], 'public, max-age=31536000, immutable', address)
      assert.ok(part.body.length <= 40_000, `${address}: ${part.body.length}`)
    }
  }
})

story('a part that is asked for without its fingerprint is kept for an hour', async (house) => {
  for (const address of ['/assets/broadsheet.css', '/theme.css'])
    assert.equal((await raw(house, address)).headers['cache-control'], 'public, max-age=3600')
})
