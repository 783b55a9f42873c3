// Digests without a database: a frame of made-up stories, and a mail read back as a reader's program would.

import assert from 'node:assert/strict'
import PostalMime from 'postal-mime'
import { readConfig } from '../../src/base/config.ts'
import type { Mail } from '../../src/delivery/composer.ts'
import { openFrame } from '../../src/digests/frame.ts'
import { renderSnapshot } from '../../src/digests/render.ts'
import type { SnapshotSource } from '../../src/digests/source.ts'
import type { SnapshotArticle } from '../../src/digests/story-values.ts'
import { loadTemplate } from '../../src/mails/templates.ts'

export const mailConfig = readConfig({
  PUBLIC_URL: 'https://news.example',
  SITE_NAME: 'The Whale Gazette',
  SMTP_URL: 'smtp://127.0.0.1:25',
  SECRET_KEY: 'a-secret-of-the-tests-that-is-long-enough',
  MAIL_FROM: 'The Whale Gazette <digest@news.example>',
  POSTAL_ADDRESS: '1 Harbour Street, Port Lantern',
  DISCLAIMER: 'Nothing here is advice.',
  DIGEST_STORIES: '50',
})

/** Categories 1…n with stories 1…m each: article id = category × 1000 + place. */
export function makeSource(
  categories: number,
  stories: number,
  article: (id: number) => Partial<SnapshotArticle> = () => ({}),
): SnapshotSource {
  const articles = new Map<number, SnapshotArticle>()
  const list = Array.from({ length: categories }, (_, index) => ({
    id: index + 1,
    slug: `category-${index + 1}`,
    name: `Category ${index + 1}`,
    position: index,
    pageUrl: null,
    stories: Array.from({ length: stories }, (_, place) => {
      const id = (index + 1) * 1000 + place + 1
      articles.set(id, {
        id,
        title: `Story ${id} of the harbour & the <tide>`,
        link: `https://stories.example/${id}?a=1&b=2`,
        excerpt: `What happened in story ${id}, told at some length so that there is something to shorten. `.repeat(3),
        imageUrl: id % 3 ? `https://stories.example/${id}.png` : null,
        imageAlt: null,
        imageRatio: null,
        author: 'Ada Moss',
        source: 'Lantern Wire',
        publishedAt: new Date('2026-11-22T20:00:00Z'),
        ...article(id),
      })
      return { articleId: id, seq: id, isPinned: false }
    }),
    others: [],
  }))
  return { editionId: 7, intro: '', categories: list, articles }
}

export async function makeFrame(source: SnapshotSource, config = mailConfig) {
  const template = await loadTemplate('digest', config.site)
  const snapshot = JSON.parse(JSON.stringify(await renderSnapshot(config, template, source)))
  return openFrame(config, template, snapshot, {
    id: 7,
    kind: 'scheduled',
    cutoffSeq: 1_000_000,
    at: new Date('2026-11-23T06:00:00Z'),
  })
}

export async function readMail(mail: Mail) {
  const body = Buffer.concat(mail.body)
  assert.doesNotMatch(body.toString('latin1'), /[^\x20-\x7e\r\n\t]|\r(?!\n)|(?<!\r)\n/)
  for (const line of body.toString('latin1').split('\r\n')) assert.ok(line.length <= 76, line)
  const parsed = await PostalMime.parse(
    Buffer.concat([Buffer.from(`MIME-Version: 1.0\r\nContent-Type: ${mail.contentType}\r\n\r\n`), body]),
  )
  assert.deepEqual(parsed.attachments, [])
  return { text: parsed.text!, html: parsed.html! }
}
