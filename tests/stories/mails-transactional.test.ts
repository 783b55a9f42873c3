import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import PostalMime from 'postal-mime'
import { fixedClock } from '../../src/base/clock.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Context } from '../../src/db/context.ts'
import type { Database } from '../../src/db/connect.ts'
import type { ClaimedDelivery, Mail, MailKind } from '../../src/delivery/composer.ts'
import { transactionalComposers } from '../../src/mails/transactional.ts'
import { openMigrated } from '../support/embedded.ts'

let database: Database
let ctx: Context
const now = new Date('2026-11-23T06:00:00Z')

before(async () => {
  database = await openMigrated()
  const config = readConfig({
    PUBLIC_URL: 'https://news.example',
    SITE_NAME: 'The Whale Gazette',
    SITE_URL: 'https://paper.example',
    LINK_PARAMETERS: 'utm_campaign={edition}',
    SMTP_URL: 'smtp://127.0.0.1:25',
    SECRET_KEY: 'a-secret-of-the-tests-that-is-long-enough',
    MAIL_FROM: 'The Whale Gazette <digest@news.example>',
    POSTAL_ADDRESS: '1 Harbour Street, Port Lantern',
  })
  ctx = { db: database.db, clock: fixedClock(now), config, log: createLog('silent') }
  await ctx.db
    .insertInto('categories')
    .values([
      { slug: 'politics', name: 'Politics', position: 1 },
      { slug: 'arts', name: 'Arts & <Letters>', position: 2 },
    ])
    .execute()
  await ctx.db
    .insertInto('subscribers')
    .values({
      email: 'ada@reader.example',
      emailKey: 'ada@reader.example',
      emailHash: 'h',
      status: 'active',
      timezone: 'Europe/Berlin',
      createdAt: now,
    })
    .execute()
  await ctx.db
    .insertInto('dueTimes')
    .values({ subscriberId: 1, nextDueAt: new Date('2026-11-24T06:00:00Z') })
    .execute()
  await ctx.db
    .insertInto('subscriptions')
    .values([
      { subscriberId: 1, categoryId: 1, frequency: 'weekly', position: 2 },
      { subscriberId: 1, categoryId: 2, frequency: 'daily', position: 1 },
    ])
    .execute()
  await ctx.db
    .insertInto('signupRequests')
    .values({
      subscriberId: 1,
      choices: JSON.stringify({ politics: 'daily', arts: 'monthly' }),
      consentVersion: '1',
      requestedAt: now,
    })
    .execute()
})
after(() => database.close())

test('a confirmation names the choice, carries one link to confirm it, and no advertising', async () => {
  const { mail, text, html } = await compose('confirmation', {
    signupRequestId: 1,
    requestedAt: now.toISOString(),
  })
  assert.equal(mail.subject, 'Please confirm your subscription to The Whale Gazette')
  assert.match(text, /Politics: daily\n {2}Arts & <Letters>: monthly\n/)
  assert.match(html, /Arts &amp; &lt;Letters&gt;/)
  const link = /https:\/\/news\.example\/confirm\?token=1\.[0-9a-z]+\.[\w-]{22}\b/
  assert.match(text, link)
  assert.ok(html.includes(link.exec(text)![0]))
  assert.deepEqual(
    mail.headers.map(([name]) => name),
    ['Auto-Submitted', 'X-Auto-Response-Suppress', 'Content-Language'],
  )
  assert.doesNotMatch(html, /unsubscribe/i)
  assert.doesNotMatch(html, /<img/)
  assert.doesNotMatch(html, /<p[^>]*>(?:(?!<\/p>).)*<table/, 'a table within a paragraph')
})

test('a welcome says in the subscriber’s own time zone when the first digest comes, and how to unsubscribe', async () => {
  const { mail, text } = await compose('welcome', null)
  const flat = text.replace(/\n/g, ' ')
  assert.match(flat, /The first digest comes on Tuesday,? 24 November 2026 at 07:00 \(Europe\/Berlin\)\./)
  assert.match(text, /Arts & <Letters>: daily\n {2}Politics: weekly/)
  assert.match(text, /https:\/\/news\.example\/preferences\?token=/)
  assert.match(text, /https:\/\/news\.example\/unsubscribe\?token=1\.0\./)
  const headers = Object.fromEntries(mail.headers)
  assert.match(headers['List-Unsubscribe']!, /^<https:\/\/news\.example\/unsubscribe\?token=1\.0\.[\w-]{22}>$/)
  assert.equal(headers['List-Unsubscribe-Post'], 'List-Unsubscribe=One-Click')
  assert.equal(headers['List-Id'], '"The Whale Gazette" <newsletter.news.example>')
  assert.equal(headers['Auto-Submitted'], 'auto-generated')
})

test('anyone who unsubscribed gets no welcome', async () => {
  const result = await composeRaw('welcome', null, 99)
  assert.deepEqual(result, { outcome: 'skip', reason: 'cancelled' })
})

test('every other transactional mail has its one link in both parts', async () => {
  const at = now.toISOString()
  for (const [kind, payload, link] of [
    ['preferences-link', null, '/preferences?token='],
    ['address-change', { addressChangeId: 5, requestedAt: at }, '/preferences/address?token='],
    ['sign-in', { linkId: 3, expiresAt: at }, '/admin/sign-in?token='],
    [
      'alert',
      { subject: 'Slot not planned', text: 'First.\n\nSecond <b>.', url: 'https://news.example/admin' },
      '/admin',
    ],
  ] as const) {
    const { text, html } = await compose(kind, payload)
    assert.ok(text.includes(`https://news.example${link}`), kind)
    assert.ok(html.includes(`href="https://news.example${link}`), kind)
    assert.doesNotMatch(text, /\{\{|\}\}|\{%|&\w+;|undefined|\[object/)
    assert.doesNotMatch(html, /\{\{|\}\}|\{%|undefined|\[object/)
    assert.match(text, /1 Harbour Street, Port Lantern/)
    assert.match(html, /1 Harbour Street, Port Lantern/)
    for (const part of [text, html]) assert.match(part, /© \d{4} The Whale Gazette/)
    assert.doesNotMatch(html, /<p[^>]*>(?:(?!<\/p>).)*<table/, 'a table within a paragraph')
  }
})

async function composeRaw(kind: MailKind, payload: Record<string, unknown> | null, subscriberId = 1) {
  const delivery: ClaimedDelivery = {
    id: 1,
    kind,
    lane: 'transactional',
    editionId: null,
    subscriberId,
    recipient: 'ada@reader.example',
    due: 0,
    attempt: 0,
    articleIds: null,
    payload,
  }
  const composers = transactionalComposers(ctx)
  const compose = await composers[kind as keyof typeof composers].prepare([delivery])
  return compose(delivery)
}

async function compose(kind: MailKind, payload: Record<string, unknown> | null) {
  const composed = await composeRaw(kind, payload)
  assert.equal(composed.outcome, 'mail')
  const { mail } = composed as { mail: Mail }
  const { text, html } = await PostalMime.parse(
    Buffer.concat([Buffer.from(`MIME-Version: 1.0\r\nContent-Type: ${mail.contentType}\r\n\r\n`), ...mail.body]),
  )
  for (const line of Buffer.concat(mail.body).toString('latin1').split('\r\n')) assert.ok(line.length <= 76)
  for (const [, link] of html!.matchAll(/ href="([^"]+)"/g))
    assert.match(`${text} `, new RegExp(`${RegExp.escape(link!.replaceAll('&amp;', '&'))}\\s`), kind)
  return { mail, text: text!, html: html! }
}
