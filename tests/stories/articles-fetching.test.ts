// What the fetcher reaches, and how much it takes. A listener on loopback stands for everything inside: nobody may connect to it
// unless FEED_ALLOW_HOSTS names it.

import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type LookupFunction } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import net from 'node:net'
import { createServer as createTlsServer } from 'node:https'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { parseFeed } from '../../src/articles/feed-formats.ts'
import { inWords } from '../../src/articles/fetch-errors.ts'
import { type FetchOptions, isPublicAddress, safeFetch } from '../../src/articles/safe-fetch.ts'
import { type FeedServer, openFeedServer, rss } from '../support/feed-server.ts'
import { readCertificate } from '../support/tls-relay.ts'

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

test('a feed is read whatever its Content-Encoding says of it', async () => {
  const document = rss([{ title: 'Harbour reopens', link: 'https://lantern.example/1' }])
  const bodies: Record<string, Buffer> = {
    plain: Buffer.from(document),
    'with a mark': Buffer.from(`\ufeff\n${document}`),
    'UTF-16': Buffer.from(`\ufeff${document}`, 'utf16le'),
    JSON: Buffer.from('{"version":"https://jsonfeed.org/version/1.1","title":"The Lantern","items":[]}'),
    gzip: gzipSync(document),
    zlib: deflateSync(document),
    zstd: zstdCompressSync(document),
  }
  const unmarked: Record<string, Buffer> = { br: brotliCompressSync(document), deflate: deflateRawSync(document) }
  const codings = ['gzip', 'x-gzip', 'br', 'deflate', 'zstd', 'identity', 'none', 'utf-8', 'gzip, br', 'GZIP', '']
  const cases = [
    ...codings.flatMap((coding) => Object.entries(bodies).map(([name, body]) => ({ coding, name, body }))),
    ...Object.entries(unmarked).map(([coding, body]) => ({ coding, name: coding, body })),
  ].filter(({ coding, name }) => !/^(identity|none|utf-8|)$/.test(coding) || !/^(zlib|zstd)$/.test(name))
  for (const { coding, name, body } of cases) {
    server.answer = (_request, response) => response.writeHead(200, { 'content-encoding': coding }).end(body)
    const result = await safeFetch(server.origin, options())
    const what = `${name}, announced as “${coding}”`
    assert.equal(result.outcome, 'fetched', `${what}: ${JSON.stringify(result)}`)
    const reading = parseFeed((result as { bytes: Uint8Array }).bytes)
    assert.equal(reading.outcome === 'feed' && reading.feed.title, 'The Lantern', what)
  }
})

test('why nothing could be fetched is a sentence without the codes of libraries', async () => {
  const raw = async (answer: string | null): Promise<[string, net.Server]> => {
    const listener = net.createServer((socket) => {
      socket.on('error', () => {})
      if (answer === null) socket.destroy()
      else socket.once('data', () => socket.end(answer))
    })
    await new Promise<void>((resolve) => {
      listener.listen(0, '127.0.0.1', resolve)
    })
    return [`127.0.0.1:${(listener.address() as AddressInfo).port}`, listener]
  }
  const secure = async (certificate: string): Promise<[string, net.Server]> => {
    const listener = createTlsServer({ key: readCertificate('key'), cert: readCertificate(certificate) })
    await new Promise<void>((resolve) => {
      listener.listen(0, '127.0.0.1', resolve)
    })
    return [`localhost:${(listener.address() as AddressInfo).port}`, listener]
  }
  const [closed, closing] = await raw('')
  closing.close()
  const noName = (code: string) =>
    ((_host, _options, callback) => callback(Object.assign(new Error(code), { code }), '', 4)) as LookupFunction
  const cases: [string, RegExp, Promise<[string, net.Server]> | null, Partial<FetchOptions>?][] = [
    [`http://${closed}/`, /refuses the connection/, null, { allowHosts: [closed] }],
    ['http://a.example/', /no address/, null, { lookup: noName('ENOTFOUND') }],
    ['http://b.example/', /no address/, null, { lookup: noName('EAI_AGAIN') }],
    ['http://c.example/', /in time/, null, { lookup: noName('ETIMEDOUT') }],
    ['http://d.example/', /no way/, null, { lookup: noName('ENETUNREACH') }],
    ['http://e.example/', /could not be fetched/, null, { lookup: noName('ESOMETHINGNEW') }],
    ['http://', /not HTTP/, raw('SSH-2.0-OpenSSH_9.6\r\n')],
    ['http://', /cut/, raw(null)],
    ['http://', /too long/, raw(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`)],
    ['https://', /No secure connection/, raw('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['https://', /somebody whom we don’t know|signed its certificate itself/, secure('unknown')],
    ['https://', /certificate/, secure('expired')],
    ['https://', /certificate/, secure('elsewhere')],
  ]
  for (const [url, expected, listening, more] of cases) {
    const [host, listener] = (await listening) ?? ['', null]
    const reason = await reasonFor(host ? `${url}${host}/` : url, host ? { allowHosts: [host] } : more).finally(() =>
      listener?.close(),
    )
    assert.match(reason, expected, url)
    assert.doesNotMatch(reason, /[A-Z]{3,}_|\bE[A-Z]{4,}\b|undici|HPE/, reason)
    assert.match(reason, /^[A-Z].*\.$/s)
  }
})

test('what the codes of libraries mean is in one table', () => {
  const sentence = (code: string) => inWords(Object.assign(new Error(code), { code }))
  for (const [code, expected] of [
    ['CERT_HAS_EXPIRED', /has expired/],
    ['CERT_NOT_YET_VALID', /not valid yet/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another host name/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /signed its certificate itself/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /signed its certificate itself/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /don’t know/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /don’t know/],
    ['CERT_REVOKED', /revoked/],
    ['UND_ERR_CONNECT_TIMEOUT', /in time/],
    ['UND_ERR_HEADERS_TIMEOUT', /in time/],
    ['UND_ERR_SOCKET', /cut/],
    ['UND_ERR_HEADERS_OVERFLOW', /too long/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /No secure connection/],
    ['EHOSTUNREACH', /no way/],
  ] as const)
    assert.match(sentence(code), expected, code)
  // One attempt for each address of a host; what caused it lies inside.
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
  assert.match(inWords(new AggregateError([refused, refused])), /refuses the connection/)
  assert.match(inWords(new TypeError('fetch failed', { cause: refused })), /refuses the connection/)
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
