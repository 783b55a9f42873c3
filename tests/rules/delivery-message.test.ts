import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { parseMailbox } from '../../src/base/mailbox.ts'
import { readReturnPath, readUnsubscribeAddress } from '../../src/delivery/return-path.ts'
import { encodeText, formatMailbox } from '../../src/delivery/header-text.ts'
import { rfcDate } from '../../src/base/dates.ts'
import { buildMessage, makeMessageId } from '../../src/delivery/message.ts'
import { fixedListHeaders, listHeaders } from '../../src/mails/list-headers.ts'
import { readConfig } from '../../src/base/config.ts'
import { plainMail } from '../support/sending.ts'

const delivery = {
  recipient: 'ada@example.org',
  messageId: '<1.x@news.example>',
  date: new Date('2026-11-03T05:03:08Z'),
}
const build = async (changed: object) =>
  Buffer.concat(await buildMessage({ ...plainMail('ada@example.org', 'Hello'), ...changed }, delivery, null)).toString(
    'latin1',
  )

/** The text as subject, sender's name and name of Reply-To: given back, in lines that any server takes. */
async function assertKept(text: string): Promise<void> {
  const message = await build({
    subject: text,
    from: { name: text, address: 'news@news.example' },
    replyTo: { name: text, address: 'a.rather.long.local.part.of.an.address@editors.of.the.news.example' },
  })
  const parsed = await PostalMime.parse(message)
  assert.equal(parsed.subject ?? '', text)
  if (text) assert.equal(parsed.from?.name, text)
  if (text) assert.equal(parsed.replyTo?.[0]?.name, text)
  assert.equal(parsed.from?.address, 'news@news.example')
  const head = message.slice(0, message.indexOf('\r\n\r\n'))
  assert.match(head, /^[\x20-\x7e\r\n]*$/)
  for (const line of head.split('\r\n')) {
    assert.ok(line.length <= 78 || /^ \S+$/.test(line), line)
    assert.match(line, /\S/)
  }
}

