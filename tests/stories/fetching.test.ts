// What the fetcher reaches, and how much it takes. A listener on loopback stands for everything inside: nobody may connect to it
// unless FEED_ALLOW_HOSTS names it.

import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type LookupFunction } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { parseFeed } from '../../src/articles/feed-formats.ts'
import { type FetchOptions, isPublicAddress, safeFetch } from '../../src/articles/safe-fetch.ts'
import { type FeedServer, openFeedServer } from '../support/feed-server.ts'

let server: FeedServer
let inside: ReturnType<typeof createServer>
let insidePort = 0
let connections = 0

before(async () => {
  server = await openFeedServer()
  inside = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => {
    inside.listen(0, '127.0.0.1', resolve)
  })
  insidePort = (inside.address() as AddressInfo).port
})
after(async () => {
  await server.close()
  inside.close()
})
beforeEach(() => {
  connections = 0
  server.requests.length = 0
})

const options = (more: Partial<FetchOptions> = {}): FetchOptions => ({
  userAgent: 'tests',
  allowHosts: [server.host],
  timeoutMs: 5000,
  ...more,
})

async function reasonFor(url: string, more: Partial<FetchOptions> = {}): Promise<string> {
  const result = await safeFetch(url, options(more))
  assert.equal(result.outcome, 'failed', `${url} was fetched`)
  return result.outcome === 'failed' ? result.reason : ''
}

const insideSpellings = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '017700000001',
  '0.0.0.0',
  '0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '198.18.0.1',
  '192.0.2.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '127.0.0.1.',
  '１２７.0.0.1',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[fe80::1]',
  '[fd00::1]',
  '[ff02::1]',
  '[2001:db8::1]',
]

/** A header is ASCII; brackets stay. */
const moved = (url: string) => encodeURI(url).replaceAll('%5B', '[').replaceAll('%5D', ']')

test('no spelling of a private address is fetched, on any port, directly or by a redirect', async () => {
  for (const host of insideSpellings) {
    assert.match(await reasonFor(`http://${host}/`), /not a public address/, host)
    await reasonFor(`http://${host}:${insidePort}/`)
    await reasonFor(`https://${host}:${insidePort}/`)
    server.answer = (_request, response) =>
      response.writeHead(302, { location: moved(`http://${host}:${insidePort}/`) }).end()
    await reasonFor(`${server.origin}/moved`)
    server.answer = (_request, response) => response.writeHead(301, { location: moved(`http://${host}/`) }).end()
    assert.match(await reasonFor(`${server.origin}/moved`), /not a public address/, host)
  }
  assert.equal(connections, 0)
})

test('a name is looked up where the socket is opened: private answers are not connected to, whenever they come', async () => {
  const answers = ['127.0.0.1', '::1', '10.1.2.3', '169.254.169.254', '::ffff:127.0.0.1', 'fd00::1']
  for (const address of answers) {
    const lookup = ((_host, _options, callback) =>
      callback(null, [{ address, family: address.includes(':') ? 6 : 4 }])) as LookupFunction
    assert.match(await reasonFor('http://feeds.news.example/', { lookup }), /no public address/, address)
  }
  // A resolver that changes its mind after the first question gets no second one to answer before the socket opens.
  let asked = 0
  const flipping = ((_host, _options, callback) => {
    asked++
    callback(null, [{ address: asked % 2 ? '127.0.0.1' : '10.0.0.1', family: 4 }])
  }) as LookupFunction
  server.answer = (_request, response) => response.writeHead(302, { location: 'http://rebound.example/' }).end()
  assert.match(await reasonFor(`${server.origin}/`, { lookup: flipping }), /no public address/)
  assert.equal(asked, 1)
  assert.match(await reasonFor(`http://localhost/`), /no public address|not a public address/)
  assert.equal(connections, 0)
})

