// Subscribers in and out by CSV.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { openEmbedded, type Database } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { migrate } from '../../src/db/migrate.ts'
import { addCategory } from '../../src/articles/categories.ts'
import { subscribersErase, subscribersExport } from '../../src/commands/subscribers/subscribers.ts'
import { subscribersImport } from '../../src/commands/subscribers/import.ts'
import { findSubscriberByKey, listSubscriptions } from '../../src/subscribers/store.ts'
import { suppressAddress } from '../../src/subscribers/suppression.ts'

let database: Database
let ctx: Context
const folder = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-transfer-'))

before(async () => {
  database = await openEmbedded('memory://')
  await migrate(database.db)
})
after(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  ctx = {
    db: database.db,
    clock: { now: () => new Date('2026-03-02T10:00:00Z') },
    config: readConfig({}),
    log: createLog('silent'),
  }
  await sql`truncate categories, subscribers, suppressions, deliveries restart identity cascade`.execute(ctx.db)
  for (const name of ['Politics', 'World News']) await addCategory(ctx, { name })
})

function outOf() {
  const lines: string[] = []
  const out = { print: (line: string) => void lines.push(line), progress: () => {}, error: () => {}, isTty: false }
  return { out, lines }
}
async function importText(text: string, options: { dryRun?: boolean; frequency?: string } = {}) {
  const file = path.join(folder, 'in.csv')
  writeFileSync(file, text)
  const { out, lines } = outOf()
  const code = await subscribersImport(ctx, { file, source: 'the old list', ...options }, out, {
    confirm: () => Promise.resolve(true),
  })
  return { code, lines }
}
const count = async () => (await ctx.db.selectFrom('subscribers').select('id').execute()).length

test('a file is taken line by line; what is wrong is reported with its number and reason', async () => {
  await suppressAddress(ctx, { email: 'gone@example.com', key: 'gone@example.com' }, 'complaint')
  const { code, lines } = await importText(
    '\uFEFFEmail,frequency[politics],frequency[world-news],timezone,status\r\n' +
      'ada@example.com,daily,,Europe/Berlin,\r\n' +
      'not an address,daily,,,\r\n' +
      'ADA@example.com,daily,,,\r\n' +
      'bob@example.com,hourly,,,\r\n' +
      'cyd@example.com,,,,\r\n' +
      'gone@example.com,daily,,,\r\n' +
      '"dan@example.com",off,weekly,Mars/Olympus,\r\n' +
      'eve@example.com,off,weekly,,unsubscribed\r\n' +
      'fay@example.com,daily,,,pending\r\n',
  )
  assert.equal(code, 0)
  assert.deepEqual(lines, [
    '9 lines: 1 pending, 2 active, 1 unsubscribed.',
    '  1 rejected: email: is not an e-mail address',
    '  1 rejected: email: comes twice in this file',
    '  1 rejected: frequency[politics]: Choose off, daily, weekly or monthly.',
    '  1 rejected: frequency: chooses no category (--frequency daily chooses all for such lines)',
    '  1 rejected: timezone: That isn’t a time zone we know. Choose one from the list.',
    'line 3: email: is not an e-mail address',
    'line 4: email: comes twice in this file',
    'line 5: frequency[politics]: Choose off, daily, weekly or monthly.',
    'line 6: frequency: chooses no category (--frequency daily chooses all for such lines)',
    'line 8: timezone: That isn’t a time zone we know. Choose one from the list.',
    'line 7: email: is on the suppression list',
    '3 imported, 6 rejected, of 9 lines.',
    `Rejected lines: ${path.join(folder, 'in.rejected.csv')}`,
  ])
  const ada = (await findSubscriberByKey(ctx.db, 'ada@example.com'))!
  assert.equal(ada.status, 'active')
  assert.equal(ada.nextDueAt?.toISOString(), '2026-03-03T06:00:00.000Z')
  assert.equal((await listSubscriptions(ctx.db, ada.id)).length, 1)
  const consent = await ctx.db.selectFrom('consents').selectAll().where('subscriberId', '=', ada.id).executeTakeFirst()
  assert.equal(consent?.action, 'imported')
  assert.equal(consent.wording, 'imported from the old list on 2026-03-02')
  const eve = (await findSubscriberByKey(ctx.db, 'eve@example.com'))!
  assert.equal(eve.status, 'unsubscribed')
  assert.equal(eve.nextDueAt, null)
  assert.equal((await ctx.db.selectFrom('deliveries').select('id').execute()).length, 0)
})

test('a dry run says the same and writes nothing; a second run finds everybody there', async () => {
  const text = `email\n${Array.from({ length: 700 }, (_, i) => `reader${i}@example.com`).join('\n')}\n`
  const dry = await importText(text, { dryRun: true, frequency: 'weekly' })
  assert.deepEqual(dry.lines, ['700 lines: 700 active.', '700 would be imported, 0 rejected, of 700 lines.'])
  assert.equal(await count(), 0)
  await importText(text, { frequency: 'weekly' })
  assert.equal(await count(), 700)
  const again = await importText(text, { frequency: 'weekly' })
  assert.equal(again.code, 1)
  assert.equal(again.lines.at(-2), '0 imported, 700 rejected, of 700 lines.')
})

test('a file without a column named email is refused in one sentence', async () => {
  await assert.rejects(importText('name,mail\nAda,ada@example.com\n'), /one of them "email"/)
})

test('an export comes back by import as it was, and no cell can run in a spreadsheet', async () => {
  await importText('email,frequency[politics],send_hour\n+boom@example.com,monthly,18\nada@example.com,daily,\n')
  const { out, lines } = outOf()
  await subscribersExport(ctx, {}, out)
  const text = lines.join('\n')
  assert.match(text, /^email,status,/)
  assert.match(text, /^'\+boom@example\.com,active,/m)
  await sql`truncate subscribers cascade`.execute(ctx.db)
  assert.equal((await importText(text)).lines.at(-1), '2 imported, 0 rejected, of 2 lines.')
  const boom = (await findSubscriberByKey(ctx.db, '+boom@example.com'))!
  assert.equal(boom.sendHour, 18)
  assert.deepEqual(
    (await listSubscriptions(ctx.db, boom.id)).map((line) => [line.slug, line.frequency]),
    [['politics', 'monthly']],
  )
})

test('erasing by address forgets it, also where nothing was known', async () => {
  await importText('email,frequency[politics]\nada@example.com,daily\n')
  const { out } = outOf()
  assert.equal(await subscribersErase(ctx, { email: 'Ada@example.com' }, out), 0)
  assert.equal(await subscribersErase(ctx, { email: 'nobody@example.com' }, out), 0)
  assert.equal(await count(), 0)
  const rows = await ctx.db.selectFrom('suppressions').selectAll().execute()
  assert.deepEqual(
    rows.map((row) => row.email),
    [null, null],
  )
})
