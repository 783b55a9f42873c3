import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFeed } from '../../src/articles/feed-formats.ts'
import { tryEntries } from '../../src/articles/try-feed.ts'
import { type Item, rss } from '../support/feed-server.ts'

const now = new Date('2026-03-06T07:00:00Z')
const hours = (n: number) => new Date(now.getTime() + n * 3_600_000)

function verdicts(...dates: (number | null)[]): string[] {
  const items = dates.map((date, n): Item => {
    const link = `https://lantern.example/${n}`
    return { title: `Story ${n}`, link, date: date === null ? null : hours(date) }
  })
  const reading = parseFeed(Buffer.from(rss(items)))
  assert.equal(reading.outcome, 'feed')
  const { feed } = reading as Extract<typeof reading, { outcome: 'feed' }>
  return tryEntries(feed, { now, firstHours: 24 }).map(({ verdict }) => verdict)
}

test('a story dated ahead waits, and one dated over 30 days ahead is taken later', () => {
  assert.deepEqual(verdicts(-1, null, 0.1, 2, 24 * 40, -30), [
    'taken',
    'taken',
    'taken',
    'taken, waits until 2026-03-06T09:00:00Z',
    'ignored until 2026-03-16T07:00:00Z: it is dated more than 30 days ahead',
    'ignored at first sight: older than 24 hours',
  ])
})

test('a feed whose newest stories are all ahead has a wrong clock, or a wrong time zone', () => {
  const wrong = '; the feed’s clock or time zone seems wrong'
  assert.deepEqual(verdicts(5, 4, 3, -1), [
    `taken, waits until 2026-03-06T12:00:00Z${wrong}`,
    `taken, waits until 2026-03-06T11:00:00Z${wrong}`,
    `taken, waits until 2026-03-06T10:00:00Z${wrong}`,
    'taken',
  ])
  assert.ok(verdicts(5, 4, -1, -2).every((verdict) => !verdict.includes('wrong')))
})
