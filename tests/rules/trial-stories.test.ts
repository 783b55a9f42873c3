import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paintPicture } from '../../src/trial/picture.ts'
import { sampleFeed, storyPath } from '../../src/trial/sample-feed.ts'
import { findStory, publishedStories, sampleCategories, storiesSince } from '../../src/trial/stories.ts'

const start = new Date('2026-03-06T07:00:00.250Z')
const after = (minutes: number) => new Date(start.getTime() + minutes * 60_000)
const slugs = (minutes: number, limit = 1000) =>
  publishedStories(start, after(minutes), { limit }).map((story) => story.slug)

test('at the first start every category has five stories of the last 24 hours, and older ones before', () => {
  for (const { slug } of sampleCategories) {
    const stories = publishedStories(start, start, { category: slug, limit: 100 })
    const fresh = stories.filter((story) => story.publishedAt > after(-24 * 60))
    assert.equal(fresh.length, 5, slug)
    assert.equal(stories.length, 10, slug)
    assert.deepEqual(
      stories,
      stories.toSorted((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime()),
    )
  }
})

test('one new story appears every ten minutes, the first after ten, and none is ever taken back', () => {
  const before = slugs(0)
  assert.deepEqual(slugs(9.9), before)
  assert.equal(slugs(10.1).length, before.length + 1)
  assert.deepEqual(slugs(10.1).slice(1), before)
  assert.equal(slugs(60 * 24).length, before.length + 144)
  assert.deepEqual(slugs(60 * 24).slice(-before.length), before)
})

test('the Gazette never runs dry and never repeats an address', () => {
  const month = slugs(60 * 24 * 30, 100_000)
  assert.equal(month.length, 40 + 6 * 24 * 30)
  assert.equal(new Set(month).size, month.length)
})

test('every story in a list has its page, and a story that isn’t published yet has none', () => {
  const day = 60 * 24
  for (const slug of slugs(day)) assert.equal(findStory(start, after(day), slug)?.slug, slug)
  const next = publishedStories(start, after(day + 10), { limit: 1 })[0]!
  assert.equal(findStory(start, after(day), next.slug), undefined)
  assert.equal(findStory(start, after(day), 'politics-note-1'), undefined)
  assert.equal(findStory(start, after(day), 'no-such-story'), undefined)
})

test('dates are whole seconds, and no two stories of the first day share a minute', () => {
  const stories = publishedStories(start, after(60 * 24), { limit: 1000 })
  for (const story of stories) assert.equal(story.publishedAt.getTime() % 1000, 0)
  assert.equal(new Set(stories.map((story) => story.publishedAt.toISOString().slice(0, 16))).size, stories.length)
})

test('a clock that was set back before the first start shows less, and doesn’t fail', () => {
  assert.equal(storiesSince(start, after(-60)), 0)
  assert.ok(slugs(-60).length < slugs(0).length)
})

test('all stories are whole: a title, a summary, two paragraphs or more, known categories', () => {
  const names = new Set<string>(sampleCategories.map((category) => category.slug))
  for (const story of publishedStories(start, after(60 * 24), { limit: 1000 })) {
    assert.ok(story.title && story.summary && story.author && story.body.length >= 2, story.slug)
    assert.ok(story.categories.length && story.categories.every((category) => names.has(category)), story.slug)
  }
})

test('the feed is RSS with the story’s own markup escaped and a guid that survives a new port', () => {
  const stories = publishedStories(start, after(60 * 12), { category: 'business', limit: 100 })
  const awkward = stories.find((story) => story.title.includes('< $1 million'))!
  const xml = sampleFeed((path) => `http://127.0.0.1:3000${path}`, sampleCategories[2], [awkward])
  assert.match(xml, /<title>Regulator fines Parcelo &#60; \$1 million/)
  assert.match(xml, new RegExp(`<link>http://127.0.0.1:3000${storyPath(awkward)}</link>`))
  const guid = (feed: string) => /<guid[^>]*>([^<]+)/.exec(feed)![1]
  assert.equal(guid(xml), guid(sampleFeed((path) => `http://127.0.0.1:4000${path}`, sampleCategories[2], [awkward])))
})

test('a picture is a PNG, the same for the same story', () => {
  const picture = paintPicture('a-slug', 'politics')
  assert.equal(picture.subarray(1, 4).toString(), 'PNG')
  assert.deepEqual(picture, paintPicture('a-slug', 'politics'))
  assert.notDeepEqual(picture, paintPicture('another', 'politics'))
})
