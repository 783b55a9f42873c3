import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runJob } from '../../src/articles/parse-jobs.ts'
import { atomEntry, jsonEntry, only, rssEntry } from '../support/entries.ts'

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

test('a title stays as written if its format says text', () => {
  const titles = ['Why the <script> tag still matters', 'Is a<b or not?', 'Array<string> versus string[]']
  for (const title of [...titles, 'What &amp; is for', 'AT&amp;T', '&#8217; and &lt;b&gt; in HTML', '&copy 2026']) {
    assert.equal(atomEntry(`<title>${escaped(title)}</title>`).title, title)
    assert.equal(atomEntry(`<title type="text"><![CDATA[${title}]]></title>`).title, title)
    assert.equal(jsonEntry({ title }).title, title)
    const pushed = { title, link: 'https://gull.example/a', excerpt: '', author: '', source: '' }
    assert.deepEqual(runJob({ kind: 'texts', texts: [pushed] }), [{ title, excerpt: '', author: null, source: null }])
  }
  assert.equal(atomEntry(`<title type="html">${escaped('<b>Low</b> tide')}</title>`).title, 'Low tide')
})

test('of HTML only what can’t be anything else is markup, and nothing swallows the rest of a title', () => {
  for (const title of [
    'RSS <<<Tutorial>>>',
    'Vec<T>',
    'p<0.05 and n<b for all',
    'Why <p> matters',
    'Low <b>er',
    'I <3 Bergen',
    'The <br> tag, thirty years on',
  ])
    for (const written of [escaped(title), `<![CDATA[${title}]]>`, title]) {
      const entry = rssEntry('', written)
      assert.deepEqual([entry.title, entry.link], [title, 'https://gull.example/2026/tide/'], written)
    }
  for (const [written, title] of [
    ['<b>Low</b> tide', 'Low tide'],
    ['Low<br>tide', 'Low tide'],
    ['<p>Low tide</p>', 'Low tide'],
    ['<span class="x">Low</span> tide <img src="a.gif">', 'Low tide'],
    ['Low tide<script>alert(1)</script>', 'Low tide'],
    ['Low <!-- not --> tide', 'Low tide'],
  ] as const) {
    assert.equal(rssEntry('', escaped(written)).title, title)
    assert.equal(rssEntry('', escaped(escaped(written))).title, title)
  }
})

test('a document in doubly encoded UTF-8 is repaired; one that only speaks of it is not', () => {
  const twice = (text: string) => Buffer.from(text, 'utf8').toString('latin1')
  const document = (title: string) => `<rss><channel><item><title>${title}</title></item></channel></rss>`
  assert.equal(only(document(twice('Café reopens'))).title, 'Café reopens')
  assert.equal(only(document('It’s spelt â€™ here')).title, 'It’s spelt â€™ here')
  assert.equal(only(document('Itâ€™s a â€œcalmâ€\u009d day')).title, 'It’s a “calm” day')
  assert.equal(only(document(twice('Отлив в порту'))).title, 'Отлив в порту')
  assert.equal(only(document('À «Ã©» et «é»')).title, 'À «Ã©» et «é»')
})
