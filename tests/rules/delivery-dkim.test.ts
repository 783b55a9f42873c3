import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { authenticate } from 'mailauth'
import { oversignedHeaders, signedHeaders } from '../../src/base/dkim.ts'
import { type Dkim, openDkim } from '../../src/delivery/dkim.ts'
import { buildMessage, makeMessageId } from '../../src/delivery/message.ts'
import type { Mail } from '../../src/delivery/composer.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed25519 = generateKeyPairSync('ed25519')
const pem = (key: typeof rsa.privateKey) => key.export({ type: 'pkcs8', format: 'pem' }) as string
const zone: Record<string, string> = {
  's1._domainkey.news.example/TXT': `v=DKIM1; k=rsa; p=${rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`,
  's2._domainkey.news.example/TXT': `v=DKIM1; k=ed25519; p=${Buffer.from(ed25519.publicKey.export({ format: 'jwk' }).x!, 'base64url').toString('base64')}`,
  '_dmarc.news.example/TXT': 'v=DMARC1; p=reject',
}
const resolver = async (name: string, type: string) => {
  const record = zone[`${name}/${type}`]
  if (!record) throw Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' })
  return [[record]]
}

const mail: Mail = {
  from: { name: 'Die Zeitung „Größe“', address: 'news@news.example' },
  replyTo: { name: 'The editors', address: 'editors@news.example' },
  subject: 'Über die Grenzen: 3 Geschichten 🐋 and a long tail of words that has to be folded somewhere on its way',
  headers: [
    ['List-Id', 'The Gazette <digest.news.example>'],
    ['List-Unsubscribe', '<https://news.example/unsubscribe?token=abc>, <mailto:unsubscribe@bounces.news.example>'],
    ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
    ['List-Archive', '<https://news.example/archive>'],
    ['List-Help', '<https://news.example/>'],
    ['Feedback-ID', '17:digest:gazette'],
    ['Auto-Submitted', 'auto-generated'],
    ['X-Auto-Response-Suppress', 'OOF, AutoReply'],
    ['X-Broadsheet-Delivery', 'b-9ix-abcdefghijklmnopqrst'],
  ],
  contentType: 'multipart/alternative; boundary="=_abc"',
  body: [
    Buffer.from('--=_abc\r\nContent-Type: text/plain\r\n\r\nHello  there, \t\r\n'),
    Buffer.from('.a dot begins this line   \r\n\r\n'),
    Buffer.from(`${'A shared story, longer than a personal one.  '.repeat(10).replaceAll('  ', ' \r\n')}\r\n`),
    Buffer.from('cut in the '),
    Buffer.from('middle\r\n--=_abc--\r\n\r\n\r\n'),
  ],
  htmlBytes: 0,
}

const build = async (dkim: Dkim | null, changed: Partial<Mail> = {}) => {
  const delivery = {
    recipient: 'ada@example.org',
    messageId: makeMessageId(12_345, 'cafe0123', 'news@news.example'),
    date: new Date('2026-11-23T05:43:08Z'),
  }
  // On the wire a leading dot is doubled; the receiving server takes it away again.
  const wire = Buffer.concat(await buildMessage({ ...mail, ...changed }, delivery, dkim)).toString('latin1')
  return wire.replace(/\r\n\.\./g, '\r\n.')
}

const verify = async (message: string) => {
  const result = await authenticate(Buffer.from(message, 'latin1'), {
    ip: '127.0.0.1',
    helo: 'news.example',
    sender: 'b@news.example',
    mta: 'mx.local',
    resolver,
  })
  return {
    dkim: result.dkim.results.map((each: { status: { result: string } }) => each.status.result),
    dmarc: (result.dmarc as { status?: { result?: string } } | false) || null,
  }
}

const openWith = (keys: { selector: string; key: typeof rsa.privateKey }[], leaveOut: string[] = []) =>
  openDkim({
    domain: 'news.example',
    keys: keys.map(({ selector, key }) => ({ selector, pem: pem(key) })),
    leaveOut,
  })!

/** Above all others, or below them. */
const above = (message: string, line: string) => `${line}\r\n${message}`
const below = (message: string, line: string) => message.replace(/\r\n\r\n/, `\r\n${line}\r\n\r\n`)

