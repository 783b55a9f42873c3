import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffFor, intervalFor, type Rhythm, withJitter } from '../../src/articles/poll-times.ts'

const now = Date.parse('2026-03-06T07:00:00Z')
const every = (minutes: number) => Array.from({ length: 10 }, (_, n) => new Date(now - n * minutes * 60_000))
const randoms = [0, 0.25, 0.5, 0.75, 0.999999]

function polledAfter(rhythm: Partial<Rhythm>): number[] {
  const interval = intervalFor({ ttlSeconds: null, maxAgeSeconds: null, dates: [], hasHub: false, ...rhythm })
  return randoms.map((random) => withJitter(interval, () => random))
}

test('a feed is polled within 5 to 30 minutes, jitter included, whatever its rhythm', () => {
  for (const minutes of [0, 1, 10, 40, 41, 60, 120, 200, 239, 240, 241, 1000, 100_000])
    for (const seconds of polledAfter({ dates: every(minutes) }))
      assert.ok(seconds >= 300 && seconds <= 1800, `a story in ${minutes} minutes: ${seconds} s`)
  for (const seconds of polledAfter({})) assert.ok(seconds >= 300 && seconds <= 1800)
})

test('no feed is polled sooner than it asks for, jitter included', () => {
  for (const asked of [301, 600, 1799, 1800, 3600, 7200, 14_400])
    for (const dates of [every(1), every(120), every(100_000), []])
      for (const rhythm of [{ ttlSeconds: asked }, { maxAgeSeconds: asked }])
        for (const seconds of polledAfter({ dates, ...rhythm })) assert.ok(seconds >= asked, `${asked}: ${seconds}`)
  assert.ok(polledAfter({ ttlSeconds: 90_000 }).every((seconds) => seconds <= 4 * 3600 * 1.1))
})

test('a hundred feeds of one rhythm are not polled at one moment', () => {
  for (const dates of [every(1), every(120), every(100_000)]) assert.ok(new Set(polledAfter({ dates })).size > 3)
})

test('failures back off from 5 minutes to 12 hours, jitter included, and no sooner than Retry-After says', () => {
  for (let failures = 1; failures < 30; failures++)
    for (const random of randoms) {
      const seconds = backoffFor(failures, null, () => random)
      assert.ok(seconds >= 300 && seconds <= 12 * 3600, `${failures}: ${seconds}`)
      assert.ok(backoffFor(failures, 50_000, () => random) >= 50_000)
    }
})
