import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Parser } from 'htmlparser2'
import { announcementWriter } from '../../src/digests/announce.ts'
import { htmlLimit, type SpliceSelection } from '../../src/digests/layout.ts'
import { messagesFor } from '../../src/messages/messages.ts'
import { spliceDigest } from '../../src/digests/splice.ts'
import type { Frame } from '../../src/digests/frame.ts'
import { makeFrame, makeSource, mailConfig, readMail } from '../support/digest-mail.ts'

const english = { say: messagesFor(mailConfig, 'en'), siteTexts: {} }
const now = new Date('2026-11-23T06:00:00Z')
const reader = (categories: readonly number[]) => ({
  holder: { id: 42, generation: 0 },
  recipient: 'ada@reader.example',
  timezone: 'Europe/Berlin',
  subscriptions: categories.map((categoryId, position) => ({ categoryId, frequency: 'daily' as const, position })),
})
const section = (categoryId: number, stories: number, waiting = 0) => ({
  categoryId,
  articleIds: Array.from({ length: stories }, (_, place) => categoryId * 1000 + place + 1),
  waiting,
})
function splice(frame: Frame, sections: SpliceSelection['sections'], alsoLike: number[] = []) {
  const ids = sections.map(({ categoryId }) => categoryId)
  const watermarks = Object.fromEntries(ids.map((id) => [id, 1_000_000]))
  return spliceDigest(frame, { sections, alsoLike, watermarks }, reader(ids), 1, now)
}

test('any combination of categories and stories is balanced HTML with exactly the chosen sections', async () => {
  const frame = await makeFrame(makeSource(6, 4))
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(
        fc.record({ id: fc.integer({ min: 1, max: 6 }), stories: fc.integer({ min: 1, max: 3 }), waiting: fc.nat(20) }),
        {
          selector: ({ id }) => id,
          minLength: 1,
        },
      ),
      fc.boolean(),
      async (chosen, hasAlso) => {
        const sections = chosen.map(({ id, stories, waiting }) => section(id, stories, waiting))
        const { mail } = splice(frame, sections, hasAlso ? [chosen[0]!.id * 1000 + 4] : [])
        const { html, text } = await readMail(mail)
        const seen = walk(html)
        assert.deepEqual(
          seen.headings,
          chosen.map(({ id }) => `Category ${id}`),
        )
        assert.equal(mail.htmlBytes, Buffer.byteLength(html.trimEnd()) + 2)
        for (const { articleIds } of sections)
          for (const id of articleIds) {
            assert.ok(text.includes(`Story ${id} of the harbour & the <tide>\n`), `${id} in the text`)
            assert.ok(seen.links.includes(`https://stories.example/${id}?a=1&b=2`), `${id} in the HTML`)
          }
      },
    ),
    { numRuns: 60 },
  )
})

