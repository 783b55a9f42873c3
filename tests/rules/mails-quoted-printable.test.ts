import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeFragment } from '../../src/mails/quoted-printable.ts'

const samples: Record<string, string> = {
  ascii: 'Plain words, and = an equals sign.',
  'white space at line ends': 'one \ntwo\t\n three ',
  'dots and From at line starts': '.\n..\nFrom here\n.hidden\nFrom: there',
  chinese: '习近平在北京会见外宾,双方就共同关心的问题交换了意见。'.repeat(20),
  emoji: '👩‍👩‍👧‍👦🇩🇪 family and flag '.repeat(15),
  'a 5 kB address': `https://news.example/story?${'x=1&y=é&'.repeat(620)}`,
  'a word of 2,000 letters': 'w'.repeat(2000),
  'line ends of every kind': 'a\nb\r\nc\rd\n\n\ne',
  'dots where lines break': '.'.repeat(500),
  'lone surrogate': 'a\ud800b',
}
/** As a mail program decodes it. */
const decode = (encoded: Buffer) =>
  Buffer.from(
    encoded
      .toString('latin1')
      .replace(/=\r\n/g, '')
      .replace(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16))),
    'latin1',
  ).toString()
const asReceived = (text: string) => Buffer.from(text.replace(/\r\n?|\n/g, '\r\n')).toString()

for (const [name, text] of Object.entries(samples))
  test(`quoted-printable keeps ${name}`, () => {
    const { bytes, size } = encodeFragment(text)
    assert.equal(decode(bytes), asReceived(text))
    assert.equal(size, Buffer.byteLength(asReceived(text)))
    assertLines(bytes)
  })

test('fragments of any text can be concatenated in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 8 }), (texts) => {
      const fragments = texts.map(encodeFragment)
      for (const { bytes } of fragments) assertLines(bytes)
      // A lone CR at the end of one text and LF at the start of the next are two line ends, as each fragment is whole.
      const joined = Buffer.concat(fragments.map((fragment) => fragment.bytes))
      assert.equal(decode(joined), texts.map(asReceived).join(''))
    }),
    { numRuns: 300 },
  )
})

function assertLines(bytes: Buffer) {
  const text = bytes.toString('latin1')
  assert.doesNotMatch(text, /[^\x20-\x7e\r\n\t]/)
  assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n/)
  assert.ok(text === '' || text.endsWith('\r\n'))
  for (const line of text.split('\r\n')) {
    assert.ok(line.length <= 76, `${line.length}: ${line}`)
    assert.doesNotMatch(line, /[ \t]$/)
    assert.doesNotMatch(line, /^(\.|From )/)
  }
}
