import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spliceDigest } from '../../src/digests/splice.ts'
import { wrap } from '../../src/mails/text.ts'
import { makeFrame, makeSource, readMail } from '../support/digest-mail.ts'

test('each title, excerpt, byline and category of a digest has its own direction and side', async () => {
  const source = makeSource(2, 3, (id) =>
    id === 1002
      ? { title: 'רכבת לילה חוזרת!', excerpt: 'Bilingual: הרכבת חוזרת.', author: null, source: 'הארץ' }
      : id === 1003
        ? { title: 'Tide tables', excerpt: '«قطار الليل» يعود غدًا.', author: 'دانا', source: null }
        : {},
  )
  source.categories[1]!.name = 'سياسة'
  const frame = await makeFrame(source)
  const sections = source.categories.map(({ id, stories }) => ({
    categoryId: id,
    articleIds: stories.map(({ articleId }) => articleId),
    waiting: 0,
  }))
  const { mail } = spliceDigest(
    frame,
    { sections, alsoLike: [], watermarks: {} },
    { holder: { id: 42, generation: 0 }, recipient: 'ada@reader.example', timezone: null, subscriptions: [] },
    1,
    new Date(0),
  )
  const { html } = await readMail(mail)
  const right = 'dir="rtl" align="right"'
  for (const [text, dir] of [
    ['רכבת לילה חוזרת!', right],
    ['Bilingual: הרכבת חוזרת.', ''],
    ['הארץ · \u206822 Nov\u2069', right],
    ['Tide tables', ''],
    ['«قطار الليل» يعود غدًا.', right],
    ['By \u2068دانا\u2069 · 22 Nov', ''],
    ['سياسة', right],
  ] as const) {
    // The element around the text, whatever is marked up within it.
    const before = html.slice(0, html.indexOf(`${text}<`))
    assert.notEqual(before, html.slice(0, -1), text)
    const [, attributes] = /.*<(?:h2|h3|p)( [^>]*)>/s.exec(before)!
    assert.equal(/ (dir="\w+"(?: align="\w+")?)/.exec(attributes!)?.[1] ?? '', dir, text)
  }
  assert.match(html, /<html lang="en" dir="ltr"/)
})

test('a wrapped line keeps the direction of its paragraph', () => {
  assert.equal(wrap('שלום English words here', 12), 'שלום English\n\u200fwords here')
  assert.equal(wrap('One word שלום שלום', 9), 'One word\n\u200eשלום שלום')
  assert.equal(wrap('רכבת לילה חוזרת 2026', 10), 'רכבת לילה\nחוזרת 2026')
})
