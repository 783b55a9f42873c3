import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Parser } from '../../src/articles/parser.ts'
import { stopReasons, Unreadable } from '../../src/base/parser-thread.ts'
import { rss } from '../support/feed-server.ts'
import { hostileDocuments } from '../support/hostile-documents.ts'

const small = () => Buffer.from(rss([{ title: 'One', link: 'https://l.example/1' }]))
/** Read whole it needs more than 100 MB. */
const large = () => Buffer.from(hostileDocuments['elements and attributes, all different']!())
const origin = { location: 'https://l.example/' }

test('a document that takes too much memory is refused with a reason, and those that wait behind it are read', async () => {
  const parser = new Parser({ heapMb: 24 })
  const [refused, ...read] = await Promise.all([
    parser.read(large(), origin),
    parser.read(small(), origin),
    parser.read(small(), origin),
  ])
  assert.deepEqual(refused, { outcome: 'refused', reason: 'Reading it took more than 24 MB of memory.', isFatal: true })
  assert.deepEqual(
    read.map(({ outcome }) => outcome),
    ['feed', 'feed'],
  )
  assert.deepEqual(parser.stopped, { deadline: 0, memory: 1, crash: 0 })
})

test('a document that takes too long is refused with a reason', async () => {
  const parser = new Parser({ deadlineMs: 1 })
  const refused = await parser.read(large(), origin)
  assert.deepEqual(refused, { outcome: 'refused', reason: 'Reading it took longer than 0.001 s.', isFatal: true })
  assert.deepEqual(parser.stopped, { deadline: 1, memory: 0, crash: 0 })
})

test('pushed texts do not wait behind documents, and are refused like them', async () => {
  const parser = new Parser({ heapMb: 24 })
  const ended: string[] = []
  const text = { title: 'A<b &amp; B', link: 'https://l.example/a', excerpt: '<p>Text</p>', author: '', source: '' }
  const documents = [small(), small(), small()].map((bytes) =>
    parser.read(bytes, origin).then(() => ended.push('document')),
  )
  const texts = await parser.texts([text]).finally(() => ended.push('texts'))
  await Promise.all(documents)
  assert.deepEqual(texts, [{ title: 'A<b &amp; B', excerpt: 'Text', author: null, source: null }])
  // One was under way already.
  assert.equal(ended.indexOf('texts'), 1)
  const many = Array.from({ length: 100_000 }, (_, n) => ({ ...text, excerpt: `${n} ${'x'.repeat(300)}` }))
  await assert.rejects(parser.texts(many), Unreadable)
})

test('what is closed while it reads throws, and reads the next in a new thread', async () => {
  const parser = new Parser()
  const reading = parser.read(large(), origin)
  const waiting = parser.read(small(), origin)
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  parser.close()
  await assert.rejects(reading, { name: 'ParserClosed' })
  await assert.rejects(waiting, { name: 'ParserClosed' })
  assert.equal((await parser.read(small(), origin)).outcome, 'feed')
})

test('documents that were made to stop their parser are read or refused by the same thread, and their results are bounded', async () => {
  const parser = new Parser({ deadlineMs: 60_000 })
  for (const [name, make] of Object.entries(hostileDocuments)) {
    const reading = await parser.read(Buffer.from(make()), origin, { orPage: true })
    assert.ok(!reading.isFatal, `${name}: ${JSON.stringify(reading).slice(0, 200)}`)
    if (reading.outcome === 'refused') continue
    for (const entry of reading.feed.entries)
      assert.ok(JSON.stringify(entry).length < 20_000, `${name}: ${JSON.stringify(entry).slice(0, 200)}`)
  }
  for (const reason of stopReasons) assert.equal(parser.stopped[reason], 0)
})
