// An announcement is Markdown: what an editor writes, and what both parts of the mail say of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Parser } from 'htmlparser2'
import { announcementWriter, checkAnnouncement } from '../../src/digests/announce.ts'
import { messagesFor } from '../../src/messages/messages.ts'
import { htmlLimit } from '../../src/digests/layout.ts'
import { mailConfig, readMail } from '../support/digest-mail.ts'
import { asWord } from '../support/mail-clients.ts'

async function announce(body: string, config = mailConfig) {
  const write = await announcementWriter(config, 7, { subject: 'A note', body }, english)
  const mail = write({ id: 42, generation: 0 }, 'ada@reader.example', new Date(0))
  const { html, text } = await readMail(mail)
  return { html, text: text.replaceAll('\r\n', '\n'), htmlBytes: mail.htmlBytes }
}

/** Without styles and classes: of what stands between the subject and the footer. */
const plain = (html: string) =>
  html.slice(html.indexOf('</h1>'), html.indexOf('You get this because')).replace(/ (?:style|class)="[^"]*"/g, '')

test('plain text reads as it was written: paragraphs, addresses, and nothing else', async () => {
  const { html, text } = await announce(
    'We moved,\r\nat last: see https://a.example/x?y=1&z=2. Fish & <b>chips</b>\r\n\r\n    at www.b.example\r\n=====\r\n\r\nsnake_case 3 * 4 &amp; //c.example',
  )
  assert.match(
    plain(html),
    /<p>We moved, at last: see <a href="https:\/\/a\.example\/x\?y=1&amp;z=2">https:[^<]*<\/a>\. Fish &amp; &lt;b&gt;chips&lt;\/b&gt;<\/p> <p>at www\.b\.example =====<\/p> <p>snake_case 3 \* 4 &amp;amp; \/\/c\.example<\/p>/,
  )
  assert.match(text, /\n\nWe moved, at last: see https:\/\/a\.example\/x\?y=1&z=2\. Fish & <b>chips<\/b>\n\nat www/)
})

