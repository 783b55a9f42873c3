import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import iconv from 'iconv-lite'
import type { Entry, ParsedFeed } from '../../src/articles/entry.ts'
import { type Origin, parseFeed } from '../../src/articles/feed-formats.ts'

function read(text: string | Uint8Array, origin: Origin = {}): ParsedFeed {
  const reading = parseFeed(typeof text === 'string' ? Buffer.from(text) : text, origin)
  assert.equal(reading.outcome, 'feed', JSON.stringify(reading))
  return (reading as { feed: ParsedFeed }).feed
}

const refusal = (text: string) => {
  const reading = parseFeed(Buffer.from(text))
  return reading.outcome === 'refused' ? reading.reason : 'it was read'
}

const item = (inside: string, channel = '<link>https://lantern.example/</link>') =>
  read(
    `<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
      xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:fb="http://rssnamespace.org/feedburner/ext/1.0">
      <channel>${channel}<item>${inside}</item></channel></rss>`,
  ).entries[0]!

function partly(entry: Entry, expected: Partial<Entry>): void {
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(entry[name as keyof Entry], value, name)
}

test('RSS 2.0 in the dialect of WordPress', () => {
  partly(
    item(`<title>Ships &#038; shoals: it&#8217;s &lt;b&gt;low&lt;/b&gt; tide</title>
      <link> https://lantern.example/ships/?utm_source=rss
      </link><dc:creator><![CDATA[Ada Reed]]></dc:creator><pubDate>Mon, 16 Feb 2026 21:36:43 +0000</pubDate>
      <category><![CDATA[ World News ]]></category><category>Ships, small</category><category></category>
      <guid isPermaLink="false">https://lantern.example/?p=7</guid>
      <description><![CDATA[<p>The tide is low &amp; the gulls are loud. [&#8230;]</p><p>The post <a href="x">Ships</a> appeared first on <a href="y">The Lantern</a>.</p>]]></description>
      <content:encoded><![CDATA[<p><img src="/pixel.gif" width="1" height="1"><img data-src="/pictures/low.jpg" src="data:image/gif;base64,R0"></p>]]></content:encoded>`),
    {
      title: 'Ships & shoals: it’s low tide',
      link: 'https://lantern.example/ships/?utm_source=rss',
      guid: 'https://lantern.example/?p=7',
      publishedAt: new Date('2026-02-16T21:36:43Z'),
      categories: ['World News', 'Ships, small'],
      author: 'Ada Reed',
      excerpt: 'The tide is low & the gulls are loud.',
      image: 'https://lantern.example/pictures/low.jpg',
    },
  )
})

test('a missing link is the permalink guid; FeedBurner’s original link is preferred; relative ones stand against the site', () => {
  assert.equal(item('<title>A</title><guid>https://lantern.example/a</guid>').link, 'https://lantern.example/a')
  assert.equal(item('<title>A</title><guid isPermaLink="false">a-1</guid>').link, null)
  assert.equal(
    item('<link>https://proxy.example/~r/1</link><fb:origLink>https://lantern.example/a</fb:origLink>').link,
    'https://lantern.example/a',
  )
  assert.equal(item('<link>/a?x=1</link>').link, 'https://lantern.example/a?x=1')
  assert.equal(item('<link>/a</link>', '').link, '/a')
  assert.equal(item('<link>javascript:alert(1)</link>').link, null)
  assert.equal(item('<link>https://lantern.example/a?b=1&amp;c=2</link>').link, 'https://lantern.example/a?b=1&c=2')
})

test('declared pictures come before those of the text, wide ones before narrow ones, and videos are none', () => {
  const small = '<media:content url="https://p.example/140.jpg" width="140"/>'
  const wide = '<media:content url="https://p.example/460.jpg" width="460"/>'
  assert.equal(item(small + wide).image, 'https://p.example/460.jpg')
  assert.equal(item(small).image, 'https://p.example/140.jpg')
  assert.equal(item('<enclosure url="https://p.example/a.mp3" type="audio/mpeg"/>').image, null)
  assert.equal(item('<enclosure url="https://p.example/a.jpg" type="image/jpeg"/>').image, 'https://p.example/a.jpg')
  assert.equal(
    item(
      '<media:group><media:content url="https://p.example/v.mp4" type="video/mp4"/><media:thumbnail url="https://p.example/t.jpg"/></media:group>',
    ).image,
    'https://p.example/t.jpg',
  )
})

