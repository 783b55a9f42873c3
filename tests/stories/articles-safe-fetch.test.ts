// No private address is reached, however it is written and whoever points there: a listener on this machine counts connections.

import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { after, before, test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { type FetchOptions, safeFetch } from '../../src/articles/safe-fetch.ts'
import { type FeedServer, openFeedServer } from '../support/feed-server.ts'

let server: FeedServer
let listener: Server
let port = 0
let connections = 0

before(async () => {
  server = await openFeedServer()
  listener = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => {
    listener.listen(0, resolve)
  })
  port = (listener.address() as { port: number }).port
})
after(async () => {
  await server.close()
  listener.close()
})

const options = (more: Partial<FetchOptions> = {}): FetchOptions => ({ userAgent: 'test', allowHosts: [], ...more })

/** Ways to say an address of this machine or of its network. */
// prettier-ignore
const hosts = [
  '127.0.0.1', '127.1', '127.0.1', '127.255.255.254', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '017700000001',
  '0x7f.1', '127.0.0.1.', '0', '0.0.0.0', '0x0', '10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '0xa9fea9fe',
  '2852039166', '100.64.0.1', '192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1',
  '255.255.255.255', '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]',
  '[::ffff:0:127.0.0.1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fe80::1]', '[fc00::1]', '[fd00::1]', '[fec0::1]', '[ff02::1]',
  '[2001:db8::1]', '[100::1]', 'localhost', 'LOCALHOST', 'localhost.', '127。0。0。1', '１２７.0.0.1', '①27.0.0.1',
]

test('no spelling of a private address is reached, on its port or on a usual one', async () => {
  let tried = 0
  for (const host of hosts) {
    // The port would be refused anyway: with it allowed, only the address check is left.
    for (const url of [`http://${host}:${port}/feed`, `http://${host}/feed`, `https://${host}:443/`]) {
      const result = await safeFetch(url, options({ timeoutMs: 3000 }))
      assert.equal(result.outcome, 'failed', url)
      // Refused by us, not by whoever would have answered there.
      const reason = result.outcome === 'failed' ? result.reason : ''
      assert.match(
        reason,
        /not a public address|no public address|not one that feeds|has no address|not an address/,
        url,
      )
      tried++
    }
  }
  assert.ok(tried >= 60)
  assert.equal(connections, 0)
})

test('names that resolve to private addresses, or change their mind, are not reached', async () => {
  const flips = ['127.0.0.1', '::1', '10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', '0.0.0.0']
  for (const address of flips) {
    const lookup: FetchOptions['lookup'] = (_host, _options, callback) =>
      callback(null, [{ address, family: address.includes(':') ? 6 : 4 }])
    const result = await safeFetch('http://rebound.example/', options({ lookup, timeoutMs: 3000 }))
    assert.deepEqual(result, { outcome: 'failed', reason: 'rebound.example has no public address.' })
  }
  assert.equal(connections, 0)
})

test('a redirect from an allowed host to a private one is not followed, nor are files, other ports and loops', async () => {
  const allowed = options({ allowHosts: [server.host], timeoutMs: 3000 })
  const targets = [
    `http://127.0.0.1:${port}/`,
    `http://[::1]:${port}/`,
    `http://2130706433:${port}/`,
    `http://localhost:${port}/`,
    '//127.0.0.1/',
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'http://user:secret@news.example/',
    'http://news.example:22/',
    '/again',
  ]
  for (const target of targets) {
    server.answer = (_request, response) => response.writeHead(302, { location: target }).end()
    assert.equal((await safeFetch(`${server.origin}/feed`, allowed)).outcome, 'failed', target)
  }
  assert.equal(connections, 0)
})

test('bodies are bounded in size and time, before and after decompression, and gzip and br are read', async () => {
  const allowed = options({ allowHosts: [server.host], timeoutMs: 1500, mostBytes: 100_000 })
  const fetchWith = async (headers: Record<string, string>, body: Buffer) => {
    server.answer = (_request, response) => response.writeHead(200, headers).end(body)
    return safeFetch(`${server.origin}/feed`, allowed)
  }
  const text = Buffer.from('hello '.repeat(1000))
  for (const [coding, packed] of [
    ['gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    ['identity', text],
  ] as const) {
    const result = await fetchWith({ 'content-encoding': coding }, packed)
    assert.equal(result.outcome === 'fetched' && Buffer.from(result.bytes).equals(text), true, coding)
  }
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  for (const [headers, body] of [
    [{ 'content-encoding': 'gzip' }, bomb],
    [{ 'content-encoding': 'br' }, brotliCompressSync(Buffer.alloc(20_000_000))],
    [{}, Buffer.alloc(200_000)],
    [{ 'content-type': 'application/gzip' }, bomb],
  ] as const) {
    const result = await fetchWith(headers, body)
    assert.deepEqual(result, { outcome: 'failed', reason: 'It is larger than 10 MB.' })
  }
  const damaged = await fetchWith({ 'content-encoding': 'gzip' }, gzipSync(text).subarray(0, 40))
  assert.equal(damaged.outcome, 'failed')
  server.answer = (_request, response) => {
    response.writeHead(200)
    const drip = setInterval(() => response.write('.'), 100)
    response.on('close', () => clearInterval(drip))
  }
  const dripped = await safeFetch(`${server.origin}/feed`, allowed)
  assert.deepEqual(dripped, { outcome: 'failed', reason: 'It took longer than 1.5 s.' })
})
