import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  selectStories,
  type EditionStories,
  type ReaderState,
  type SelectionRules,
} from '../../src/digests/selection.ts'

// Categories 1 (Politics) and 2 (World) in the site's order. A story is written [articleId, seq], newest first, or [id, seq, 'pinned'].
type Written = [articleId: number, seq: number, pinned?: 'pinned']
const edition = (stories: Record<number, Written[]>): EditionStories => ({
  cutoffSeq: 100,
  categories: new Map(
    Object.entries(stories).map(([id, list]) => [
      Number(id),
      {
        id: Number(id),
        position: Number(id),
        stories: list.map(([articleId, seq, pinned]) => ({ articleId, seq, isPinned: pinned === 'pinned' })),
      },
    ]),
  ),
})
const reader = (given: Partial<ReaderState>): ReaderState => ({
  subscriptions: [
    { categoryId: 1, frequency: 'daily', position: 0 },
    { categoryId: 2, frequency: 'daily', position: 0 },
  ],
  watermarks: { 1: 0, 2: 0 },
  seen: [],
  ...given,
})
const rules: SelectionRules = { stories: 2, minimum: 1, alsoLike: 0, onlyCategories: null, rendered: 30 }
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
    title: 'who is new in a category starts with the latest few, and nothing counts as waiting',
    stories: { 1: four },
    reader: { watermarks: {} },
    sections: [[1, [14, 13], 0]],
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
    stories: { 1: four },
    reader: { seen: [14] },
    rules: { rendered: 2, alsoLike: 5 },
    sections: [[1, [13], 2]],
  },
  {
    title: 'a category of which nothing can be shown keeps its watermark',
    stories: { 1: four, 2: [[15, 26]] },
    reader: { seen: [14, 13] },
    rules: { rendered: 2 },
    sections: [[2, [15], 0]],
    watermarks: { 2: 100 },
  },
]

for (const each of cases)
  test(`selection: ${each.title}`, () => {
    const found = selectStories(edition(each.stories), reader(each.reader ?? {}), each.due ?? daily, {
      ...rules,
      ...each.rules,
    })
    assert.deepEqual(
      found && found.sections.map((section) => [section.categoryId, section.articleIds, section.waiting]),
      each.sections,
    )
    if (each.alsoLike) assert.deepEqual(found?.alsoLike, each.alsoLike)
    if (each.watermarks) assert.deepEqual(found?.watermarks, each.watermarks)
  })
