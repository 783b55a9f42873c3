import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import PostalMime from 'postal-mime'
import {
  buildMessage,
  encodeWords,
  foldText,
  formatDate,
  formatMailbox,
  makeMessageId,
} from '../../src/delivery/message.ts'
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

describe('a message', () => {
  it('gives back every subject and sender exactly, in lines of at most 78 characters', async () => {
    const texts = [
      'Plain words',
      'Grüße aus Köln — „heute“',
      'Übermäßig viele ganz besonders lange Wörter mit Umlauten, die gefaltet werden müssen, damit es passt',
      '🐋'.repeat(40),
      '日本語の見出しがとても長いときにどうなるか'.repeat(4),
      'A quote " and a backslash \\ and <angle> brackets, and a comma',
      '=?utf-8?B?SGFsbG8=?= is shown as written',
      'word '.repeat(40).trim(),
    ]
    for (const text of texts) {
      const message = await build({ subject: text, from: { name: text, address: 'news@news.example' } })
      const parsed = await PostalMime.parse(message)
      assert.equal(parsed.subject, text)
      assert.equal(parsed.from?.name, text)
      const head = message.slice(0, message.indexOf('\r\n\r\n'))
      for (const line of head.split('\r\n')) assert.ok(line.length <= 78, line)
      assert.ok(/^[\x20-\x7e\r\n\t]*$/.test(head))
    }
  })

  it('line ends in a subject or a name become spaces, so no header can be smuggled in', async () => {
    const evil = 'Hello\r\nBcc: victim@example.org\u2028X-Evil: 1'
    const message = await build({ subject: evil, from: { name: evil, address: 'news@news.example' } })
    assert.ok(!/^(Bcc|X-Evil):/im.test(message))
  })

  it('a header name or value that cannot be sent is refused', async () => {
    await assert.rejects(build({ headers: [['Bad Name', 'x']] }))
    await assert.rejects(build({ contentType: 'text/plain\r\nBcc: victim@example.org' }))
  })

  it('the Message-ID of a delivery is always the same', () => {
    assert.equal(makeMessageId(36, 'cafe', 'a@b.example'), '<10.cafe@b.example>')
    assert.equal(makeMessageId(36, 'cafe', 'a@b.example'), makeMessageId(36, 'cafe', 'a@b.example'))
  })

  it('writes dates as RFC 5322 wants them', () => {
    assert.equal(formatDate(delivery.date), 'Tue, 3 Nov 2026 05:03:08 +0000')
  })

  it('leaves plain text alone, folds long text at spaces', () => {
    assert.equal(encodeWords('plain'), 'plain')
    assert.equal(formatMailbox({ name: '', address: 'a@b.example' }), 'a@b.example')
    assert.equal(formatMailbox({ name: 'Smith, J.', address: 'a@b.example' }), '"Smith, J." <a@b.example>')
    assert.deepEqual(
      foldText(`${'x'.repeat(60)} ${'y'.repeat(60)}`, 9)
        .split('\r\n')
        .map((line) => line.trim().length),
      [60, 60],
    )
  })
})
