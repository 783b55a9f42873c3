import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spliceDigest } from '../../src/digests/splice.ts'
import { makeFrame, makeSource, readMail } from '../support/digest-mail.ts'
import { asWord, propertiesOf, withoutStyle } from '../support/mail-clients.ts'

/** Each looked up at caniemail.com: where a program doesn't know it, the mail is plainer and nothing is lost. */
const reviewed = `
  background background-color color color-scheme supported-color-schemes
  font font-family font-size font-style font-variant font-weight
  letter-spacing line-height text-align text-decoration word-break word-spacing direction
  margin padding border border-top border-bottom border-color border-collapse outline
  display vertical-align width height max-width max-height overflow aspect-ratio object-fit
  -webkit-text-size-adjust -ms-text-size-adjust -ms-interpolation-mode
  mso-table-lspace mso-table-rspace mso-line-height-rule mso-hide`.split(/\s+/)

const html = await digest()

test('a digest uses no CSS that wasn’t looked up', () => {
  assert.deepEqual(
    [...propertiesOf(html)].filter((property) => !reviewed.includes(property)),
    [],
  )
})

test('Word ignores only what makes a digest finer: no space, rule or size of it', () => {
  const { html: read, lost } = asWord(html)
  assert.deepEqual([...lost].sort(), [
    'div max-height',
    'div max-width',
    'div overflow',
    'div width',
    'img aspect-ratio',
    'img height',
    'img object-fit',
    'img width',
  ])
  const opened = (tag: string) => read.match(new RegExp(`<${tag}[ >]`, 'g'))?.length
  for (const tag of ['table', 'tr', 'td']) assert.equal(opened(tag), read.match(new RegExp(`</${tag}>`, 'g'))?.length)
  // A cell ends between a picture and what follows it.
  for (const [, after] of read.matchAll(/<img [^>]*>(.{0,20})/g)) assert.match(after!, /^<\/a><\/td>/)
})

test('without the style sheet thumbnails are 88 pixels wide, and every text has a size of at least 14', () => {
  const bare = withoutStyle(html)
  const widths = [...bare.matchAll(/<img [^>]*width="(\d+)"/g)].map(([, width]) => Number(width))
  assert.deepEqual([...new Set(widths)], [560, 88])
  assert.match(html, /\(min-width: 481px\) \{ \.thumb, \.thumb img \{ width: 128px/)
  for (const [, tag, size] of bare.matchAll(
    /<(\w+)[^>]*[\s;"]font(?:-size)?:(?:italic |bold )?(\d+)px[^>]*>(?!&nbsp;|<a name)/g,
  ))
    if (tag !== 'img' && Number(size) > 0) assert.ok(Number(size) >= 14, `${tag} of ${size}`)
  for (const [paragraph, style] of bare.matchAll(/<(?:p|h\d)[^>]* style="([^"]*)"/g))
    assert.match(style!, /font(?:-size)?:|^margin:(?:0|12px 0 0)$/, paragraph)
})

async function digest(): Promise<string> {
  const frame = await makeFrame(makeSource(3, 8))
  const sections = [1, 2, 3].map((categoryId) => ({
    categoryId,
    articleIds: [1, 2, 3, 4, 5].map((place) => categoryId * 1000 + place),
    waiting: 2,
  }))
  const reader = {
    holder: { id: 42, generation: 0 },
    recipient: 'ada@reader.example',
    timezone: null,
    subscriptions: sections.map(({ categoryId }) => ({
      categoryId,
      frequency: 'daily' as const,
      position: categoryId,
    })),
  }
  const { mail } = spliceDigest(frame, { sections, alsoLike: [1007], watermarks: {} }, reader, 1, new Date(0))
  return (await readMail(mail)).html
}