test('the text part has every story and link of the HTML part, and the contents lead to stories in the mail', async () => {
  const frame = await makeFrame(makeSource(4, 8))
  const { mail } = splice(frame, [section(1, 5, 12), section(2, 5), section(3, 5), section(4, 1)], [1006, 2006])
  const { html, text } = await readMail(mail)
  const { links, anchors, names, headlines } = walk(html)
  for (const link of links) assert.ok(text.includes(link), link)
  assert.equal(headlines.length, 18)
  for (const headline of headlines) assert.ok(text.includes(headline), headline)
  // Four categories, and of each a story that isn't the lead.
  assert.deepEqual(anchors, ['c1', 's1002', 'c2', 's2001', 'c3', 's3001', 'c4', 's4001'])
  for (const anchor of anchors) assert.ok(names.includes(anchor), anchor)
  for (const part of [html, text]) assert.match(part, /In this edition: 16 stories/)
  assert.match(html, /Category 4<\/span> &nbsp;<span [^>]*>1 story</)
  assert.match(text, /^ {2}Category 4: 1 story$/m)
  assert.match(html, /12 more in Category 1/)
  assert.match(text, /12 more in Category 1/)
  assert.match(html, /You may also like/)
  assert.doesNotMatch(text, /<(p|a|td|div|span)\b|&(amp|lt|nbsp|#39);/)
})

test('fifty long stories stay within the limit, keep the footer, and the rest is counted', async () => {
  const excerpt = 'A very long excerpt that says much and then says it again. '.repeat(20)
  for (const link of ['https://stories.example/', `https://stories.example/${'long-path/'.repeat(60)}`]) {
    const frame = await makeFrame(
      makeSource(4, 50, (id) => ({ excerpt, link: `${link}${id}`, title: `${id} ${'水'.repeat(60)}` })),
    )
    const { mail, record } = splice(frame, [section(1, 50, 3), section(2, 50), section(3, 50), section(4, 50)], [])
    const { html, text } = await readMail(mail)
    const size = Buffer.byteLength(html)
    assert.ok(size <= htmlLimit && size > htmlLimit * 0.9, `${size} bytes`)
    assert.ok(mail.htmlBytes <= htmlLimit)
    assert.match(html, /Unsubscribe<\/a>/)
    assert.match(html, /1 Harbour Street, Port Lantern/)
    assert.deepEqual(walk(html).headings.length, 4)
    const counted = [...html.matchAll(/(\d+) more in Category/g)].reduce((sum, [, count]) => sum + Number(count), 0)
    assert.equal(counted + record.articleIds.length, 203)
    for (const id of record.articleIds) assert.ok(text.includes(`${link}${id}`))
    // The first story of each category goes last.
    for (const id of [1001, 2001, 3001, 4001]) assert.ok(record.articleIds.includes(id))
  }
})

test('a small site of giants: whatever feeds put into titles, links and bylines, the footer stays', async () => {
  const giant = (text: string) => text.repeat(Math.ceil(5000 / text.length))
  const texts = ['T', '水', '👩‍👩‍👧‍👦', 'שלום ', 'a\u0301', '<b>&"\u202e']
  const frame = await makeFrame(
    makeSource(12, 6, (id) => ({
      title: `${id} ${giant(texts[id % texts.length]!)}`,
      excerpt: giant(texts[(id + 1) % texts.length]!),
      author: giant('A'),
      source: giant('水'),
      link: `https://stories.example/${'p'.repeat(5000)}/${id}`,
      imageUrl: `https://stories.example/${'i'.repeat(5000)}`,
    })),
  )
  const { mail, record } = splice(
    frame,
    Array.from({ length: 12 }, (_, index) => section(index + 1, 6)),
  )
  const { html, text } = await readMail(mail)
  assert.ok(Buffer.byteLength(html) <= htmlLimit && mail.htmlBytes <= htmlLimit)
  assert.match(html, /Unsubscribe<\/a>/)
  assert.ok(record.articleIds.length >= 4)
  const { headings, links } = walk(html)
  assert.equal(headings.length, Object.keys(record.watermarks).length)
  for (const link of links) assert.ok(text.includes(link), link.slice(-40))
  for (const id of record.articleIds) assert.ok(new RegExp(`^${id}\\b`, 'm').test(text), `the title of ${id}`)
})

test('a link that leaves no room for anything else leads to the archive instead', async () => {
  const link = `https://stories.example/${'水'.repeat(4000)}`
  const frame = await makeFrame(makeSource(1, 1, () => ({ link })))
  const { mail } = splice(frame, [section(1, 1)])
  const { html } = await readMail(mail)
  assert.ok(mail.htmlBytes <= htmlLimit)
  assert.match(html, /Unsubscribe<\/a>/)
  assert.ok(walk(html).links.every((each) => each.length < 1000))
  assert.ok(walk(html).links.filter((each) => each === 'https://news.example/archive/7').length >= 2)
})

test('a category that finds no room at all keeps its watermark', async () => {
  const link = `https://stories.example/${'x'.repeat(1500)}/`
  const frame = await makeFrame(makeSource(60, 1, (id) => ({ link: `${link}${id}` })))
  const { mail, record } = splice(
    frame,
    Array.from({ length: 60 }, (_, index) => section(index + 1, 1)),
  )
  assert.ok(mail.htmlBytes <= htmlLimit)
  assert.ok(record.articleIds.length > 10 && record.articleIds.length < 60)
  assert.deepEqual(
    Object.keys(record.watermarks)
      .map(Number)
      .sort((a, b) => a - b),
    record.articleIds.map((id) => Math.floor(id / 1000)).sort((a, b) => a - b),
  )
})

test('subject and preheader come from the reader’s own first stories, and no title can forge anything', async () => {
  const evil =
    'Breaking\r\nBcc: victim@example.org\u0001recipient\u0001 <script>alert(1)</script> "quoted" \u202e{{ site.name }}'
  const frame = await makeFrame(
    makeSource(2, 3, (id) =>
      id === 1001 ? { title: evil, link: 'javascript:alert(1)', imageUrl: 'http://evil.example/x.png' } : {},
    ),
  )
  const { mail } = splice(frame, [section(1, 2), section(2, 1)])
  assert.match(mail.subject, /^Breaking Bcc: victim@example\.org recipient <script>/)
  const { html } = await readMail(mail)
  assert.doesNotMatch(html, /<script|javascript:|evil\.example/)
  assert.match(html, /\{\{ site\.name \}\}/)
  const hidden = /<div style="display:none[^>]*>([^<]*)</.exec(html)![1]!
  assert.match(hidden, /^Story 1002 of the harbour &amp; the &lt;tide&gt; · Story 2001/)
  assert.equal(splice(frame, [section(2, 2), section(1, 1)]).mail.subject, 'Story 2001 of the harbour & the <tide>')
})

test('a digest loads nothing from anybody but its pictures, and has headings and a language', async () => {
  const frame = await makeFrame(makeSource(2, 3))
  const { html } = await readMail(splice(frame, [section(1, 3), section(2, 3)]).mail)
  const { sources, alts } = walk(html)
  assert.ok(sources.length > 0 && sources.every((url) => url.startsWith('https://stories.example/')))
  assert.ok(alts.every((alt) => alt === ''))
  assert.doesNotMatch(html, /@import|@font-face|fonts\.|<link/)
  assert.match(html, /<html lang="en"/)
  assert.match(html, /<h1 [^>]*><a [^>]*>The Whale Gazette<\/a><\/h1>/)
})

test('a picture is described in the feed’s words or not at all, has its size, and is no second link for a screen reader', async () => {
  const alts: Record<number, string> = { 1001: 'A ferry <at> night', 1002: 'Story 1002 of the harbour & the <tide>' }
  const source = makeSource(1, 3, (id) => ({ imageUrl: `https://x.example/${id}.png`, imageAlt: alts[id] ?? null }))
  const { html } = await readMail(splice(await makeFrame(source), [section(1, 3)]).mail)
  const pictures = [...html.matchAll(/<a href="([^"]*)" aria-hidden="true" tabindex="-1"><img ([^>]*)>/g)]
  assert.deepEqual(walk(html).alts, ['A ferry <at> night', '', ''])
  assert.equal(pictures.length, 3)
  for (const [, , attributes] of pictures) assert.match(attributes!, / width="\d+" height="\d+" /)
  const spoken = walk(html.replace(/<a [^>]*aria-hidden="true"[\s\S]*?<\/a>/g, '')).links
  for (const id of [1001, 1002, 1003]) assert.equal(spoken.filter((link) => link.includes(`/${id}?`)).length, 1)
})

test('a picture gets a box of the shape that its feed says, else of the usual one, and never a tower or a strip', async () => {
  const ratios: Record<number, number | null> = { 1001: 16 / 9, 1002: null, 1003: 0.25 }
  const source = makeSource(1, 3, (id) => ({ imageUrl: `https://x.example/${id}.png`, imageRatio: ratios[id] ?? null }))
  const { html } = await readMail(splice(await makeFrame(source), [section(1, 3)]).mail)
  assert.deepEqual(
    [...html.matchAll(/ width="(\d+)" height="(\d+)" style="[^"]*aspect-ratio:(\d+\/\d+);/g)].map((match) =>
      match.slice(1),
    ),
    [
      ['560', '315', '560/315'],
      ['88', '59', '88/59'],
      ['88', '110', '88/110'],
    ],
  )
})

test('a lead with its picture, the contents, two stories of each category with thumbnails, then headlines', async () => {
  const source = makeSource(2, 6, (id) => ({ imageUrl: `https://x.example/${id}.png` }))
  const { html } = await readMail(splice(await makeFrame(source), [section(1, 5, 1), section(2, 5)]).mail)
  const places = ['>Category 1</h2>', 'width="560"', 'In this edition', 'width="88"', '>Category 2</h2>'].map((part) =>
    html.indexOf(part),
  )
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
  assert.ok(!places.includes(-1))
  assert.deepEqual(
    [...html.matchAll(/src="https:\/\/x\.example\/(\d+)\.png"/g)].map(([, id]) => Number(id)),
    [1001, 1002, 1003, 2001, 2002],
  )
  const one = await readMail(splice(await makeFrame(source), [section(1, 5)]).mail)
  for (const part of [one.html, one.text]) assert.doesNotMatch(part, /In this edition/)
})

test('a mail too large gives up second stories, then headlines beyond three, and its pictures only then', async () => {
  const frame = await makeFrame(
    makeSource(12, 10, (id) => ({
      imageUrl: `https://x.example/${id}.png`,
      title: `${id} ${'Wörter '.repeat(40)}`,
      link: `https://stories.example/${'long-path/'.repeat(40)}${id}`,
    })),
  )
  const { mail, record } = splice(
    frame,
    Array.from({ length: 12 }, (_, index) => section(index + 1, 10)),
  )
  const { html } = await readMail(mail)
  assert.ok(mail.htmlBytes <= htmlLimit)
  const pictures = [...html.matchAll(/src="https:\/\/x\.example\/(\d+)\.png"/g)].map(([, id]) => Number(id))
  for (let category = 1; category <= 12; category++) {
    assert.ok(pictures.includes(category * 1000 + 1), `the first picture of ${category}`)
    const shown = record.articleIds.filter((id) => Math.floor(id / 1000) === category)
    assert.ok(shown.length >= 4 && shown.length < 10, `${shown.length} shown of ${category}`)
    assert.match(html, new RegExp(`${10 - shown.length} more in Category ${category}<`))
  }
  assert.match(html, /In this edition: \d+ stories/)
})

test('whatever the stories are, a mail has at most 100,000 bytes, as many as it says, and its footer', async () => {
  const words = fc.constantFrom('T', 'Wörter und mehr ', 'مجلس الميناء ', '水', '<b>&"')
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        categories: fc.integer({ min: 1, max: 12 }),
        stories: fc.integer({ min: 1, max: 10 }),
        title: fc.tuple(words, fc.integer({ min: 1, max: 60 })),
        excerpt: fc.tuple(words, fc.nat(60)),
        link: fc.nat(2000),
        image: fc.option(fc.nat(2000)),
        imageRatio: fc.option(fc.double({ min: 0.2, max: 5, noNaN: true })),
        waiting: fc.nat(2000),
      }),
      async ({ categories, stories, title, excerpt, link, image, imageRatio, waiting }) => {
        const source = makeSource(categories, stories, (id) => ({
          title: `${id} ${title[0].repeat(title[1])}`,
          excerpt: excerpt[0].repeat(excerpt[1]),
          link: `https://stories.example/${'l'.repeat(link)}/${id}`,
          imageUrl: image === null ? null : `https://x.example/${'i'.repeat(image)}/${id}.png`,
          imageRatio,
        }))
        const sections = source.categories.map(({ id }) => section(id, stories, waiting))
        const { mail, record } = splice(await makeFrame(source), sections)
        const { html, text } = await readMail(mail)
        assert.ok(mail.htmlBytes <= htmlLimit)
        assert.equal(mail.htmlBytes, Buffer.byteLength(html.trimEnd()) + 2)
        const { links, headlines } = walk(html)
        assert.equal(headlines.length, record.articleIds.length)
        for (const each of links) assert.ok(text.includes(each), each.slice(-40))
        assert.match(html, /Unsubscribe<\/a>/)
      },
    ),
    { numRuns: 25 },
  )
})

