import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFeed } from '../../src/articles/feed-formats.ts'
import { feedsOfPage } from '../../src/articles/feeds-of-page.ts'
import { only } from '../support/entries.ts'

const rss = (inside: string) =>
  only(
    `<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
      <link>https://lantern.example/</link><item><title>A</title>${inside}</item></channel></rss>`,
  )
const atom = (inside: string) => only(`<feed xmlns="http://www.w3.org/2005/Atom"><entry>${inside}</entry></feed>`)

test('an entry’s page is the alternate that is HTML, and another of its links only when there is none', () => {
  const other =
    '<link href="https://l.example/data"/><link rel="alternate" type="application/json" href="https://l.example/j"/>'
  const page = '<link rel="alternate" type="text/html" href="https://l.example/page"/>'
  const self = '<link rel="self" href="https://l.example/self"/>'
  assert.equal(atom(`<id>1</id>${other}${page}`).link, 'https://l.example/page')
  assert.equal(atom(`<id>1</id>${other}${self}`).link, 'https://l.example/data')
  assert.equal(atom(`<id>1</id>${self}`).link, 'https://l.example/self')
  assert.equal(atom(`<id>https://l.example/id</id>${self}`).link, 'https://l.example/id')
  assert.equal(atom('<id>1</id><content src="https://l.example/film.mp4" type="video/mp4"/>').link, null)
  assert.equal(
    atom('<id>1</id><content src="https://l.example/text" type="text/html"/>').link,
    'https://l.example/text',
  )
})

test('Atom 0.3 in base64, titles of Dublin Core and of media', () => {
  const coded = (text: string) => Buffer.from(text).toString('base64')
  const old = atom(
    `<title mode="base64">${coded('The <b>low</b> tide')}</title><summary mode="base64">${coded('<p>It was\0 low.</p>')}</summary>`,
  )
  assert.deepEqual([old.title, old.excerpt], ['The low tide', 'It was low.'])
  assert.equal(atom('<dc:title>Low tide</dc:title>').title, 'Low tide')
  assert.equal(atom('<media:group><media:title>Low tide</media:title></media:group>').title, 'Low tide')
  assert.equal(atom('<title type="application/x-own">Low tide</title>').title, 'Low tide')
})

test('a guid stays as it was written, but for the white space around it', () => {
  assert.equal(rss('<guid>\n https://l.example/a\n b </guid>').guid, 'https://l.example/a\n b')
  assert.equal(atom('<id> urn:x:1\n</id>').guid, 'urn:x:1')
})

test('beacons, smileys and icons are no pictures; what only sounds like one is', () => {
  const picture = (url: string) => rss(`<description><![CDATA[<p>Text <img src="${url}"></p>]]></description>`).image
  for (const beacon of [
    'https://stats.example.com/b.gif?x=1',
    'https://l.example/pixel.gif',
    'https://l.example/story-1x1.png',
    'https://l.example/tracker/7',
    'https://s.example/plugins/smileys/twemoji/2/72x72/21a9.png',
    'https://l.example/share-button.png',
    'https://l.example/logo.svg?v=2',
  ])
    assert.equal(picture(beacon), null, beacon)
  for (const good of [
    'https://l.example/2026/encounter.jpg',
    'https://l.example/analytics-rules.webp',
    'https://l.example/pixel-phone.jpg',
    'https://l.example/harbour_v-1x1@2dXL.jpg',
    'https://l.example/another-giant-b.png',
    'https://l.example/web.gif',
  ])
    assert.equal(picture(good), good)
})

test('a declared picture that is an icon gives way to one of the text, a small one does not', () => {
  const inText = '<description><![CDATA[<img src="https://l.example/text.jpg">]]></description>'
  const declared = (width: number) => `<media:thumbnail url="https://l.example/own.jpg" width="${width}"/>`
  assert.equal(rss(declared(72) + inText).image, 'https://l.example/own.jpg')
  assert.equal(rss(declared(16) + inText).image, 'https://l.example/text.jpg')
  assert.equal(rss(declared(16)).image, 'https://l.example/own.jpg')
})

test('a description that is only an address says nothing; the next text is read', () => {
  const description = '<description>https://l.example/a</description>'
  assert.equal(rss(description).excerpt, '')
  assert.equal(rss(`${description}<dc:description>The tide.</dc:description>`).excerpt, 'The tide.')
})

test('JSON Feed with something behind it is read', () => {
  const json = JSON.stringify({
    version: 'https://jsonfeed.org/version/1',
    items: [{ id: 'a', url: 'https://l.example/a' }],
  })
  assert.equal(only(`${json}\n\n__END__\nassert true`).link, 'https://l.example/a')
  assert.equal(parseFeed(Buffer.from(json.slice(0, -4))).outcome, 'refused')
})

test('UTF-8 under the name of a one-byte charset, with strays of that charset, is UTF-8', () => {
  const document = Buffer.concat([
    Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><rss><channel><item><title>Brøndby, Århus, '),
    Buffer.from([0xf8]),
    Buffer.from('</title></item></channel></rss>'),
  ])
  assert.equal(only(document).title, 'Brøndby, Århus, ø')
})

test('a word behind an & is not a sign whose semicolon is missing', () => {
  const title = (text: string) => only(`<rss><channel><item><title>${text}</title></item></channel></rss>`).title
  assert.equal(title('Search ?a=1&amp;region=2&amp;copy=3'), 'Search ?a=1&region=2&copy=3')
  assert.equal(title('Caf&amp;eacute; &amp;copy 2026,&amp;nbspat last'), 'Café © 2026, at last')
  assert.equal(title('&amp;quotLow&amp;quot, they said'), '"Low", they said')
})

test('half a megabyte of anything that never ends is read to its end', () => {
  const half = (piece: string) => piece.repeat(Math.floor(500_000 / piece.length))
  const described = (text: string) =>
    `<rss><channel><item><title>A</title><description><![CDATA[${text}]]></description></item></channel></rss>`
  for (const piece of [
    '<',
    '<a "',
    '<!--',
    '<script>',
    '<img src="x" ',
    '&amp;',
    'The post first appeared first on ',
    '[…] ',
    ' ',
  ])
    assert.equal(only(described(half(piece))).title, 'A', piece)
  assert.equal(only(described(`<img ${half('a')}><p>Text</p>`)).excerpt, 'Text')
  assert.deepEqual(feedsOfPage(half('<link '), 'https://l.example/'), [])
  assert.deepEqual(feedsOfPage(half('<base '), 'https://l.example/'), [])
  const reasons = [
    `<rss><channel><item>${half('<a/>').repeat(3)}</item></channel></rss>`,
    `<rss ${Array.from({ length: 500 }, (_, n) => `xmlns:p${n}="u"`).join(' ')}><channel/></rss>`,
  ].map((document) => {
    const reading = parseFeed(Buffer.from(document))
    return reading.outcome === 'refused' ? reading.reason : 'it was read'
  })
  assert.deepEqual(reasons, ['It has more than 300000 elements.', 'It names more than 200 namespaces.'])
  const many = only(
    `<rss><channel><item><title>A</title>${'<category>x</category>'.repeat(900)}</item></channel></rss>`,
  )
  assert.equal(many.categories.length, 500)
})
