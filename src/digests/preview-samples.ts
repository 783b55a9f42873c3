// Sample stories for `preview` on a site that has none yet.

import type { SnapshotSource } from './source.ts'
import type { SnapshotArticle } from './story-values.ts'

const samples: Record<string, readonly (readonly [title: string, excerpt: string])[]> = {
  Politics: [
    [
      'Harbour council votes to keep the night ferry',
      'After nine hours and one power cut, the council of Port Lantern decided by a single vote that the night ferry will go on sailing until spring.',
    ],
    [
      'A treaty about fog is signed at last',
      'Both shores of the Lantern Sound have agreed on who may sound which horn, and when.',
    ],
    ['The mayor’s bicycle returns', 'It was found where it had been left, which nobody had thought of.'],
  ],
  Science: [
    [
      'Whales change their tune every eleven years, and now we know why',
      'A choir of forty hydrophones, listening since 1998, has traced the songs of the northern herd to a single composer.',
    ],
    ['Rain gauge on Mount Tern celebrates its first dry year', 'The instrument is fine. The mountain is not.'],
  ],
  Arts: [
    [
      'The lighthouse keeper’s symphony has its first night',
      'Written for strings, two foghorns and a lamp, it was heard as far as the outer islands.',
    ],
  ],
}

export function sampleSource(now: Date): SnapshotSource {
  const articles = new Map<number, SnapshotArticle>()
  const categories = Object.entries(samples).map(([name, stories], index) => ({
    id: index + 1,
    slug: name.toLowerCase(),
    name,
    position: index,
    pageUrl: null,
    stories: stories.map(([title, excerpt]) => {
      const id = articles.size + 1
      articles.set(id, {
        id,
        title,
        excerpt,
        link: `https://stories.example/${id}`,
        imageUrl: null,
        imageAlt: null,
        imageRatio: null,
        author: 'Ada Moss',
        source: 'Lantern Wire',
        publishedAt: new Date(now.getTime() - id * 3_600_000),
      })
      return { articleId: id, seq: id, isPinned: false }
    }),
    others: [],
  }))
  return { editionId: null, intro: '', categories, articles }
}