describe('DKIM', () => {
  const dkim = openWith([{ selector: 's1', key: rsa.privateKey }])
  after(() => dkim.signer.close())
  const passes = async (message: string, why = '') => assert.deepEqual((await verify(message)).dkim, ['pass'], why)
  const breaks = async (message: string, why = '') => assert.notDeepEqual((await verify(message)).dkim, ['pass'], why)

  it('an independent verifier passes it, and DMARC is aligned', async () => {
    const { dkim: results, dmarc } = await verify(await build(dkim))
    assert.deepEqual(results, ['pass'])
    assert.equal(dmarc?.status?.result, 'pass')
  })

  for (const name of [...oversignedHeaders, ...signedHeaders].filter((each) => each !== 'Cc'))
    it(`${name} altered or removed breaks it`, async () => {
      const message = await build(dkim)
      const altered = message.replace(new RegExp(`^(${name}:\\s+.)`, 'm'), '$1x')
      assert.notEqual(altered, message)
      await breaks(altered)
      const removed = message.replace(new RegExp(`^${name}:.*\r\n([ \t].*\r\n)*`, 'm'), '')
      assert.notEqual(removed, message)
      await breaks(removed)
    })

  for (const name of oversignedHeaders)
    it(`a second ${name}, or one where there is none, breaks it, above or below the others`, async () => {
      const withAll = await build(dkim)
      const without = await build(dkim, { replyTo: null, headers: [] })
      for (const message of [withAll, without]) {
        await passes(message)
        await breaks(above(message, `${name}: evil`))
        await breaks(below(message, `${name}: evil`))
      }
    })

  it('a header that is signed where present can be added where there is none', async () => {
    const message = await build(dkim, { headers: [] })
    for (const name of signedHeaders.filter((each) => each !== 'Message-ID' && each !== 'Date'))
      for (const added of [above(message, `${name}: <x>`), below(message, `${name}: <x>`)]) await passes(added, name)
  })

  it('what relays, lists and receivers add and refold does not break it', async () => {
    const message = await build(dkim)
    const added = [
      'Received: from a.example (a.example [192.0.2.1])\r\n\tby b.example; Mon, 23 Nov 2026 05:43:09 +0000',
      'Return-Path: <b-1-x@bounces.news.example>',
      'Sender: relay@relay.example',
      'Message-ID: <relay.made@relay.example>',
      'Date: Mon, 23 Nov 2026 06:00:00 +0000',
      'List-Id: <list.relay.example>',
      'List-Archive: <https://relay.example/archive>',
      'List-Owner: <mailto:owner@relay.example>',
      'Feedback-ID: 1.eu-west-1.abc:AmazonSES',
      'Auto-Submitted: auto-generated',
      'Authentication-Results: mx.example; dkim=pass',
      'ARC-Seal: i=1; a=rsa-sha256; cv=none',
      'DKIM-Filter: OpenDKIM',
      'X-Mailer: relay',
      'X-SES-Outgoing: 2026.11.23-192.0.2.1',
      'Content-Language: en',
      'Delivered-To: ada@example.org',
      'Resent-From: ada@example.org',
    ]
    let all = message
    for (const line of added) {
      await passes(above(message, line), line)
      all = above(all, line)
    }
    await passes(all)
    // RFC 6376 reads from below, so only what stands there and is signed can't be doubled.
    for (const line of added.filter((each) => !/^(Message-ID|Date|List-Id|List-Archive|Feedback-ID|Auto-)/.test(each)))
      await passes(below(message, line), line)
    const head = message.slice(0, message.indexOf('\r\n\r\n'))
    const unfolded = head.replace(/\r\n[ \t]+/g, ' ')
    await passes(unfolded + message.slice(head.length), 'unfolded')
    await passes(head.replace(/\r\n /g, '\r\n\t') + message.slice(head.length), 'folded with tabs')
    await passes(
      head.replace(/^[\w-]+:/gm, (name) => name.toLowerCase()) + message.slice(head.length),
      'names in lower case',
    )
  })

  it('what a relay replaces can be left out, and is then free to change', async () => {
    const lenient = openWith([{ selector: 's1', key: rsa.privateKey }], ['message-id', 'date'])
    const message = await build(lenient)
    const replaced = message
      .replace(/^Message-ID: .*/m, 'Message-ID: <0102018@eu-west-1.amazonses.com>')
      .replace(/^Date: .*/m, 'Date: Mon, 23 Nov 2026 06:00:00 +0000')
    assert.notEqual(replaced, message)
    await passes(replaced)
    await breaks(message.replace(/^Subject: =/m, 'Subject: x='))
    assert.doesNotMatch(/\bh=([^;]*);/.exec(message)![1]!, /message-id|date/)
    await lenient.signer.close()
  })

  it('Sender is never signed, and no line of the signature is too long', async () => {
    const long = openDkim({
      domain: 'news.example',
      keys: [{ selector: 'a-selector-with-a-long-name-of-the-year-2026.and-of-a-provider', pem: pem(rsa.privateKey) }],
      leaveOut: [],
    })!
    const message = await build(long, { headers: [['Sender', 'relay@news.example']] })
    const [field] = /^DKIM-Signature:.*\r\n([ \t].*\r\n)*/m.exec(message)!
    for (const line of field.split('\r\n')) assert.ok(line.length <= 78, line)
    assert.doesNotMatch(field, /sender/i)
    zone['a-selector-with-a-long-name-of-the-year-2026.and-of-a-provider._domainkey.news.example/TXT'] =
      zone['s1._domainkey.news.example/TXT']!
    await passes(message)
    await long.signer.close()
  })

  it('a changed body breaks it; white space at line ends does not, as relaxed canonicalisation has it', async () => {
    const message = await build(dkim)
    assert.deepEqual(
      (await verify(message.replace('Hello', 'Hullo'))).dkim,
      ['fail'].map(() => 'neutral'),
    )
    assert.deepEqual((await verify(message.replace('there, \t\r\n', 'there,\r\n'))).dkim, ['pass'])
  })

  it('two keys give two signatures that both pass: RSA and Ed25519, or the old and the new of a rotation', async () => {
    const both = openWith([
      { selector: 's1', key: rsa.privateKey },
      { selector: 's2', key: ed25519.privateKey },
    ])
    assert.deepEqual((await verify(await build(both))).dkim, ['pass', 'pass'])
    await both.signer.close()
  })

  it('passes whatever the subject and the body are', async () => {
    const odd = [
      '',
      ' ',
      'a  b\tc',
      '=?utf-8?q?fake?=',
      'x'.repeat(300),
      '日本語の見出し'.repeat(12),
      'ends with space ',
    ]
    for (const subject of odd)
      for (const body of [
        [],
        [Buffer.from('\r\n\r\n')],
        [Buffer.from(' \t \r\n')],
        [Buffer.from('a\r\n'), Buffer.from('\r\n'), Buffer.from('b\r\n')],
      ])
        assert.deepEqual((await verify(await build(dkim, { subject, body }))).dkim, ['pass'], JSON.stringify(subject))
  })
})