test('twelve categories of ten stories fit whole', async () => {
  const source = makeSource(12, 10, (id) => ({ imageUrl: `https://x.example/2026/11/${id}.png` }))
  const sections = Array.from({ length: 12 }, (_, index) => section(index + 1, 10))
  const { mail, record } = splice(await makeFrame(source), sections)
  assert.equal(record.articleIds.length, 120)
  assert.ok(mail.htmlBytes <= htmlLimit)
  assert.equal(walk((await readMail(mail)).html).sources.length, 25)
})

test('a headline from right to left says so, and the mail around it stays', async () => {
  const title = 'مجلس الميناء يصوّت على إبقاء العبّارة الليلية'
  const frame = await makeFrame(makeSource(1, 3, (id) => (id === 1001 ? { title } : {})))
  const { html } = await readMail(splice(frame, [section(1, 3)]).mail)
  assert.match(html, /<html lang="en" dir="ltr"/)
  assert.equal(html.match(/<h3 dir="rtl"/g)?.length, 1)
})

test('headers of a list: one-click first, stable List-Id, Feedback-ID without a person in it, no automatic replies', async () => {
  const digest = splice(await makeFrame(makeSource(1, 1)), [section(1, 1)]).mail
  const write = await announcementWriter(mailConfig, 7, { subject: 'A note', body: 'From the newsroom.' }, english)
  const announcement = write({ id: 42, generation: 0 }, 'ada@reader.example', now)
  for (const [kind, mail] of Object.entries({ scheduled: digest, announcement })) {
    const headers = Object.fromEntries(mail.headers)
    assert.equal(Object.keys(headers).length, mail.headers.length)
    assert.match(headers['List-Unsubscribe']!, /^<https:\/\/news\.example\/unsubscribe\?token=42\.0\.[\w-]{22}&e=\d+>$/)
    assert.equal(headers['List-Unsubscribe-Post'], 'List-Unsubscribe=One-Click')
    assert.equal(headers['List-Id'], '"The Whale Gazette" <newsletter.news.example>')
    assert.match(headers['Feedback-ID']!, new RegExp(`^7:${kind}:broadsheet:[a-z0-9]{5,15}$`))
    assert.equal(headers['Auto-Submitted'], 'auto-generated')
    assert.equal(headers['X-Auto-Response-Suppress'], 'OOF, AutoReply')
    assert.equal(mail.from.address, 'digest@news.example')
  }
})