describe('a message', () => {
  const texts = [
    'Plain words',
    'Grüße aus Köln — „heute“',
    'Übermäßig viele ganz besonders lange Wörter mit Umlauten, die gefaltet werden müssen, damit es passt',
    '🐋'.repeat(40),
    '日本語の見出しがとても長いときにどうなるか'.repeat(4),
    'A quote " and a backslash \\ and <angle> brackets, and a comma',
    '=?utf-8?B?SGFsbG8=?= is shown as written',
    'broken =?utf-8?X?words?= and =?utf-8?Q?a b?= too',
    'word '.repeat(40).trim(),
    'two  spaces  between  Größe  and  Maße',
    'two  spaces  between plain words',
    `two${' '.repeat(100)}words`,
    'x'.repeat(300),
    `${'x'.repeat(71)} ${'y'.repeat(80)}`,
    'https://news.example/a?b=c_d=20',
    '?=',
    '"'.repeat(60),
    '"',
    'Name (a comment), and: a group;',
    'a@b.example',
    'é',
    'e\u0301 and a word that begins with \u0301',
    '',
  ]
  for (const text of texts)
    it(`gives back ${JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)} as subject and as name`, () =>
      assertKept(text))

  it('gives back any text', () =>
    fc.assert(
      fc.asyncProperty(
        fc
          .string({
            unit: fc.oneof(fc.constantFrom(' ', '=?', '?=', '"', '\\', 'ä', 'word'), fc.string({ unit: 'grapheme' })),
          })
          // oxlint-disable-next-line no-control-regex
          .map((text) => text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').trim()),
        assertKept,
      ),
      { numRuns: 300 },
    ))

  it('line ends in a subject or a name become spaces, so no header can be smuggled in', async () => {
    for (const end of ['\r\n', '\r', '\n', '\u2028', '\0', '\x85', '\r\n\r\n']) {
      const evil = `Hello${end}Bcc: victim@example.org${end} X-Evil: 1`
      const message = await build({
        subject: evil,
        from: { name: evil, address: 'news@news.example' },
        replyTo: { name: evil, address: 'news@news.example' },
      })
      const { headers } = await PostalMime.parse(message)
      assert.deepEqual(
        headers.map(({ key }) => key).filter((key) => /bcc|evil/.test(key)),
        [],
      )
      assert.doesNotMatch(message, /^(Bcc|X-Evil):/im)
    }
  })

  it('a header name or value that cannot be sent is refused', async () => {
    await assert.rejects(build({ headers: [['Bad Name', 'x']] }))
    await assert.rejects(build({ headers: [['X-Name', 'Größe']] }))
    await assert.rejects(build({ headers: [['X-Name', 'x\r\n y']] }))
    await assert.rejects(build({ headers: [['X-Name', 'x'.repeat(1000)]] }))
    await assert.rejects(build({ contentType: 'text/plain\r\nBcc: victim@example.org' }))
  })

  it('List-Unsubscribe stays on one line of at most 300 characters: by click, then by mail where mail to us is read', async () => {
    const unsubscribe = async (env: Record<string, string>) => {
      const config = readConfig({
        SMTP_URL: 'smtp://127.0.0.1',
        SECRET_KEY: 'k'.repeat(32),
        POSTAL_ADDRESS: '1 Harbour Street',
        PUBLIC_URL: 'https://news.example',
        SITE_NAME: 'Gazette',
        MAIL_FROM: 'news@news.example',
        ...env,
      })
      const message = await build({ headers: listHeaders(config, 36) })
      return message.split('\r\n').find((line) => line.startsWith('List-Unsubscribe:'))!
    }
    const click = /^List-Unsubscribe: <https:\/\/news\.example\/unsubscribe\?token=36\.0\.[\w-]{22}>/.source
    const byMail = `${click}, <mailto:(u-10-[a-z2-7]{20}@bounces\\.news\\.example)>$`
    const inbound = { BOUNCE_DOMAIN: 'Bounces.News.example', INBOUND_LISTEN: '127.0.0.1:2525' }
    assert.match(await unsubscribe({}), new RegExp(`${click}$`))
    assert.match(await unsubscribe({ BOUNCE_DOMAIN: 'bounces.news.example' }), new RegExp(`${click}$`))
    const [, address] = new RegExp(byMail).exec(await unsubscribe(inbound))!
    assert.equal(readUnsubscribeAddress(['k'.repeat(32)], address!), 36)
    assert.equal(readReturnPath(['k'.repeat(32)], address!.replace('u-', 'b-')), null)
    for (const path of ['a'.repeat(100), 'a'.repeat(150), 'a'.repeat(900)]) {
      const line = await unsubscribe({ ...inbound, PUBLIC_URL: `https://news.example/${path}` }).catch(() => '')
      assert.ok(line.length <= 300 || !line.includes('mailto'), line)
    }
  })

  it('the Message-ID of a delivery is always the same', () => {
    assert.equal(makeMessageId(36, 'cafe', 'a@b.example'), '<10.cafe@b.example>')
    assert.equal(makeMessageId(36, 'cafe', 'a@b.example'), makeMessageId(36, 'cafe', 'a@b.example'))
  })

  it('writes dates as RFC 5322 wants them', () => {
    assert.equal(rfcDate(delivery.date), 'Tue, 03 Nov 2026 05:03:08 +0000')
  })

  it('leaves plain text alone, and quotes a name only where it must', () => {
    assert.equal(encodeText('Plain: words, "quoted" too'), 'Plain: words, "quoted" too')
    assert.equal(formatMailbox({ name: '', address: 'a@b.example' }), 'a@b.example')
    assert.equal(formatMailbox({ name: 'The Gazette', address: 'a@b.example' }), 'The Gazette <a@b.example>')
    assert.equal(formatMailbox({ name: 'Smith, J.', address: 'a@b.example' }), '"Smith, J." <a@b.example>')
  })

  it('headers about the list are ASCII, whatever the address of the site and its name are', async () => {
    const config = readConfig({
      SMTP_URL: 'smtp://127.0.0.1',
      SECRET_KEY: 'k'.repeat(32),
      POSTAL_ADDRESS: '1 Harbour Street',
      PUBLIC_URL: 'https://größe.example/zeitung/ä b',
      SITE_NAME: '=?utf-8?Q?Gazette?=',
      MAIL_FROM: 'news@größe.example',
      MAIL_REPLY_TO: 'what?a&name%20@news.example',
    })
    const headers = Object.fromEntries(fixedListHeaders(config))
    assert.equal(headers['List-Id'], '<newsletter.xn--gre-6ka8i.example>')
    assert.equal(headers['List-Archive'], '<https://xn--gre-6ka8i.example/zeitung/%C3%A4%20b/archive>')
    assert.equal(headers['List-Owner'], '<mailto:what%3Fa%26name%2520@news.example>')
    await build({ headers: fixedListHeaders(config) })
  })
})

describe('a mailbox', () => {
  const right: Record<string, [name: string, address: string]> = {
    'a@b.example': ['', 'a@b.example'],
    '<a@b.example>': ['', 'a@b.example'],
    'The Gazette <a@b.example>': ['The Gazette', 'a@b.example'],
    '"The Gazette" <a@b.example>': ['The Gazette', 'a@b.example'],
    '"The Gazette"<a@b.example>': ['The Gazette', 'a@b.example'],
    '"The \\"Whale\\" Gazette" <a@b.example>': ['The "Whale" Gazette', 'a@b.example'],
    '"A \\\\ backslash" <a@b.example>': ['A \\ backslash', 'a@b.example'],
    '"Smith, J. <editor>" <a@b.example>': ['Smith, J. <editor>', 'a@b.example'],
    '"two  spaces" <a@b.example>': ['two  spaces', 'a@b.example'],
    'a@b.example (The Gazette)': ['The Gazette', 'a@b.example'],
    'The Gazette <a@b.example> (the newsletter)': ['The Gazette', 'a@b.example'],
    'Gazette: Politics, Arts (daily) <a@b.example>': ['Gazette: Politics, Arts (daily)', 'a@b.example'],
    'Größe „x“ <a@größe.example>': ['Größe „x“', 'a@xn--gre-6ka8i.example'],
    "O'Neil <a@b.example>": ["O'Neil", 'a@b.example'],
  }
  for (const [text, [name, address]] of Object.entries(right))
    it(`${text} is read`, () => assert.deepEqual(parseMailbox(text), { name, address }))

  const wrong = [
    '',
    'The Gazette',
    'The Gazette a@b.example',
    'The Gazette <a@b.example',
    'The Gazette <a@b.example>, c@d.example',
    'The Gazette <a@b.example> c@d.example',
    'a@b.example, c@d.example',
    'The editors: "A" <a@b.example>;',
    '"The Gazette <a@b.example>',
    'The "Gazette <a@b.example>',
    '"a\\" <a@b.example>',
    '"a@b.example"',
    'The Gazette <>',
    'The Gazette <a@b>',
    'The Gazette <"a b"@c.example>',
    'The Gazette\r\nBcc: x <a@b.example>',
  ]
  for (const text of wrong) it(`${JSON.stringify(text)} is none`, () => assert.equal(parseMailbox(text), null))

  it('what is written is read again', () =>
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'B', '"', '\\', ',', '<', '>', '(', ')', ':', ' x') }),
        (text) => {
          const given = { name: text.trim(), address: 'a@b.example' }
          const read = parseMailbox(formatMailbox(given))
          assert.deepEqual(read, given)
        },
      ),
    ))
})