test('RSS 1.0 has its items beside the channel and is known by rdf:about', () => {
  const feed = read(`<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns="http://purl.org/rss/1.0/" xmlns:d="http://purl.org/dc/elements/1.1/">
    <channel rdf:about="https://lantern.example/"><title>L</title><link>https://lantern.example/</link>
    <items><rdf:Seq><rdf:li rdf:resource="https://lantern.example/1"/></rdf:Seq></items></channel>
    <item rdf:about="https://lantern.example/1"><title>One</title><link>https://lantern.example/1</link>
    <d:date>2026-02-16T21:36:43+00:00</d:date><d:subject>tides</d:subject></item></rdf:RDF>`)
  assert.equal(feed.format, 'rdf')
  partly(feed.entries[0]!, {
    guid: 'https://lantern.example/1',
    categories: ['tides'],
    publishedAt: new Date('2026-02-16T21:36:43Z'),
  })
})

test('Atom 1.0 and 0.3, also with a prefix, with markup in titles and xhtml content', () => {
  const feed = read(`<a:feed xmlns:a="http://www.w3.org/2005/Atom" xml:base="https://lantern.example/news/">
    <a:link rel="self" href="https://lantern.example/atom"/><a:title type="html">The &lt;i&gt;Lantern&lt;/i&gt;</a:title>
    <a:entry><a:id>tag:lantern.example,2026:1</a:id><a:title type="html">Low &lt;b&gt;tide&lt;/b&gt;</a:title>
    <a:link rel="replies" href="replies"/><a:link rel="alternate" type="text/html" href="low-tide"/>
    <a:published>2026-02-16T21:36:43Z</a:published><a:updated>2026-02-17T00:00:00Z</a:updated>
    <a:category term="tides" label="Tides"/><a:category term="gulls"/>
    <a:author><a:name>Ada Reed</a:name></a:author>
    <a:content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One<br/>two <b>three</b>.</p><img src="low.jpg"/></div></a:content>
    </a:entry></a:feed>`)
  assert.deepEqual([feed.format, feed.title], ['atom', 'The Lantern'])
  partly(feed.entries[0]!, {
    title: 'Low tide',
    link: 'https://lantern.example/news/low-tide',
    guid: 'tag:lantern.example,2026:1',
    publishedAt: new Date('2026-02-16T21:36:43Z'),
    categories: ['Tides', 'gulls'],
    author: 'Ada Reed',
    excerpt: 'One two three.',
    image: 'https://lantern.example/news/low.jpg',
  })
  const old =
    read(`<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title mode="escaped">A &amp;amp; B</title>
    <link rel="alternate" href="https://lantern.example/ab"/><issued>2004-05-13T18:30:02Z</issued></entry></feed>`)
  partly(old.entries[0]!, {
    title: 'A & B',
    link: 'https://lantern.example/ab',
    publishedAt: new Date('2004-05-13T18:30:02Z'),
  })
})

test('JSON Feed: numbers as ids, plain text, tags, and one broken item that costs no other', () => {
  const feed = read(
    JSON.stringify({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'L',
      home_page_url: 'https://lantern.example/',
      items: [
        {
          id: 7,
          url: '/seven',
          title: 'Seven',
          content_text: 'a < b & c',
          date_published: '2026-02-16 21:36:43',
          tags: ['x', 3],
        },
        null,
        { id: 'https://lantern.example/8', content_html: '<p>Eight</p>', image: '/8.png', authors: [{ name: 'Ada' }] },
      ],
    }),
  )
  assert.equal(feed.entries.length, 2)
  partly(feed.entries[0]!, {
    guid: '7',
    link: 'https://lantern.example/seven',
    excerpt: 'a < b & c',
    categories: ['x', '3'],
  })
  partly(feed.entries[1]!, {
    title: null,
    link: 'https://lantern.example/8',
    image: 'https://lantern.example/8.png',
    author: 'Ada',
  })
})

