import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { authenticate } from 'mailauth'
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
    ['Feedback-ID', '17:digest:gazette'],
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

describe('DKIM', () => {
  const dkim = openDkim({ domain: 'news.example', selector: 's1', privateKey: pem(rsa.privateKey) })!
  after(() => dkim.signer.close())

  it('an independent verifier passes it, and DMARC is aligned', async () => {
    const { dkim: results, dmarc } = await verify(await build(dkim))
    assert.deepEqual(results, ['pass'])
    assert.equal(dmarc?.status?.result, 'pass')
  })

  const signed = [
    'From',
    'To',
    'Subject',
    'Date',
    'Message-ID',
    'Reply-To',
    'List-Id',
    'List-Unsubscribe',
    'List-Unsubscribe-Post',
    'Feedback-ID',
    'MIME-Version',
    'Content-Type',
  ]
  for (const name of signed) {
    it(`${name} altered breaks it`, async () => {
      const message = await build(dkim)
      const altered = message.replace(new RegExp(`^(${name}: .)`, 'm'), '$1x')
      assert.notEqual(altered, message)
      assert.notDeepEqual((await verify(altered)).dkim, ['pass'])
    })
    it(`a second ${name} breaks it, above or below the first`, async () => {
      const message = await build(dkim)
      const line = `${name}: evil\r\n`
      const above = `${line}${message}`
      const below = message.replace(/\r\n\r\n/, `\r\n${line}\r\n`)
      for (const doubled of [above, below]) assert.notDeepEqual((await verify(doubled)).dkim, ['pass'])
    })
  }

  it('headers that the mail has not can not be added', async () => {
    const message = await build(dkim, { replyTo: null, headers: [] })
    assert.deepEqual((await verify(message)).dkim, ['pass'])
    for (const line of ['Reply-To: evil@example.org', 'List-Unsubscribe: <https://evil.example>'])
      assert.notDeepEqual((await verify(`${line}\r\n${message}`)).dkim, ['pass'])
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
    const both = openDkim({
      domain: 'news.example',
      selector: 's1, s2',
      privateKey: `${pem(rsa.privateKey)}\n${pem(ed25519.privateKey)}`,
    })!
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
