import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownSource, siteNameOf } from '../../src/articles/source.ts'

test('the name of a site is found in the titles of its feeds', () => {
  for (const [title, url, name] of [
    ['Politics – The Whale Gazette', 'https://whalegazette.example/politics', 'The Whale Gazette'],
    ['Politics – The Whale Gazette', 'https://news.example/', 'The Whale Gazette'],
    ['The Whale Gazette » Politics', 'https://news.example/', 'The Whale Gazette'],
    ['The Whale Gazette | Politics', 'https://www.whalegazette.example/', 'The Whale Gazette'],
    ['Gull: World news', 'https://gull.example/', 'Gull'],
    ['The Gull', null, 'The Gull'],
    ['Coast-to-Coast', null, 'Coast-to-Coast'],
    ['', null, null],
  ] as const)
    assert.equal(siteNameOf(title, url), name, title)
})

test('a byline names a source only where it isn’t this site', () => {
  for (const own of ['The Whale Gazette', 'Whale Gazette', 'Politics – The Whale Gazette', 'The Whale Gazette » World'])
    assert.equal(shownSource(own, 'The Whale Gazette'), null, own)
  for (const other of ['The Gull', 'Politics – The Gull', 'The Whale Gazette of Bergen'])
    assert.equal(shownSource(other, 'The Whale Gazette'), other)
  assert.equal(shownSource(null, 'The Whale Gazette'), null)
})
