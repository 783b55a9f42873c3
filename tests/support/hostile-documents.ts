// Whole documents that were made to stop whoever parses them: each within the size that is read, each of another kind.

const longest = 9_000_000
const fill = (piece: string, most = longest) => piece.repeat(Math.floor(most / piece.length))
const item = (inside: string) => `<rss version="2.0"><channel><item><title>A</title>${inside}</item></channel></rss>`
const json = (inside: string) => `{"version":"https://jsonfeed.org/version/1","items":[${inside}]}`
const numbered = (count: number, piece: (n: number) => string, between = '') =>
  Array.from({ length: count }, (_, n) => piece(n)).join(between)

export const hostileDocuments: Record<string, () => string | Buffer> = {
  '40,000 signs in a date': () => item(`<pubDate>${'&lt;'.repeat(40_000)}</pubDate>`),
  'signs in a date': () => item(`<pubDate>${fill('&lt;')}</pubDate>`),
  'raw signs in a date': () => item(`<pubDate>${fill('<')}</pubDate>`),
  'quotes that never close': () => item(`<description><![CDATA[${fill(`<a "'`)}]]></description>`),
  'an author of signs': () => item(`<author>${fill('@(')}</author>`),
  'an endless title': () => item(`<title>${fill('endless ')}`),
  'an endless link': () => item(`<link>https://a.example/${fill('//')}x</link>`),
  'a million levels': () => fill('<a>'),
  'a million levels in a feed': () => `<rss><channel><item>${fill('<a>')}`,
  'a million attributes': () => item(`<a ${numbered(600_000, (n) => `b${n}=""`, ' ')}/>`),
  'a million entries': () => `<rss><channel>${fill('<item/>')}`,
  'elements and attributes, all different': () => item(numbered(290_000, (n) => `<a b${n}="c"/>`)),
  'a million namespaces': () => `<rss ${numbered(400_000, (n) => `xmlns:p${n}="u"`, ' ')}/>`,
  'namespaces at every element': () =>
    `<rss ${numbered(190, (n) => `xmlns:p${n}="u"`, ' ')}><channel>${fill('<a xmlns:b=""/>', 4_300_000)}</channel></rss>`,
  'entities of its own': () =>
    `<!DOCTYPE rss [<!ENTITY e "${'x'.repeat(200)}">]>${item(`<description>${fill('&e;', 3_000_000)}</description>`)}`,
  'millions of entities': () => item(`<description>${fill('&amp;')}</description>`),
  'a base for ten thousand entries': () =>
    `<rss xml:base="https://a.example/${'b'.repeat(3900)}"><channel>${'<item><title>a</title><link>x</link></item>'.repeat(9000)}</channel></rss>`,
  'JSON of a million levels': () => `{"items":${fill('[')}`,
  'JSON of millions of values': () => json(fill('{},') + '{}'),
  'JSON of names, all different': () =>
    `${json('')}`.replace('[]', `[${numbered(450_000, (n) => `{"k${n}":1}`, ',')}]`),
  'JSON with a number of millions of digits': () => json(`{"id":${fill('9')}}`),
  'JSON of escapes': () => json(`{"id":"1","content_html":"${fill('\\u0000')}"}`),
  'strays of another charset': () =>
    Buffer.concat([Buffer.from('<rss><channel><item><title>'), Buffer.from(fill('\xc3\xa9\xff'), 'latin1')]),
  'a page of tags that never close': () => `<html><head>${fill('<link rel="alternate" ')}`,
}
