import assert from 'node:assert/strict'
import { test } from 'node:test'
import PostalMime from 'postal-mime'
import { buildMessage } from '../../src/delivery/message.ts'
import { composeAlternative, readAlternative } from '../../src/mails/mime.ts'
import { plainMail } from '../support/sending.ts'

const samples: Record<string, string> = {
  'plain words': 'Plain words, and = an equals sign.',
  'white space at line ends': 'one \ntwo\t\n three ',
  'dots and From at line starts': '.\n..\nFrom here\n.hidden\nFrom: there',
  Chinese: '习近平在北京会见外宾,双方就共同关心的问题交换了意见。'.repeat(20),
  emoji: '👩‍👩‍👧‍👦🇩🇪 family and flag '.repeat(15),
  'a 5 kB address': `https://news.example/story?${'x=1&y=é&'.repeat(620)}`,
  'a word of 2,000 letters': 'w'.repeat(2000),
  'line ends of every kind': 'a\nb\r\nc\n\n\ne',
  'something like a boundary': '--x\n--=_broadsheet_alternative--\n--\n',
  'dots where lines break': '.'.repeat(500),
}
const delivery = { recipient: 'ada@example.org', messageId: '<1.x@news.example>', date: new Date(0) }

for (const [name, text] of Object.entries(samples))
  test(`a mail to one person keeps ${name}, the text before the HTML`, async () => {
    const html = `<p>${text}</p>\n`
    const mail = { ...plainMail('ada@example.org', 'Hello'), ...(await composeAlternative({ text, html })) }
    assert.equal(mail.htmlBytes, Buffer.byteLength(html))
    const wire = Buffer.concat(await buildMessage(mail, delivery, null)).toString('latin1')
    assert.match(wire, /^[\x20-\x7e\r\n\t]*$/)
    assert.doesNotMatch(wire, /\r(?!\n)|(?<!\r)\n/)
    const lines = wire.split('\r\n')
    for (const line of lines) assert.ok(line.length <= 78, line)
    assert.ok(!lines.includes('.'))
    const received = wire.replace(/^\.\./gm, '.')
    assert.ok(received.indexOf('text/plain') < received.indexOf('text/html'))
    const parsed = await PostalMime.parse(received)
    assert.deepEqual(parsed.attachments, [])
    for (const read of [parsed, await readAlternative(mail)]) {
      assert.equal(normalised(read.text!), normalised(text))
      assert.equal(normalised(read.html!), normalised(html))
    }
  })

const normalised = (text: string) => text.replace(/\r\n/g, '\n').replace(/\n+$/, '')