function walk(html: string) {
  const open: string[] = []
  const headings: string[] = []
  const links: string[] = []
  const sources: string[] = []
  const alts: string[] = []
  /** Where links to this mail itself lead, and what can be led to. */
  const anchors: string[] = []
  const names: string[] = []
  const headlines: string[] = []
  let headline: string | null = null
  let heading: string | null = null
  let conditional = 0
  const parser = new Parser(
    {
      onopentag(name, { href, src, alt, id, name: mark }) {
        if (['img', 'meta', 'br', 'link'].includes(name)) {
          if (src) sources.push(src)
          if (name === 'img') alts.push(alt ?? '')
          return
        }
        open.push(name)
        if (href) (href.startsWith('#') ? anchors : links).push(href.replace(/^#/, ''))
        // Some programs know the one, some the other.
        if (id && id === mark) names.push(id)
        if (name === 'h2') heading = ''
        if (name === 'h3') headline = ''
      },
      ontext(text) {
        if (heading !== null) heading += text
        if (headline !== null) headline += text
      },
      onclosetag(name, isImplied) {
        if (['img', 'meta', 'br', 'link'].includes(name)) return
        assert.equal(isImplied, false, `<${name}> isn't closed`)
        assert.equal(open.pop(), name)
        if (name === 'h2') {
          headings.push(heading!)
          heading = null
        } else if (name === 'h3') {
          headlines.push(headline!)
          headline = null
        }
      },
      // Outlook's tables live in comments: as many are opened as closed.
      oncomment(data) {
        conditional += (data.match(/<table/g) ?? []).length - (data.match(/<\/table/g) ?? []).length
      },
    },
    { recognizeSelfClosing: false },
  )
  parser.end(html)
  assert.deepEqual(open, [])
  assert.equal(conditional, 0)
  return { headings, headlines, links, anchors, names, sources, alts }
}
