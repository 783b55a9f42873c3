import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseRendered } from '../../src/digests/eligible.ts'
import { selectStories, type ReaderState, type SelectionRules } from '../../src/digests/selection.ts'
import { indexStories } from '../../src/digests/waiting.ts'

// Categories 1 (Politics) and 2 (World) in the site's order. A story is written [articleId, seq], in the order to show; `plain` ones
// have no fragments.
type Written = [articleId: number, seq: number, mark?: 'pinned' | 'plain']
const edition = (stories: Record<number, Written[]>) =>
  indexStories(
    100,
    Object.entries(stories).map(([id, list]) => ({
      id: Number(id),
      position: Number(id),
      stories: list
        .filter(([, , mark]) => mark !== 'plain')
        .map(([articleId, seq, mark]) => ({ articleId, seq, isPinned: mark === 'pinned' })),
      others: list.filter(([, , mark]) => mark === 'plain').map(([articleId, seq]) => [articleId, seq] as const),
    })),
  )
const reader = (given: Partial<ReaderState>): ReaderState => ({
  subscriptions: [
    { categoryId: 1, frequency: 'daily', position: 0 },
    { categoryId: 2, frequency: 'daily', position: 0 },
  ],
  watermarks: { 1: 0, 2: 0 },
  seen: [],
  ...given,
})
const rules: SelectionRules = { stories: 2, minimum: 1, alsoLike: 0, onlyCategories: null }
const daily = 1

const four: Written[] = [
  [14, 24],
  [13, 23],
  [12, 22],
  [11, 21],
]
type Case = {
  title: string
  stories: Record<number, Written[]>
  reader?: Partial<ReaderState>
  due?: number
  rules?: Partial<SelectionRules>
  stopped?: number[]
  sections: [categoryId: number, articleIds: number[], waiting: number][] | null
  alsoLike?: number[]
  watermarks?: Record<string, number>
}
const cases: Case[] = [
  { title: 'the newest are shown, the rest is counted', stories: { 1: four }, sections: [[1, [14, 13], 2]] },
  {
    title: 'at or below the watermark nothing is new',
    stories: { 1: four },
    reader: { watermarks: { 1: 24 } },
    sections: null,
  },
  {
    title: 'what was in a mail is left out',
    stories: { 1: four },
    reader: { seen: [14, 12] },
    sections: [[1, [13, 11], 0]],
  },
  {
    title: 'a pinned story comes first',
    stories: {
      1: [
        [11, 21, 'pinned'],
        [14, 24],
        [13, 23],
      ],
    },
    sections: [[1, [11, 14], 1]],
  },
  {
    title: 'who is new in a category starts with the latest few, and the rest is counted',
    stories: { 1: four },
    reader: { watermarks: {} },
    sections: [[1, [14, 13], 2]],
    watermarks: { 1: 100 },
  },
  {
    title: "a story of two categories is shown once, in the one that comes first in the subscriber's order",
    stories: {
      1: [
        [14, 24],
        [13, 23],
      ],
      2: [
        [14, 25],
        [15, 26],
      ],
    },
    reader: {
      subscriptions: [
        { categoryId: 1, frequency: 'daily', position: 1 },
        { categoryId: 2, frequency: 'daily', position: 0 },
      ],
    },
    sections: [
      [2, [14, 15], 0],
      [1, [13], 0],
    ],
  },
  {
    title: "without an order of the subscriber's own, the site's holds",
    stories: { 2: [[15, 26]], 1: [[13, 23]] },
    sections: [
      [1, [13], 0],
      [2, [15], 0],
    ],
  },
  {
    title: 'a story that waits in one category but is shown in another is not counted as waiting',
    stories: { 1: four, 2: [[12, 30]] },
    sections: [
      [1, [14, 13], 1],
      [2, [12], 0],
    ],
  },
  {
    title: 'a story that waits in two categories is counted once',
    stories: {
      1: four,
      2: [
        [16, 41],
        [15, 40],
        [12, 30],
      ],
    },
    sections: [
      [1, [14, 13], 2],
      [2, [16, 15], 0],
    ],
  },
  {
    title: 'only the frequencies that are due count, and only their watermarks move',
    stories: { 1: four, 2: [[15, 26]] },
    reader: {
      subscriptions: [
        { categoryId: 1, frequency: 'daily', position: 0 },
        { categoryId: 2, frequency: 'weekly', position: 0 },
      ],
    },
    sections: [[1, [14, 13], 2]],
    watermarks: { 1: 100 },
  },
  {
    title: 'a manual edition shows its own categories only',
    stories: { 1: four, 2: [[15, 26]] },
    due: 7,
    rules: { onlyCategories: [2] },
    sections: [[2, [15], 0]],
    watermarks: { 2: 100 },
  },
  {
    title: 'a category below the minimum waits for company: not shown, watermark kept',
    stories: { 1: four, 2: [[15, 26]] },
    rules: { minimum: 2 },
    sections: [[1, [14, 13], 2]],
    watermarks: { 1: 100 },
  },
  {
    title: 'a category without anything new moves its watermark along',
    stories: { 1: four, 2: [] },
    sections: [[1, [14, 13], 2]],
    watermarks: { 1: 100, 2: 100 },
  },
  { title: 'nothing at all', stories: { 1: [], 2: [] }, sections: null },
  {
    title: 'a retired category is not in the edition and is not asked for',
    stories: { 2: [[15, 26]] },
    sections: [[2, [15], 0]],
    watermarks: { 2: 100 },
  },
  {
    title: 'you may also like: from each category in turn, and no longer counted',
    stories: {
      1: four,
      2: [
        [18, 34],
        [17, 33],
        [16, 32],
        [15, 31],
      ],
    },
    rules: { alsoLike: 3 },
    sections: [
      [1, [14, 13], 0],
      [2, [18, 17], 1],
    ],
    alsoLike: [12, 16, 11],
  },
  {
    title: 'a story without a fragment is counted, never shown',
    stories: {
      1: [
        [14, 24],
        [13, 23],
        [12, 22, 'plain'],
        [11, 21, 'plain'],
      ],
    },
    reader: { seen: [14] },
    rules: { alsoLike: 5 },
    sections: [[1, [13], 2]],
  },
  {
    title: 'a category of which nothing can be shown says how many wait',
    stories: {
      1: [
        [14, 24],
        [12, 22, 'plain'],
        [11, 21, 'plain'],
      ],
      2: [[15, 26]],
    },
    reader: { seen: [14] },
    sections: [
      [1, [], 2],
      [2, [15], 0],
    ],
    watermarks: { 1: 100, 2: 100 },
  },
  {
    title: 'when nothing at all can be shown there is no mail, and the watermarks stay',
    stories: { 1: [[12, 22, 'plain']], 2: [] },
    sections: null,
  },
  {
    title: 'what was stopped is neither shown nor counted',
    stories: { 1: four },
    stopped: [14, 11],
    sections: [[1, [13, 12], 0]],
  },
  {
    title:
      'thousands that wait are counted to the last one, one of two categories once, what was seen or stopped not at all',
    stories: {
      1: Array.from({ length: 3000 }, (_, n): Written => [5000 - n, 5000 - n, n < 5 ? undefined : 'plain']),
      2: Array.from({ length: 1500 }, (_, n): Written => [4000 - n, 9000 - n, n < 5 ? undefined : 'plain']),
    },
    // 2,500 of Politics are new; of World's 1,500 the 500 that politics has not.
    reader: { watermarks: { 1: 2500 }, seen: [5000, 2600, 2400] },
    stopped: [4999, 2501],
    sections: [
      [1, [4998, 4997], 2492],
      [2, [4000, 3999], 0],
    ],
  },
]