test('Markdown: headings below the subject, lists, quotations, pictures with their size, and a button', async () => {
  const { html, text } = await announce(`### News

- one *item*
- two
  1. three

> said

![A ferry](http://x.example/f.jpg "1120x700") ![](https://x.example/g.jpg)

[![](https://x.example/h.jpg)](https://x.example/h)

**[Read it](https://x.example/?a=1&b=2)**

مرحبا **[not a button](https://x.example/n)** [write](mailto:desk@x.example)`)
  const read = plain(html)
  assert.match(
    read,
    /<h2>News<\/h2> <ul> <li>one <em>item<\/em><\/li> <li>two <ol> <li>three<\/li> <\/ol> <\/li> <\/ul>/,
  )
  assert.match(read, /<img src="https:\/\/x\.example\/f\.jpg" alt="A ferry" width="560" height="350">/)
  assert.match(read, /<img src="https:\/\/x\.example\/g\.jpg" alt="" width="560">/)
  assert.match(read, /<a href="https:\/\/x\.example\/h"><img [^>]*alt="https:\/\/x\.example\/h"/)
  assert.match(
    html,
    /<td[^>]* bgcolor="#7a1f2b"[^>]*> ?<a href="https:\/\/x\.example\/\?a=1&amp;b=2"[^>]*> ?Read it ?<\/a>/,
  )
  assert.equal(html.match(/bgcolor="#7a1f2b"/g)?.length, 1)
  assert.match(read, /<p dir="rtl" align="right">مرحبا <strong>/)
  assert.match(
    text,
    /News\n----\n\n- one item\n- two\n {2}1\. three\n\n> said\n\n\[A ferry\]\n\nhttps:\/\/x\.example\/h\n\nRead it:\nhttps:\/\/x\.example\/\?a=1&b=2\n\n/,
  )
  assert.match(text, /not a button <https:\/\/x\.example\/n> write <mailto:desk@x\.example>/)
  // The preheader is the first words.
  assert.match(html, /mso-hide:all">News[^\w]/)
  assert.deepEqual(
    [...asWord(html).lost].filter((one) => /^(?:p|li|h\d) /.test(one)),
    [],
  )
})

test('links to the site carry its parameters, and colours are the site’s', async () => {
  const site = {
    ...mailConfig.site,
    url: 'https://paper.example',
    linkParameters: [['utm_campaign', 'mail-{edition}']] as const,
    light: { ...mailConfig.site.light, accent: '#004466' },
  }
  const { html, text } = await announce('[Us](https://paper.example/a) [Them](https://other.example/a)', {
    ...mailConfig,
    site,
  })
  for (const part of [html, text]) {
    assert.ok(part.includes('https://paper.example/a?utm_campaign=mail-7'))
    assert.doesNotMatch(part, /other\.example\/a\?/)
  }
  assert.match(html, /<a href="https:\/\/paper[^>]*color:#004466/)
})

const english = { say: messagesFor(mailConfig, 'en'), siteTexts: {} }
const hostile = [
  'https://x.example/ä?a=1&b="',
  'http://y.example/p.png',
  'javascript:alert(1)',
  'data:image/png;base64,AA',
  '//z.example',
  'mailto:a@b.example',
  '<script>alert(1)</script>',
  '<https://w.example/>',
  '&quot;{{ site.name }}\u0001recipient\u0001',
  'Wörter 水 مرحبا 👩‍👩‍👧',
  '**[Go](https://x.example/go)**\n\n',
  '\n\n![a](https://x.example/a.png "5x5")\n\n',
]

test('whatever an editor writes: closed tags, safe links, each in the text part, and at most 100,000 bytes', async () => {
  const bits = fc.constantFrom(...'\n\n|\n| |**|*|_|# |- |1. |> |---\n|![|[|]|](|)|"9x9"|\\|`'.split('|'), ...hostile)
  await fc.assert(
    fc.asyncProperty(
      fc.array(bits, { minLength: 1, maxLength: 60 }),
      fc.constantFrom(1, 1, 40),
      async (some, times) => {
        const body = some.join('').repeat(times).slice(0, 20_000)
        try {
          checkAnnouncement(mailConfig, body)
        } catch (cause) {
          assert.match((cause as Error).message, /bytes of HTML/)
          return
        }
        const { html, text, htmlBytes } = await announce(body)
        assert.ok(htmlBytes <= htmlLimit && Buffer.byteLength(html) <= htmlLimit, `${htmlBytes} bytes`)
        const open: string[] = []
        const parser = new Parser({
          onopentag(name, { href, src }) {
            if (href && name === 'a') {
              assert.match(href, /^(?:https?:\/\/|mailto:)/)
              assert.ok(text.includes(href), href)
            }
            if (src) assert.match(src, /^https:\/\//)
            assert.ok(name !== 'script' && (name !== 'table' || open.at(-1) !== 'p'))
            if (!['img', 'meta', 'br'].includes(name)) open.push(name)
          },
          onclosetag(name, isImplied) {
            if (['img', 'meta', 'br'].includes(name)) return
            assert.deepEqual([open.pop(), isImplied], [name, false])
          },
        })
        parser.end(html)
        assert.deepEqual(open, [])
        assert.ok(!html.includes('\u0001'))
      },
    ),
    { numRuns: 150 },
  )
})

test('a text that would be cut off as a mail is refused before it is sent', () => {
  for (const body of ['a\n\n'.repeat(6000), '- a\n'.repeat(5000), '**[a](https://x.example)**\n\n'.repeat(600)])
    assert.throws(() => checkAnnouncement(mailConfig, body), /more than 80000\. Shorten it/)
  checkAnnouncement(mailConfig, 'Ein Satz mit Wörtern, 水 und 👩‍👩‍👧.\n\n'.repeat(450))
})
