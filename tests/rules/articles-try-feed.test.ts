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

test('a try shows the reason for each category, what was left out, the picture, and when the story can be in a mail', () => {
  const reading = parseFeed(
    Buffer.from(`<rss><channel><title>The Gull</title><link>https://gull.example/</link><item><title>Low tide</title>
      <link>https://gull.example/tide</link><category>World news</category><pubDate>Fri, 06 Mar 2026 10:00</pubDate>
      <description><![CDATA[<p>It was low.</p><p>Read more</p><img src="http://gull.example/a.jpg" alt="A boat">]]></description>
      </item></channel></rss>`),
    { timezone: 'Europe/Berlin' },
  )
  assert.equal(reading.outcome, 'feed')
  const { feed } = reading as Extract<typeof reading, { outcome: 'feed' }>
  const categories = [{ id: 1, slug: 'world-news', name: 'World News' }]
  const [entry] = tryEntries(feed, { now, firstHours: 24, mapping: { categories, feedCategoryIds: [], rules: [] } })
  const { mappedTo, mappedBecause, excerpt, cut, imageAlt, imageNote, sendableAt } = entry!
  assert.deepEqual(
    { mappedTo, mappedBecause, excerpt, cut, imageAlt, sendableAt },
    {
      mappedTo: ['world-news'],
      mappedBecause: ['label “World news”'],
      excerpt: 'It was low.',
      cut: ['Read more'],
      imageAlt: 'A boat',
      sendableAt: '2026-03-06T09:00:00.000Z',
    },
  )
  assert.match(imageNote!, /^it stands in the text; mails show it only if its site has it by https/)
  const [leftOut] = tryEntries(feed, {
    now,
    firstHours: 24,
    mapping: {
      categories,
      feedCategoryIds: [],
      rules: [{ field: 'title', match: 'begins', pattern: 'low', scheme: null, categoryId: null }],
    },
  })
  assert.match(leftOut!.verdict, /^ignored: a rule leaves it out \(title begins: low\)/)
  assert.equal(leftOut!.sendableAt, null)
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
