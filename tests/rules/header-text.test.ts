import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { cleanHeaderText, encodeHeaderText, encodeMailbox, foldHeader } from '../../src/mails/header-text.ts'

const subjects = [
  'Bond yields ease as traders bet on a quiet winter',
  '',
  'Größere Überschrift – „mit Anführung“ und 100 % mehr',
  '习近平在北京会见外宾,双方就共同关心的问题交换了意见,并达成一系列重要共识。'.repeat(3),
  '👩‍👩‍👧‍👦 family 🇩🇪 flag'.repeat(6),
  'w'.repeat(900),
  `many ${'plain words '.repeat(40)}end`,
  'looks encoded: =?utf-8?Q?no?=',
]

test('a subject is read back exactly, in lines of at most 78', async () => {
  for (const subject of subjects) {
    const header = `Subject: ${encodeHeaderText('Subject', subject)}\r\n`
    assertHeader(header)
    const { subject: read } = await PostalMime.parse(`${header}From: a@b.example\r\n\r\nbody`)
    assert.equal(read ?? '', subject)
  }
})

test('any text at all stays one header', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
      const header = `Subject: ${encodeHeaderText('Subject', text)}\r\n`
      assertHeader(header)
      const parsed = await PostalMime.parse(`${header}X-After: yes\r\n\r\nbody`)
      assert.equal(parsed.subject ?? '', Buffer.from(cleanHeaderText(text)).toString())
      assert.deepEqual(
        parsed.headers.map(({ key }) => key),
        ['subject', 'x-after'],
      )
    }),
    { numRuns: 300 },
  )
})

test('a line end in a title or a name starts no header', () => {
  for (const attack of ['Hello\r\nBcc: victim@example.org', 'Hello\nBcc: x', 'Hello\rBcc: x', 'Hello\u2028Bcc: x']) {
    assert.equal(encodeHeaderText('Subject', attack).includes('\n'), false)
    assert.equal(encodeMailbox('From', { name: attack, address: 'a@b.example' }).includes('\nBcc'), false)
    assert.equal(foldHeader('List-Id', attack).includes('\nBcc'), false)
  }
})

test('names are quoted or encoded as they need', async () => {
  for (const name of ['The Whale Gazette', 'Smith, Jones & Co.', 'Zeitung für Hände', 'say "hi" \\ there', '']) {
    const header = `From: ${encodeMailbox('From', { name, address: 'news@broadsheet.example' })}\r\n`
    assertHeader(header)
    const { from } = await PostalMime.parse(`${header}\r\nbody`)
    assert.equal(from?.address, 'news@broadsheet.example')
    assert.equal(from?.name, name)
  }
})

function assertHeader(header: string) {
  assert.match(header, /^[\x20-\x7e\r\n]*$/)
  for (const line of header.slice(0, -2).split('\r\n')) {
    assert.doesNotMatch(line, /[\r\n]/)
    assert.ok(line.length <= 78, `${line.length}: ${line}`)
  }
  assert.match(header, /^[^\r\n]*\r\n([ \t][^\r\n]*\S[^\r\n]*\r\n)*$/)
}
