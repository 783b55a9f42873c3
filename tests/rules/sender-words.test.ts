import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildMessage } from '../../src/delivery/message.ts'
import PostalMime from 'postal-mime'
import { Refusal } from '../../src/base/errors.ts'
import { readConfig } from '../../src/base/config.ts'
import { everythingDue } from '../../src/db/schema.ts'
import { htmlLimit } from '../../src/digests/layout.ts'
import { fillWords, readSenderWords } from '../../src/digests/sender-words.ts'
import { spliceDigest } from '../../src/digests/splice.ts'
import { messagesFor } from '../../src/messages/messages.ts'
import { mailConfig, makeFrame, makeSource, readMail } from '../support/digest-mail.ts'

const facts = { stories: 9, categories: ['Politics', 'Business'], weekday: 'Tuesday', lead: 'A {stories} lead' }
const english = messagesFor(mailConfig, 'en')
const now = new Date('2026-11-23T06:00:00Z')

test('blanks are filled once, and text around them stays', () => {
  for (const [words, expected] of [
    ['{weekday}: {stories} in {categories}', 'Tuesday: 9 stories in Politics and Business'],
    ['{lead}', 'A {stories} lead'],
    ['  Today  ', 'Today'],
  ] as const)
    assert.equal(fillWords('subject', readSenderWords({ subject: words }).subject, facts, english), expected)
  const fill = (categories: string[], stories = 1) =>
    fillWords('subject', '{stories} in {categories}', { ...facts, stories, categories }, english)
  assert.equal(fill(['Arts']), '1 story in Arts')
  assert.equal(fill(['A', 'B', 'C']), '1 story in A, B and C')
  assert.equal(fill(['A', 'B', 'C', 'D', 'E']), '1 story in A, B and 3 more')
  assert.ok(fillWords('subject', '{lead}', { ...facts, lead: 'ü'.repeat(400) }, english).length <= 150)
})

test('unknown blanks, line ends and words that are too long are refused by their field', () => {
  for (const wrong of ['{story}', '{', 'a } b', '{stories', 'a\r\nBcc: eve@evil.example', 'a\u2028b', 'x'.repeat(201)])
    assert.throws(
      () => readSenderWords({ subject: wrong }),
      (error: Refusal) => error.problems[0]!.field === 'subject',
      wrong,
    )
  assert.deepEqual(readSenderWords({}), { subject: '', preheader: '' })
})

const compose = async (
  words: { subject: string; preheader: string },
  options: { env?: string; source?: ReturnType<typeof makeSource>; zone?: string } = {},
) => {
  const source = { ...(options.source ?? makeSource(3, 4)), words }
  const config = options.env
    ? { ...mailConfig, digest: { ...mailConfig.digest, subject: options.env as 'summary' } }
    : mailConfig
  const frame = await makeFrame(source, config)
  const selection = {
    sections: source.categories.map(({ id, stories }) => ({
      categoryId: id,
      articleIds: stories.map(({ articleId }) => articleId),
      waiting: 0,
    })),
    alsoLike: [],
    watermarks: {},
  }
  const reader = {
    holder: { id: 5, generation: 0 },
    recipient: 'ada@reader.example',
    timezone: options.zone ?? null,
    subscriptions: [],
  }
  const { mail, record } = spliceDigest(frame, selection, reader, everythingDue, now)
  return { mail, record, ...(await readMail(mail)) }
}

test('the site’s rule and an editor’s words say what is in that very mail, in the subscriber’s own day', async () => {
  const none = { subject: '', preheader: '' }
  assert.equal((await compose(none)).mail.subject, 'Story 1001 of the harbour & the <tide>')
  const summary = await compose(none, { env: 'summary' })
  assert.equal(summary.mail.subject, 'Monday: 12 stories in Category 1, Category 2 and Category 3')
  assert.match(summary.html, /mso-hide:all">Story 1001 of the harbour &amp; the &lt;tide&gt;/)
  const own = await compose(
    { subject: '{weekday}!', preheader: '{stories} <b>' },
    { zone: 'Pacific/Kiritimati', env: 'summary' },
  )
  assert.equal(own.mail.subject, 'Monday!')
  assert.match(own.html, /mso-hide:all">12 stories &lt;b&gt;/)
  assert.equal(
    (await compose({ subject: '{weekday}', preheader: '' }, { zone: 'Pacific/Pago_Pago' })).mail.subject,
    'Sunday',
  )
})

test('counts are of what is left after the mail was shortened, and the size stays exact', async () => {
  const source = makeSource(12, 40)
  for (const words of [
    { subject: '{stories}', preheader: '{stories} in {categories}' },
    { subject: '', preheader: '' },
  ]) {
    const { mail, record, html } = await compose(words, { source })
    assert.equal(mail.htmlBytes, Buffer.byteLength(html))
    assert.ok(mail.htmlBytes <= htmlLimit)
    assert.ok(record.articleIds.length < 480)
    if (words.subject) assert.equal(mail.subject, `${record.articleIds.length} stories`)
  }
})

test('what an editor writes arrives as it was written, encoded by RFC 2047', async () => {
  for (const subject of [
    'Häfen & Fähren: {stories}',
    '日本語の件名 {stories}',
    '=?utf-8?Q?trick?= {stories}',
    'مرحبا {stories}',
    '🚢'.repeat(60),
  ]) {
    const { mail } = await compose({ subject, preheader: '' })
    const head = { recipient: 'ada@reader.example', messageId: '<1@news.example>', date: now }
    const bytes = Buffer.concat(await buildMessage(mail, head, null))
    const [headers] = bytes.toString('latin1').split('\r\n\r\n')
    // oxlint-disable-next-line no-control-regex
    assert.match(headers!, /^[\x09\x0a\x0d\x20-\x7e]*$/)
    for (const line of headers!.split('\r\n')) assert.ok(line.length <= 78 || line.startsWith('List-Unsubscribe'), line)
    assert.equal((await PostalMime.parse(bytes)).subject, mail.subject)
  }
  assert.throws(() => readConfig({ DIGEST_SUBJECT: 'sumary' }), /DIGEST_SUBJECT/)
})
