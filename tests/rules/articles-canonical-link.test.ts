import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalLink } from '../../src/articles/canonical-link.ts'

const same = (...links: string[]) => {
  for (const link of links.slice(1)) assert.equal(canonicalLink(link), canonicalLink(links[0]!), link)
}
const different = (...links: string[]) =>
  assert.equal(new Set(links.map((link) => canonicalLink(link))).size, links.length, links.join(' '))

test('scheme, www., a slash at the end, the standard port and tracking parameters make no other story', () => {
  const plain = 'https://lantern.example/harbour?id=7'
  same(
    plain,
    'http://www.lantern.example:80/harbour/?id=7',
    'https://lantern.example./harbour?utm_source=rss&id=7&utm_medium=feed',
    ...['fbclid', 'gclid', 'gbraid', 'wbraid', 'mc_cid', 'mc_eid', '_hsenc', '_hsmi', 'mkt_tok', 'srsltid'].map(
      (name) => `${plain}&${name}=x`,
    ),
    `${plain}&mtm_campaign=a&pk_kwd=b`,
    `${plain}#xtor=RSS-1`,
    `${plain}#:~:text=harbour`,
    `${plain}#`,
  )
})

test('names that choose the story on some sites count, and so does the fragment', () => {
  const plain = 'https://lantern.example/live'
  different(
    plain,
    `${plain}#1`,
    `${plain}#2`,
    `${plain}#/story/1`,
    ...['ref', 'from', 'source', 'partner', 'cmp', 'rss', 'feed', 'id'].map((name) => `${plain}?${name}=1`),
    `${plain}?ref=2`,
  )
})

test('a session id, an AMP page and the page for telephones are the article’s own', () => {
  same(
    'https://lantern.example/2026/harbour',
    'https://lantern.example/2026/harbour;jsessionid=0A1B2C.node1',
    'https://lantern.example/(S(lit3py55t21z5v55vlm25s55))/2026/harbour',
    'https://lantern.example/2026/harbour/amp/',
    'https://lantern.example/amp/2026/harbour',
    'https://lantern.example/2026/harbour.amp',
    'https://lantern.example/2026/harbour?amp',
    'https://lantern.example/2026/harbour?amp=1',
    'https://lantern.example/2026/harbour?outputType=amp',
    'https://m.lantern.example/2026/harbour',
    'https://amp.lantern.example/2026/harbour',
    'https://lantern-example.cdn.ampproject.org/c/s/lantern.example/2026/harbour',
    'https://www.google.com/amp/s/lantern.example/2026/harbour/amp',
  )
  same('https://en.m.atlas.example/a', 'https://en.atlas.example/a')
  different('https://lantern.example/amp', 'https://lantern.example/', 'https://lantern.example/champ')
  different('https://m.example/a', 'https://example/a')
})

test('what is no address has none, and an endless one is cut', () => {
  for (const link of ['', 'javascript:alert(1)', '/relative', 'mailto:a@b.example'])
    assert.equal(canonicalLink(link), null, link)
  const long = (length: number) => `https://lantern.example/${'a/'.repeat(length / 2)}`
  for (const length of [600, 6000, 1_000_000]) {
    assert.ok(canonicalLink(long(length))!.length < 500)
    different(long(length), long(length + 2))
  }
})
