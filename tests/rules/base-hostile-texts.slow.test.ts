import assert from 'node:assert/strict'
import { test } from 'node:test'
import vm from 'node:vm'
import { decodeBytes } from '../../src/articles/charset.ts'
import { parseFeedDate } from '../../src/articles/feed-date.ts'
import { parseFeed } from '../../src/articles/feed-formats.ts'
import { readTexts } from '../../src/articles/excerpt.ts'
import { labelOf, personName } from '../../src/articles/feed-parts.ts'
import { feedsOfPage } from '../../src/articles/feeds-of-page.ts'
import { readSourceSet } from '../../src/articles/html-pictures.ts'
import { readHtml } from '../../src/articles/html-reader.ts'
import { cleanSpace, cutAtWord } from '../../src/articles/html-text.ts'
import { resolveLink } from '../../src/articles/links.ts'
import { choosePicture } from '../../src/articles/pictures.ts'
import { plainText } from '../../src/articles/plain-text.ts'
import { titleOf, titleOfText } from '../../src/articles/titles.ts'
import { canonicalLink } from '../../src/articles/canonical-link.ts'
import { identify } from '../../src/articles/identity.ts'
import { runJob } from '../../src/articles/parse-jobs.ts'
import { readMaxAge, readRetryAfter } from '../../src/articles/poll-times.ts'
import { categoriesOfApi, wordpressOfPage } from '../../src/articles/wordpress-page.ts'
import { hubLink } from '../../src/articles/websub.ts'
import { parseEmailAddress } from '../../src/base/email-address.ts'
import { hostileTexts } from '../support/hostile-texts.ts'

/** Time that grows with the length is some hundredths of a second here; with its square, a minute. */
const mostMs = 10_000

/** Ends a function that doesn't end, also inside of a regular expression. */
function within(ms: number, run: () => void): void {
  vm.runInNewContext('run()', { run }, { timeout: ms })
}

function inItem(field: string, text: string): Buffer {
  return Buffer.from(`<rss><channel><item><title>A</title><${field}>${text}</${field}></item></channel></rss>`)
}

const readers: Record<string, (text: string) => unknown> = {
  'excerpt and pictures': (text) => readTexts([{ written: text }, { written: text, isText: true }]),
  'end of an excerpt': (text) => {
    const about = {
      title: text.slice(0, 500),
      link: 'https://l.example/a',
      feedTitle: text,
      siteUrl: 'https://l.example/',
    }
    for (const end of [text.slice(0, 300), text.slice(-300), `${text.slice(0, 300)} […] ${text.slice(0, 200)}`])
      readTexts([{ written: `<p>Low.</p><p>${end}<a href="/">${end}</a></p>` }, { written: end, isText: true }], about)
  },
  title: titleOf,
  'title as text': titleOfText,
  'set of pictures': (text) => readSourceSet(text, null),
  label: labelOf,
  author: (text) => personName(plainText(text)),
  HTML: (text) => readHtml(text, 1000, { allPictures: true }),
  date: parseFeedDate,
  link: (text) => [resolveLink(text, 'https://l.example/a'), resolveLink(`https://l.example/${text}`, null)],
  picture: (text) =>
    choosePicture(
      [{ url: text.slice(0, 4000), width: null, type: '' }],
      [{ url: `/${text}`, width: null, alt: text }],
      'https://l.example/',
    ),
  page: (text) => feedsOfPage(text, 'https://l.example/'),
  'page of a WordPress site': (text) =>
    wordpressOfPage(
      `<link rel="https://api.w.org/" href="/wp-json/">${text}`,
      'https://l.example/',
      text.slice(0, 32_768),
    ),
  'list of feeds': (text) => runJob({ kind: 'feed-list', bytes: Buffer.from(`<opml><outline ${text}`) }),
  'categories of a WordPress site': (text) => {
    const one = { id: 3, name: text, slug: text, description: text, link: `https://l.example/${text}` }
    return categoriesOfApi([one], 'https://l.example/')
  },
  'text of the publisher': (text) =>
    runJob({
      kind: 'texts',
      texts: [{ title: text, link: 'https://l.example/a', excerpt: text, author: text, source: text }],
    }),
  'white space': cleanSpace,
  cut: (text) => cutAtWord(text, 125_000),
  bytes: (text) => decodeBytes(Buffer.from(text, 'latin1')),
}

const documents: Record<string, (text: string) => unknown> = {
  'whole document': (text) => parseFeed(Buffer.from(text)),
  'title that is never closed': (text) => parseFeed(Buffer.from(`<rss><channel><item><title>${text}</title></item>`)),
  'document that has begun': (text) => parseFeed(Buffer.from(`<rss><channel><item><title>${text}`)),
  'document type': (text) => parseFeed(Buffer.from(`<!DOCTYPE rss [${text}`)),
  'escaped text': (text) => parseFeed(inItem('description', text.replaceAll('&', '&amp;').replaceAll('<', '&lt;'))),
  attributes: (text) => parseFeed(Buffer.from(`<rss><channel ${text}`)),
  JSON: (text) =>
    parseFeed(
      Buffer.from(
        `{"items":[{"id":"1","url":${JSON.stringify(text)},"author":{"name":${JSON.stringify(text)}},"date_published":${JSON.stringify(text)}}]}`,
      ),
    ),
  'broken JSON': (text) => parseFeed(Buffer.from(`{"items":[${text}`)),
}

for (const [length, group] of [
  [250_000, readers],
  [100_000, documents],
] as const)
  for (const [name, read] of Object.entries(group))
    test(`hundreds of kilobytes of anything are read in time that grows with their length: ${name}`, () => {
      for (const { name: shape, text } of hostileTexts(length))
        assert.doesNotThrow(() => within(mostMs, () => read(text)), `${name}: ${shape}`)
    })

/** A header has at most 32 kB. */
const shortReaders: Record<string, (text: string) => unknown> = {
  'address of a mail': parseEmailAddress,
  'Link header': (text) => hubLink(text, 'https://l.example/'),
  'Retry-After': (text) => readRetryAfter(text, new Date()),
  'Cache-Control': readMaxAge,
  'charset in a header': (text) => decodeBytes(Buffer.from('<é'), text),
  'canonical link': (text) => canonicalLink(`https://l.example/${text.slice(0, 3900)}`),
  'identity of a hundred entries': (text) => {
    const entry = {
      title: text.slice(0, 500),
      link: `https://l.example/${text.slice(0, 3900)}`,
      guid: `https://l.example/${text.slice(0, 3900)}`,
      publishedAt: null,
      categories: [],
      labels: [],
      author: null,
      source: null,
      excerpt: text.slice(0, 320),
      cut: [],
      image: null,
      imageAlt: null,
      imageRatio: null,
      isImageInText: false,
    }
    const entries = Array.from({ length: 100 }, (_, place) => ({
      entry: { ...entry, guid: `${entry.guid}${place}` },
      publishedAt: null,
      place,
    }))
    identify(entries, { id: 1, url: 'https://l.example/feed', siteUrl: null })
  },
}

test('what a request or a header brings is read in time that grows with its length', () => {
  for (const [name, read] of Object.entries(shortReaders))
    for (const { name: shape, text } of hostileTexts(32_768))
      assert.doesNotThrow(() => within(mostMs / 10, () => read(text)), `${name}: ${shape}`)
})