for (const each of cases)
  test(`selection: ${each.title}`, () => {
    const found = selectStories(
      edition(each.stories),
      reader(each.reader ?? {}),
      each.due ?? daily,
      { ...rules, ...each.rules },
      new Set(each.stopped),
    )
    assert.deepEqual(
      found && found.sections.map((section) => [section.categoryId, section.articleIds, section.waiting]),
      each.sections,
    )
    if (each.alsoLike) assert.deepEqual(found?.alsoLike, each.alsoLike)
    if (each.watermarks) assert.deepEqual(found?.watermarks, each.watermarks)
  })

// What selection must say, told story by story. The product counts by seqs, shared by all readers with the same watermarks.
function selectSlowly(stories: Record<number, Written[]>, watermarks: Record<number, number>, out: Set<number>) {
  const had = new Set(out)
  const fresh = [1, 2].map((id) => stories[id]!.filter(([, seq]) => seq > (watermarks[id] ?? 0)))
  const shown = fresh.map((list) => {
    const able = list.filter(([id, , mark]) => mark !== 'plain' && !had.has(id)).slice(0, rules.stories)
    for (const [id] of able) had.add(id)
    return able.map(([id]) => id)
  })
  const waiting = fresh.map((list) => {
    const left = list.filter(([id]) => !had.has(id))
    for (const [id] of left) had.add(id)
    return left.length
  })
  const sections = [1, 2].map((id, n) => [id, shown[n]!, waiting[n]!] as const)
  return shown.flat().length === 0 ? null : sections.filter(([, ids, count]) => ids.length > 0 || count > 0)
}

test('whatever the watermarks and whatever was seen: every new story is shown or counted, once', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 20 })
  const list = fc.tuple(ids, fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }))
  const seq = fc.integer({ min: 0, max: 61 })
  fc.assert(
    fc.property(list, list, seq, seq, ids, (one, two, markOne, markTwo, seen) => {
      const written = ([ids, plain]: [number[], boolean[]], add: number) =>
        ids.map((id, n): Written => [id, id * 2 + add, plain[n] ? 'plain' : undefined])
      const stories = { 1: written(one, 0), 2: written(two, 1) }
      const watermarks = { 1: markOne, 2: markTwo }
      const found = selectStories(edition(stories), reader({ watermarks, seen }), daily, rules)
      assert.deepEqual(
        found && found.sections.map((section) => [section.categoryId, section.articleIds, section.waiting]),
        selectSlowly(stories, watermarks, new Set(seen)),
      )
    }),
    { numRuns: 2000 },
  )
})

test('fragments: the first of all, and the first of those above any watermark, however late a story becomes sendable', () => {
  const order = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { maxLength: 120 })
  fc.assert(
    fc.property(order, fc.integer({ min: 1, max: 8 }), (seqs, enough) => {
      const stories = seqs.map((seq) => ({ seq }))
      const rendered = chooseRendered(stories, enough)
      assert.ok(rendered.length <= enough * 4)
      assert.deepEqual(stories.slice(0, enough), rendered.slice(0, enough))
      if (rendered.length >= enough * 3) return
      for (const watermark of [0, ...seqs]) {
        const fresh = stories.filter(({ seq }) => seq > watermark).slice(0, enough)
        assert.deepEqual(rendered.filter(({ seq }) => seq > watermark).slice(0, enough), fresh)
      }
    }),
  )
})

test('a watermark never goes back: an edition that is older than the last mail leaves it where it is', () => {
  const older = edition({ 1: [[11, 21]], 2: four })
  const selection = selectStories(older, reader({ watermarks: { 1: 140, 2: 0 } }), daily, rules)
  assert.deepEqual(selection?.watermarks, { 1: 140, 2: 100 })
})
