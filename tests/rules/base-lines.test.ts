import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { linesOf } from '../../src/base/lines.ts'

test('a stream is cut at line feeds only, wherever its pieces end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'ü', '\u2028', '\u2029', '🐋', '\r') })),
      fc.integer({ min: 1, max: 7 }),
      async (lines, size) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const pieces = []
        for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
        const read: string[] = []
        for await (const group of linesOf(Readable.from(pieces))) read.push(...group)
        assert.deepEqual(read, lines)
      },
    ),
  )
  const last: string[] = []
  for await (const group of linesOf(Readable.from([Buffer.from('one\ntwo')]))) last.push(...group)
  assert.deepEqual(last, ['one', 'two'])
})