test('other schemes, ports and addresses with a password are refused', async () => {
  for (const url of [
    'file:///etc/passwd',
    'gopher://news.example/',
    'data:text/xml,<rss/>',
    'ftp://news.example/',
    'x',
  ])
    await reasonFor(url)
  for (const port of [22, 25, 5432, 6379, 8080])
    assert.match(await reasonFor(`http://news.example:${port}/`), /[Pp]ort/)
  assert.match(await reasonFor('http://user:secret@news.example/'), /password/)
  server.answer = (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end()
  await reasonFor(server.origin)
})

test('an allowed host counts with its port only, and six redirects are one too many', async () => {
  await reasonFor(`http://127.0.0.1:${insidePort}/`)
  server.answer = (request, response) => {
    const left = Number(request.url!.slice(1))
    if (left > 0) response.writeHead(302, { location: `/${left - 1}` }).end()
    else response.end('here')
  }
  const five = await safeFetch(`${server.origin}/5`, options())
  assert.equal(five.outcome === 'fetched' && Buffer.from(five.bytes).toString(), 'here')
  assert.match(await reasonFor(`${server.origin}/6`), /redirects more than 5/)
  assert.equal(connections, 0)
})

test('a body without end, a bomb and a drip are cut off', async () => {
  server.answer = (_request, response) => {
    const chunk = Buffer.alloc(65_536, 97)
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', more)
    more()
  }
  assert.match(await reasonFor(server.origin), /larger than 10 MB/)

  const zeros = Buffer.alloc(11_000_000)
  for (const [coding, bytes] of [
    ['gzip', gzipSync(zeros)],
    ['br', brotliCompressSync(zeros)],
    ['gzip, gzip', gzipSync(gzipSync(zeros))],
  ] as const) {
    server.answer = (_request, response) => response.writeHead(200, { 'content-encoding': coding }).end(bytes)
    assert.match(await reasonFor(server.origin), /larger than 10 MB/, coding)
  }

  let drip: NodeJS.Timeout | undefined
  server.answer = (_request, response) => {
    drip = setInterval(() => response.write('x'), 20)
  }
  assert.match(await reasonFor(server.origin, { timeoutMs: 300 }), /took longer than 0.3/)
  clearInterval(drip)
  server.answer = () => {}
  assert.match(await reasonFor(server.origin, { timeoutMs: 300 }), /took longer|in time/)
})

test('what is cut off or wrongly packed is a failure with a reason, not an exception', async () => {
  server.answer = (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('a'.repeat(5000)).subarray(0, 20))
  assert.match(await reasonFor(server.origin), /damaged/)
  server.answer = (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('half')
    response.destroy()
  }
  assert.match(await reasonFor(server.origin), /cut|could not/)
})

// Each of these took minutes, or would have, where something grew with the square of the document.
test('entity bombs, outside entities, deep nests and unclosed tags get nothing', () => {
  const levels = Array.from({ length: 10 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('')
  const item = (text: string) => `<rss version="2.0"><channel><item><title>${text}</title></item></channel></rss>`
  for (const document of [
    `<!DOCTYPE rss [<!ENTITY l0 "ha">${levels}]>${item('&l10;')}`,
    `<!DOCTYPE rss [<!ENTITY a "${'a'.repeat(100_000)}">]>${item('&a;'.repeat(50_000))}`,
    `<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/passwd">]>${item('&f;')}`,
    `<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd"> %p;]>${item('x')}`,
    `${'<a>'.repeat(200_000)}`,
    `<rss><channel></channel></rss>${'<a>'.repeat(200_000)}`,
    `<rss><channel>${'<item>'.repeat(1_000_000)}`,
    `<rss><channel><item><title>x</title><description><![CDATA[${'<form><p>'.repeat(100_000)}]]></description></item></channel></rss>`,
  ]) {
    const reading = parseFeed(Buffer.from(document))
    const text = JSON.stringify(reading)
    assert.ok(text.length < 20_000, `${document.slice(0, 60)} grew`)
    assert.doesNotMatch(text, /root:/)
  }
})

test('public addresses are public', () => {
  for (const address of ['8.8.8.8', '93.184.216.34', '2606:2800:220:1::1', '::ffff:8.8.8.8'])
    assert.equal(isPublicAddress(address), true, address)
})
