// The reader's path in the domain: what a sign-up, its repeat, the confirmation and the leaving do to the rows.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Database } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { addCategory, restoreCategory, retireCategory } from '../../src/articles/categories.ts'
import { confirmUrl } from '../../src/subscribers/links.ts'
import { confirm, lookAtConfirmation } from '../../src/subscribers/confirm.ts'
import { confirmAddressChange, requestAddressChange } from '../../src/subscribers/address-change.ts'
import { addressChangeUrl, readLink, resubscribeToken } from '../../src/subscribers/links.ts'
import { changePreferences } from '../../src/subscribers/preferences.ts'
import { eraseSubscriber } from '../../src/subscribers/erase.ts'
import { personalData } from '../../src/subscribers/personal-data.ts'
import { purgeUnconfirmed } from '../../src/subscribers/purge.ts'
import { findSubscriberByKey, listSubscriptions } from '../../src/subscribers/store.ts'
import { startOfDate } from '../../src/subscribers/subscriptions.ts'
import { subscribe } from '../../src/subscribers/subscribe.ts'
import { findSuppression } from '../../src/subscribers/standing.ts'
import { suppressAddress, unsuppress } from '../../src/subscribers/suppression.ts'
import { resubscribe, resubscribeByLink, unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { listTablesNaming } from '../support/database.ts'
import { openMigrated } from '../support/embedded.ts'

let database: Database
let ctx: Context
let now: Date
const origin = { ip: '192.0.2.7', formUrl: '/' }
const config = readConfig({
  PUBLIC_URL: 'https://news.example',
  SITE_NAME: 'The Whale Gazette',
  SMTP_URL: 'smtp://127.0.0.1:2525',
  SECRET_KEY: 'k'.repeat(32),
  MAIL_FROM: 'digest@news.example',
  POSTAL_ADDRESS: '1 Harbour Street',
  TIMEZONE: 'Europe/Berlin',
  DIGEST_HOUR: '7',
  SIGNUPS_PER_IP: '0',
})

before(async () => {
  database = await openMigrated()
})
after(() => database.close())

beforeEach(async () => {
  now = new Date('2026-03-02T10:00:00Z')
  ctx = { db: database.db, clock: { now: () => now }, config, log: createLog('silent') }
  await sql`truncate categories, subscribers, suppressions, form_mails, rate_limits, deliveries restart identity cascade`.execute(
    ctx.db,
  )
  for (const name of ['Politics', 'World News', 'Business']) await addCategory(ctx, { name })
})

const address = { email: 'ada@example.com', key: 'ada@example.com' }
const signUp = (choices: Record<string, 'daily' | 'weekly' | 'monthly'> = { politics: 'daily' }) =>
  subscribe(ctx, { email: address.email, choices, timezone: null, origin })
const ada = async () => (await findSubscriberByKey(ctx.db, address.key))!
const mails = async () =>
  (await ctx.db.selectFrom('deliveries').select('kind').orderBy('id').execute()).map((row) => row.kind)
const later = (hours: number) => (now = new Date(now.getTime() + hours * 3_600_000))
async function confirmationToken() {
  const row = await ctx.db
    .selectFrom('deliveries')
    .select('payload')
    .where('kind', '=', 'confirmation')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  const { signupRequestId, requestedAt } = row.payload as { signupRequestId: number; requestedAt: string }
  return new URL(confirmUrl(config, signupRequestId, new Date(requestedAt))).searchParams.get('token')!
}
async function confirmed(choices?: Record<string, 'daily' | 'weekly' | 'monthly'>) {
  await signUp(choices)
  await confirm(ctx, await confirmationToken(), origin)
  return ada()
}

test('a new reader is pending, with proof of what was asked and one confirmation mail', async () => {
  await signUp()
  assert.equal((await ada()).status, 'pending')
  assert.deepEqual(await mails(), ['confirmation'])
  const consent = await ctx.db.selectFrom('consents').selectAll().executeTakeFirstOrThrow()
  assert.equal(consent.action, 'requested')
  assert.equal(consent.wording, config.site.optInStatement)
  assert.match(consent.wordingVersion, /^[0-9a-f]{12}$/)
  assert.equal(consent.ip, '192.0.2.7')
  assert.deepEqual(consent.detail, { choices: { politics: 'daily' } })
})

test('signing up again while pending replaces the choice that the first mail confirms, and mails nothing more that day', async () => {
  await signUp({ politics: 'daily' })
  await signUp({ business: 'weekly' })
  assert.deepEqual(await mails(), ['confirmation'])
  await confirm(ctx, await confirmationToken(), origin)
  const lines = await listSubscriptions(ctx.db, (await ada()).id)
  assert.deepEqual(
    lines.map((line) => [line.slug, line.frequency]),
    [['business', 'weekly']],
  )
})

test('a mailbox that never answers gets a confirmation a day and three in 30 days, even when it was forgotten in between', async () => {
  const days: number[] = []
  for (let day = 0; day < 62; day++) {
    await signUp()
    days.push((await mails()).length)
    await sql`truncate deliveries`.execute(ctx.db)
    await purgeUnconfirmed(ctx)
    later(24)
  }
  const mailed = days.flatMap((count, day) => (count > 0 ? [day] : []))
  assert.deepEqual(mailed, [0, 1, 2, 30, 31, 32, 60, 61])
  assert.ok(days.every((count) => count <= 1))
})

test('looking at a confirmation changes nothing; pressing the button makes active, says when, and mails one welcome', async () => {
  await signUp()
  const token = await confirmationToken()
  for (let look = 0; look < 20; look++) assert.equal((await lookAtConfirmation(ctx, token)).outcome, 'open')
  assert.equal((await ada()).status, 'pending')
  const result = await confirm(ctx, token, origin)
  assert.equal(result.outcome, 'confirmed')
  const subscriber = await ada()
  assert.equal(subscriber.status, 'active')
  assert.equal(subscriber.nextDueAt?.toISOString(), '2026-03-03T06:00:00.000Z')
  assert.equal(subscriber.frequencies, 1)
  assert.deepEqual(await mails(), ['confirmation', 'welcome'])
  assert.ok(await ctx.db.selectFrom('reading').selectAll().executeTakeFirst())
})

test('pressing the button twice, and at the same moment, counts once', async () => {
  await signUp()
  const token = await confirmationToken()
  const results = await Promise.all([1, 2, 3].map(() => confirm(ctx, token, origin)))
  assert.deepEqual(results.map((result) => result.outcome).sort(), ['confirmed', 'used', 'used'])
  assert.deepEqual(await mails(), ['confirmation', 'welcome'])
})

test('a confirmation link that is a week old confirms nothing', async () => {
  await signUp()
  const token = await confirmationToken()
  later(7 * 24 + 1)
  assert.equal((await lookAtConfirmation(ctx, token)).outcome, 'expired')
  assert.equal((await confirm(ctx, token, origin)).outcome, 'expired')
  assert.equal((await ada()).status, 'pending')
})

test('an active subscriber who signs up again keeps their choice and gets a preferences link', async () => {
  await confirmed({ politics: 'daily' })
  await signUp({ business: 'weekly' })
  await signUp({ business: 'weekly' })
  assert.deepEqual(await mails(), ['confirmation', 'welcome', 'preferences-link'])
  const lines = await listSubscriptions(ctx.db, (await ada()).id)
  assert.deepEqual(
    lines.map((line) => line.slug),
    ['politics'],
  )
})

test('anyone who unsubscribed stays so until a new confirmation, which may follow at once', async () => {
  const { id } = await confirmed()
  await unsubscribe(ctx, id, { way: 'page', origin })
  await signUp({ business: 'weekly' })
  assert.equal((await ada()).status, 'unsubscribed')
  assert.deepEqual(await mails(), ['confirmation', 'welcome', 'confirmation'])
  await confirm(ctx, await confirmationToken(), origin)
  assert.equal((await ada()).status, 'active')
})

test('a suppressed address is mailed nothing, and leaves no row', async () => {
  await suppressAddress(ctx, address, 'complaint')
  await signUp()
  assert.equal(await findSubscriberByKey(ctx.db, address.key), undefined)
  assert.deepEqual(await mails(), [])
})

test('taking a confirmed subscriber off the suppression list makes them active again', async () => {
  const { emailHash } = await confirmed()
  await suppressAddress(ctx, address, 'hard_bounce')
  assert.equal((await ada()).status, 'suppressed')
  assert.equal((await ada()).nextDueAt, null)
  assert.equal(await unsuppress(ctx, emailHash), true)
  assert.equal((await ada()).status, 'active')
  assert.ok((await ada()).nextDueAt)
})

test('leaving is at once, repeatable, and can be taken back for thirty days', async () => {
  const { id } = await confirmed({ politics: 'daily', business: 'monthly' })
  for (let times = 0; times < 3; times++) await unsubscribe(ctx, id, { way: 'one-click', origin })
  assert.equal((await ada()).status, 'unsubscribed')
  assert.equal((await ada()).nextDueAt, null)
  later(29 * 24)
  assert.equal((await resubscribe(ctx, id, origin))!.status, 'active')
  assert.equal((await listSubscriptions(ctx.db, id)).length, 2)
  await unsubscribe(ctx, id, { way: 'page', origin })
  later(31 * 24)
  assert.equal((await resubscribe(ctx, id, origin))!.status, 'unsubscribed')
  const actions = await ctx.db.selectFrom('consents').select('action').orderBy('id').execute()
  assert.deepEqual(
    actions.map((row) => row.action),
    ['requested', 'confirmed', 'withdrawn', 'resubscribed', 'withdrawn'],
  )
})

test('undoing an unsubscribe doesn’t activate anyone who never confirmed', async () => {
  await signUp()
  const { id } = await ada()
  await unsubscribe(ctx, id, { way: 'one-click', origin })
  assert.equal((await resubscribe(ctx, id, origin))!.status, 'unsubscribed')
})

test('preferences keep subscriptions, bits and the next due time together', async () => {
  const { id } = await confirmed({ politics: 'daily' })
  await changePreferences(
    ctx,
    id,
    { choices: { politics: 'off', business: 'weekly' }, weeklyDay: 5, sendHour: 18, timezone: 'America/New_York' },
    origin,
  )
  const subscriber = await ada()
  assert.equal(subscriber.frequencies, 2)
  assert.equal(subscriber.nextDueAt?.toISOString(), '2026-03-06T23:00:00.000Z')
  await changePreferences(ctx, id, { choices: { business: 'off' } }, origin)
  assert.equal((await ada()).nextDueAt, null)
  assert.equal((await ada()).status, 'active')
})

test('the order of categories is the subscriber’s own', async () => {
  const { id } = await confirmed({ politics: 'daily', 'world-news': 'daily', business: 'daily' })
  await changePreferences(ctx, id, { order: ['business', 'world-news'] }, origin)
  const slugs = (await listSubscriptions(ctx.db, id)).map((line) => line.slug)
  assert.deepEqual(slugs, ['business', 'world-news', 'politics'])
  await changePreferences(ctx, id, { sendHour: 9 }, origin)
  assert.deepEqual(
    (await listSubscriptions(ctx.db, id)).map((line) => line.slug),
    slugs,
  )
})

test('a pause ends by itself, at the first slot after it', async () => {
  const { id } = await confirmed()
  const until = startOfDate('2026-03-20', 'Europe/Berlin')
  await changePreferences(ctx, id, { pausedUntil: until }, origin)
  assert.equal((await ada()).nextDueAt?.toISOString(), '2026-03-20T06:00:00.000Z')
  await changePreferences(ctx, id, { pausedUntil: null }, origin)
  assert.equal((await ada()).nextDueAt?.toISOString(), '2026-03-03T06:00:00.000Z')
})

test('a calendar date begins at the local midnight, from Samoa to Baker Island', () => {
  for (const [zone, start] of [
    ['Etc/GMT+12', '2026-03-20T12:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-03-19T10:00:00.000Z'],
    ['Asia/Kathmandu', '2026-03-19T18:15:00.000Z'],
    ['UTC', '2026-03-20T00:00:00.000Z'],
  ] as const)
    assert.equal(startOfDate('2026-03-20', zone).toISOString(), start, zone)
})

test('a retired category keeps its row and its subscribers due, so that they get it when it is offered again', async () => {
  const { id } = await confirmed({ politics: 'daily' })
  await retireCategory(ctx, 'politics')
  await changePreferences(ctx, id, { sendHour: 8 }, origin)
  await unsubscribe(ctx, id, { way: 'page', origin })
  await resubscribe(ctx, id, origin)
  await restoreCategory(ctx, 'politics')
  assert.equal((await ada()).nextDueAt?.toISOString(), '2026-03-03T07:00:00.000Z')
  assert.deepEqual(
    (await listSubscriptions(ctx.db, id)).map(({ slug, frequency }) => [slug, frequency]),
    [['politics', 'daily']],
  )
})

async function addDigest(subscriberId: number, state: 'queued' | 'deferred' | 'sent', isLeased = false) {
  const edition = await ctx.db
    .insertInto('editions')
    .values({ kind: 'manual', state: 'sending', createdAt: now })
    .returning('id')
    .executeTakeFirstOrThrow()
  await ctx.db
    .insertInto('deliveries')
    .values({ editionId: edition.id, subscriberId, recipient: address.email, kind: 'digest', lane: 'digest', state })
    .returning('id')
    .executeTakeFirstOrThrow()
  if (state !== 'sent' && !isLeased)
    await ctx.db.updateTable('deliveries').set({ nextAttemptAt: now }).where('editionId', '=', edition.id).execute()
}

test('an address changes only when the new mailbox confirms, and planned mail goes to the new address', async () => {
  const { id } = await confirmed()
  await addDigest(id, 'sent')
  await addDigest(id, 'queued', true)
  await addDigest(id, 'deferred')
  await addDigest(id, 'queued')
  await requestAddressChange(ctx, id, 'ada@new.example')
  assert.equal((await ada()).id, id)
  const row = await ctx.db
    .selectFrom('deliveries')
    .select(['recipient', 'payload'])
    .where('kind', '=', 'address-change')
    .executeTakeFirstOrThrow()
  assert.equal(row.recipient, 'ada@new.example')
  const { addressChangeId, requestedAt } = row.payload as { addressChangeId: number; requestedAt: string }
  const token = new URL(addressChangeUrl(config, addressChangeId, new Date(requestedAt))).searchParams.get('token')
  assert.equal((await confirmAddressChange(ctx, token, origin)).outcome, 'changed')
  assert.equal((await confirmAddressChange(ctx, token, origin)).outcome, 'used')
  assert.equal((await findSubscriberByKey(ctx.db, 'ada@new.example'))!.id, id)
  const digests = ctx.db.selectFrom('deliveries').select('recipient').where('kind', '=', 'digest').orderBy('id')
  assert.deepEqual(
    (await digests.execute()).map(({ recipient }) => recipient),
    [address.email, address.email, 'ada@new.example', 'ada@new.example'],
  )
})

test('an erased person leaves no row with the address, is kept from an old list, and is a new reader when they sign up again', async () => {
  const { id } = await confirmed()
  assert.ok(JSON.stringify(await personalData(ctx.db, id)).includes(address.email))
  assert.equal(await eraseSubscriber(ctx, id), true)
  assert.deepEqual(await listTablesNaming(ctx, 'ada@'), [])
  assert.ok(await findSuppression(ctx, address))
  await signUp({ business: 'weekly' })
  assert.equal((await ada()).status, 'pending')
  assert.deepEqual(await mails(), ['confirmation'])
  assert.equal((await confirm(ctx, await confirmationToken(), origin)).outcome, 'confirmed')
  assert.equal(await findSuppression(ctx, address), undefined)
  assert.equal((await ada()).status, 'active')
})

for (const reason of ['hard_bounce', 'soft_bounces'] as const)
  test(`an address suppressed for ${reason} is asked once in 30 days, and is mailed again when it confirms`, async () => {
    await confirmed({ politics: 'daily' })
    await suppressAddress(ctx, address, reason)
    await sql`truncate deliveries`.execute(ctx.db)
    const days: number[] = []
    for (let day = 0; day < 62; day++) {
      await signUp({ business: 'weekly' })
      if ((await mails()).length > days.length) days.push(day)
      later(24)
    }
    assert.deepEqual(days, [0, 30, 60])
    assert.equal((await ada()).status, 'suppressed')
    assert.equal((await confirm(ctx, await confirmationToken(), origin)).outcome, 'confirmed')
    assert.equal((await ada()).status, 'active')
    assert.ok((await ada()).nextDueAt)
    assert.equal(await findSuppression(ctx, address), undefined)
  })

test('a confirmation that was mailed before a complaint confirms nothing after it', async () => {
  await signUp()
  await suppressAddress(ctx, address, 'complaint')
  assert.equal((await confirm(ctx, await confirmationToken(), origin)).outcome, 'suppressed')
  assert.equal((await ada()).status, 'suppressed')
})

test('an undo takes back the unsubscribe that it was made for, and no later one', async () => {
  const { id } = await confirmed()
  const first = await unsubscribe(ctx, id, { way: 'page', origin })
  const token = new URL(`x:?t=${resubscribeToken(config, first!, first!.unsubscribedAt!)}`).searchParams.get('t')
  const undo = async () => {
    const link = readLink(config, 'resubscribe', token, now)
    assert.equal(link.outcome, 'valid')
    return link.outcome === 'valid' ? await resubscribeByLink(ctx, link, origin) : undefined
  }
  assert.equal((await undo())!.status, 'active')
  later(1)
  await unsubscribe(ctx, id, { way: 'one-click', origin })
  assert.equal(await undo(), undefined)
  assert.equal((await ada()).status, 'unsubscribed')
})