test('charsets: what HTTP says, marks, declarations, detection, and stray bytes', () => {
  const rss = (title: string, declaration = '') =>
    `${declaration}<rss><channel><item><title>${title}</title><link>https://l.example/1</link></item></channel></rss>`
  const title = (bytes: Uint8Array, contentType?: string) =>
    read(bytes, { contentType: contentType ?? null }).entries[0]!.title
  assert.equal(
    title(iconv.encode(rss('Привет', '<?xml version="1.0" encoding="windows-1251"?>'), 'windows-1251')),
    'Привет',
  )
  assert.equal(title(iconv.encode(rss('Привет'), 'windows-1251'), 'text/xml; charset=windows-1251'), 'Привет')
  assert.equal(title(iconv.encode(rss('Größe', '<?xml version="1.0" encoding="ISO-8859-1"?>'), 'latin1')), 'Größe')
  assert.equal(title(iconv.encode(rss('Größe'), 'utf-16le', { addBOM: true })), 'Größe')
  assert.equal(title(iconv.encode(rss('Größe'), 'utf-16be')), 'Größe')
  assert.equal(title(Buffer.from(`\ufeff${rss('Größe')}`)), 'Größe')
  assert.equal(title(Buffer.from(rss('Größe')), 'text/xml; charset=iso-8859-1'), 'Größe', 'a habit of servers')
  assert.equal(
    title(iconv.encode(rss('Une école élémentaire à Orléans, près de la forêt'), 'latin1')),
    'Une école élémentaire à Orléans, près de la forêt',
  )
  const stray = Buffer.concat([
    Buffer.from('<rss><channel><item><title>Größe '),
    Buffer.from([0x93]),
    Buffer.from('ä</title></item></channel></rss>'),
  ])
  assert.equal(title(stray), 'Größe “ä')
})

test('what is stored is text: no markup, control characters or hidden directions get through', () => {
  for (const payload of [
    '&lt;script&gt;alert(1)&lt;/script&gt;x',
    '<![CDATA[<img src=x onerror=alert(1)>x]]>',
    '<![CDATA[<svg/onload=alert(1)>x]]>',
    '&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;x',
    '<![CDATA[<a href="javascript:alert(1)">x</a>]]>',
    'x\u202e\u0007',
  ]) {
    const entry = item(`<title>${payload}</title><description>${payload}</description><link>https://l.example/</link>`)
    for (const text of [entry.title!, entry.excerpt]) assert.match(text, /^x/, `${payload} became ${text}`)
  }
  assert.equal(item('<title>It&#146;s &#x85;</title>').title, 'It’s …')
  assert.equal(item('<title>Prices &amp;lt; 5 % and a &lt; b</title>').title, 'Prices < 5 % and a < b')
})

test('elements that are never closed, have a prefix of their own or have no parent are found too', () => {
  const titles = (inside: string) => read(`<rss><channel>${inside}</channel></rss>`).entries.map((entry) => entry.title)
  assert.deepEqual(titles('<x text="a"><y/><item><title>A</title></item><item><title>B</title></item>'), ['A', 'B'])
  assert.deepEqual(titles('<rss:item><rss:title>A</rss:title></rss:item>'), ['A'])
  assert.deepEqual(titles('<item><title>A</title><item/></item><item><title>B</title></item>'), ['A', 'B'])
  assert.equal(read(gzipSync('<rss><channel><item><title>Z</title></item></channel></rss>')).entries[0]!.title, 'Z')
  assert.equal(item('<title>&amp;amp;lt;b&amp;amp;gt;x&amp;amp;lt;/b&amp;amp;gt;</title>').title, 'x')
})

test('bombs and endless documents are refused with a reason, and what is cut off keeps what was whole', () => {
  const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`).join('')
  assert.match(refusal(`<!DOCTYPE rss [<!ENTITY a0 "ha">${entities}]><rss><channel/></rss>`), /entity a1/)
  assert.match(
    refusal(`<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel/></rss>`),
    /external entity/,
  )
  assert.match(refusal(`<!DOCTYPE rss [<!ENTITY long "${'x'.repeat(5000)}">]><rss><channel/></rss>`), /entity long/)
  assert.match(refusal(`<rss><channel>${'<item/>'.repeat(20_000)}</channel></rss>`), /more than 10000 entries/)
  assert.match(refusal(`<rss><channel><item>${'<a>'.repeat(200)}</item></channel></rss>`), /nested/)
  assert.match(refusal(`{"items":${'['.repeat(100_000)}`), /JSON/)
  assert.match(refusal('<!doctype html><html></html>'), /HTML page/)
  assert.match(refusal('   '), /empty/)
  assert.match(refusal('hello'), /neither/)
  const named = read(
    `<!DOCTYPE rss [<!ENTITY eacute "&#233;">]><rss><channel><item><title>Caf&eacute;</title></item></channel></rss>`,
  )
  assert.equal(named.entries[0]!.title, 'Café')
  const cut = read(
    '<rss><channel><item><title>One</title><link>https://l.example/1</link></item><item><title>Two</title><link>https://l.exa',
  )
  assert.deepEqual(
    cut.entries.map((entry) => [entry.title, entry.link]),
    [
      ['One', 'https://l.example/1'],
      ['Two', null],
    ],
  )
})
