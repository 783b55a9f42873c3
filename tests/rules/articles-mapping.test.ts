import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Label } from '../../src/articles/entry.ts'
import { inWords, type MappingRule, placeEntry } from '../../src/articles/mapping.ts'
import { readRules } from '../../src/articles/rule-lines.ts'
import { atomEntry, jsonEntry, rssEntry } from '../support/entries.ts'

const categories = [
  { id: 1, slug: 'politics', name: 'Politics' },
  { id: 2, slug: 'world-news', name: 'World News' },
  { id: 3, slug: 'us', name: 'US News' },
  { id: 4, slug: 'arts', name: 'Arts & Culture' },
  { id: 5, slug: 'debate', name: 'Débats' },
]

function placed(labels: readonly Label[], rules: readonly MappingRule[] = [], feedCategoryIds: readonly number[] = []) {
  const entry = { title: 'Low tide at the old harbour', link: 'https://gull.example/sport/tide', labels }
  const { places, leftOutBy } = placeEntry(entry, { categories, feedCategoryIds, rules })
  return leftOutBy === null ? places.map(({ id, because }) => `${id} ${because}`) : `left out by ${leftOutBy}`
}

const named = (...names: string[]) => names.map((name) => ({ name, scheme: null }))
const ids = (...names: string[]) => (placed(named(...names)) as string[]).map((place) => Number(place[0]))

test('labels are compared without regard to case, composition, punctuation and the word for &', () => {
  for (const [label, id] of [
    ['POLITICS', 1],
    ['world-news', 2],
    ['World\u00a0News', 2],
    ['U.S. News', 3],
    ['us news', 3],
    ['Arts and Culture', 4],
    ['arts &  culture', 4],
    ['De\u0301bats', 5],
    ['#Politics!', 1],
  ] as const)
    assert.deepEqual(ids(label), [id], label)
  for (const other of ['Political', 'World', 'USA News', 'Art', 'Debate of the day'])
    assert.deepEqual(ids(other), [], other)
})

test('paths and lists count by their parts', () => {
  assert.deepEqual(ids('News/World News'), [2])
  assert.deepEqual(ids('News > World News'), [2])
  assert.deepEqual(ids('Politics, World News; Sport'), [1, 2])
  assert.deepEqual(ids('Home :: Politics'), [1])
})

test('the reason for a story’s category: the feed, a rule, its label', () => {
  const rule = (field: MappingRule['field'], pattern: string, more: Partial<MappingRule> = {}): MappingRule => ({
    field,
    pattern,
    match: field === 'label' ? 'equals' : 'contains',
    scheme: null,
    categoryId: 1,
    ...more,
  })
  assert.deepEqual(placed(named('world news'), [rule('link', '/sport/')], [4]), [
    '1 rule “link: /sport/”',
    '2 label “world news”',
    '4 all its stories go there',
  ])
  assert.equal(
    placed(named('x'), [rule('title', 'low tide', { match: 'begins', categoryId: null })]),
    'left out by title begins: low tide',
  )
  assert.deepEqual(placed(named('Sport: football'), [rule('label', 'sport', { match: 'begins' })]), [
    '1 rule “label begins: sport”',
  ])
  assert.deepEqual(placed(named('Sport'), [rule('label', 'por', { match: 'contains' })]), [
    '1 rule “label contains: por”',
  ])
  assert.deepEqual(placed(named('Sport'), [rule('label', 'por')]), [])
  assert.deepEqual(placed([], [rule('title', 'low tide', { match: 'equals' })]), [])
})

test('a rule may name the domain of a label', () => {
  const [rule] = readRules('label begins in https://paper.example/topics: Sport = politics')
  assert.deepEqual(rule, {
    field: 'label',
    match: 'begins',
    scheme: 'https://paper.example/topics',
    pattern: 'Sport',
    category: 'politics',
  })
  const complete = { ...rule, match: 'begins', scheme: 'https://paper.example/topics', categoryId: 1 } as MappingRule
  assert.equal(inWords(complete), 'label begins in https://paper.example/topics: Sport')
  const { labels } = rssEntry('<category domain="https://Paper.example/topics/">Sports</category>')
  assert.equal(placed(labels, [complete]).length, 1)
  assert.deepEqual(placed(named('Sports'), [complete]), [])
  assert.deepEqual(atomEntry('<category term="sport" label="Sports" scheme="urn:topics"/>').labels, [
    { name: 'Sports', scheme: 'urn:topics' },
    { name: 'sport', scheme: 'urn:topics' },
  ])
})

test('labels of the media and podcast modules, and tags that are one text', () => {
  const labels = (inside: string) => rssEntry(inside).categories
  assert.deepEqual(labels('<category>News</category><media:category label="Politics">5</media:category>'), [
    'News',
    'Politics',
  ])
  assert.deepEqual(labels('<media:group><media:keywords>tide, harbour,Tide</media:keywords></media:group>'), [
    'tide',
    'harbour',
  ])
  assert.deepEqual(labels('<itunes:category text="News"><itunes:category text="Politics"/></itunes:category>'), [
    'News',
    'Politics',
  ])
  assert.deepEqual(labels('<media:category>7</media:category>'), [])
  assert.deepEqual(jsonEntry({ tags: 'Politics, World News' }).categories, ['Politics', 'World News'])
})
