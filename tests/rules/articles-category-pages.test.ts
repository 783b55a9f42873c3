import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pagesOfFeeds } from '../../src/articles/category-pages.ts'

const [politics, arts] = [1, 2]
const feed = (url: string, siteUrl: string | null, ...categoryIds: number[]) => ({ url, siteUrl, categoryIds })

test('a feed of one category tells its page, and never the home page of the site', () => {
  const cases: [string, string | null, string | undefined][] = [
    ['https://x.example/rss/politics.xml', 'https://x.example/politics', 'https://x.example/politics'],
    // WordPress names the home page in every feed.
    ['https://x.example/category/politics/feed/', 'https://x.example/', 'https://x.example/category/politics/'],
    ['https://x.example/category/politics/feed', null, 'https://x.example/category/politics/'],
    ['https://x.example/feed/', 'https://x.example', undefined],
    ['https://x.example/politics/newsfeed/1', null, undefined],
    ['https://x.example/?feed=rss2&cat=3', null, undefined],
    ['https://ada:secret@x.example/politics/feed/', null, undefined],
    ['https://x.example/rss', null, undefined],
  ]
  for (const [url, siteUrl, page] of cases)
    assert.equal(pagesOfFeeds([feed(url, siteUrl, politics)]).get(politics), page, url)
})

test('a page that feeds of several categories name is of none of them', () => {
  const home = 'https://x.example/news/'
  const pages = pagesOfFeeds([
    feed('https://x.example/news/politics/feed/', home, politics),
    feed('https://x.example/news/arts.xml', home, arts),
  ])
  assert.deepEqual([...pages], [[politics, 'https://x.example/news/politics/']])
  assert.equal(pagesOfFeeds([feed('https://x.example/all/feed/', 'https://x.example/all/', politics, arts)]).size, 0)
})
