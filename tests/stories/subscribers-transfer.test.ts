// Subscribers in and out by CSV.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Database } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { addCategory } from '../../src/articles/categories.ts'
import { subscribersErase, subscribersExport } from '../../src/commands/subscribers/subscribers.ts'
import { subscribersImport } from '../../src/commands/subscribers/import.ts'
import { findSubscriberByKey, listSubscriptions } from '../../src/subscribers/store.ts'
import { suppressAddress } from '../../src/subscribers/suppression.ts'
import { openMigrated } from '../support/embedded.ts'

let database: Database
let ctx: Context
const folder = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-transfer-'))

before(async () => {
  database = await openMigrated()
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

test('a file is taken row by row; what is wrong is reported with its line and reason', async () => {
  await suppressAddress(ctx, { email: 'gone@example.com', key: 'gone@example.com' }, 'complaint')
  const { code, lines } = await importText(
    '\uFEFFEmail,frequency[politics],frequency[world-news],timezone,status\r\n' +
      'ada@example.com,daily,,Europe/Berlin,active\r\n' +
      'not an address,daily,,,active\r\n' +
      'ADA@example.com,daily,,,active\r\n' +
      'bob@example.com,hourly,,,active\r\n' +
      'cyd@example.com,,,,active\r\n' +
      'gone@example.com,daily,,,active\r\n' +
      '"dan@example.com",off,weekly,Mars/Olympus,active\r\n' +
      'eve@example.com,off,weekly,,unsubscribed\r\n' +
      'fay@example.com,daily,,,pending\r\n',
  )
  assert.equal(code, 0)
  const where = lines.findIndex((line) => line.startsWith('line '))
  assert.deepEqual(lines.slice(where), [
    'line 3: email: is not an e-mail address',
    'line 4: email: comes more than once',
    'line 5: frequency[politics]: must be off, daily, weekly, monthly, not "hourly"',
    'line 8: timezone: That isn’t a time zone we know. Choose one from the list.',
    'line 7: email: is on the suppression list',
    '4 imported, 0 unchanged, 5 rejected, of 9 rows.',
    `Rejected rows: ${path.join(folder, 'in.rejected.csv')}`,
  ])
  assert.ok(lines.some((line) => line.includes('2 become active subscribers: ada@example.com, cyd@example.com')))
  const ada = (await findSubscriberByKey(ctx.db, 'ada@example.com'))!
  assert.equal(ada.status, 'active')
  assert.equal(ada.nextDueAt?.toISOString(), '2026-03-03T06:00:00.000Z')
  assert.equal((await listSubscriptions(ctx.db, ada.id)).length, 1)
  const consent = await ctx.db.selectFrom('consents').selectAll().where('subscriberId', '=', ada.id).executeTakeFirst()
  assert.equal(consent?.action, 'imported')
  assert.equal(consent.wording, 'imported from the old list on 2026-03-02')
  for (const name of ['eve', 'fay']) {
    const one = (await findSubscriberByKey(ctx.db, `${name}@example.com`))!
    assert.equal(one.status, 'unsubscribed')
    assert.equal(one.nextDueAt, null)
  }
  // Without a choice in the file: every category, daily.
  const cyd = (await findSubscriberByKey(ctx.db, 'cyd@example.com'))!
  assert.deepEqual(
    (await listSubscriptions(ctx.db, cyd.id)).map((line) => line.frequency),
    ['daily', 'daily'],
  )
  assert.equal((await ctx.db.selectFrom('deliveries').select('id').execute()).length, 0)
})

test('a dry run says the same and writes nothing; a second run finds everybody there', async () => {
  const text = `email\n${Array.from({ length: 700 }, (_, i) => `reader${i}@example.com`).join('\n')}\n`
  const dry = await importText(text, { dryRun: true, frequency: 'weekly' })
  assert.equal(dry.lines.at(-1), '700 would be imported, 0 unchanged, 0 rejected, of 700 rows.')
  assert.equal(await count(), 0)
  await importText(text, { frequency: 'weekly' })
  assert.equal(await count(), 700)
  const again = await importText(text, { frequency: 'weekly' })
  assert.equal(again.code, 0)
  assert.equal(again.lines.at(-1), '0 imported, 700 unchanged, 0 rejected, of 700 rows.')
})

test('a file without an address is refused in one sentence', async () => {
  await assert.rejects(importText('name,phone\nAda,+44 1\n'), /no e-mail address/)
})

test('an export is imported unchanged, and no cell can run in a spreadsheet', async () => {
  await importText('email,frequency[politics],send_hour\n+boom@example.com,monthly,18\nada@example.com,daily,\n')
  await importText('email,status,order,consent_place\nuna@example.com,unsubscribed,,=HYPERLINK()\n')
  const { out, lines } = outOf()
  const errors: string[] = []
  await subscribersExport(ctx, {}, { ...out, error: (line) => void errors.push(line) })
  const text = lines.join('\n')
  // The address stands as it is, and is reported; other cells get a quote.
  assert.match(text, /^\+boom@example\.com,active,/m)
  assert.match(errors.join(), /1 addresses begin with .* \+boom@example\.com/)
  assert.match(text, /,'=HYPERLINK\(\),/)
  const some = outOf()
  await subscribersExport(ctx, { status: 'unsubscribed' }, some.out)
  assert.deepEqual(
    some.lines.map((line) => line.split(',')[0]),
    ['email', 'una@example.com'],
  )
  await assert.rejects(subscribersExport(ctx, { status: 'gone' }, out), /--status/)
  await sql`truncate subscribers cascade`.execute(ctx.db)
  assert.equal((await importText(text)).lines.at(-1), '3 imported, 0 unchanged, 0 rejected, of 3 rows.')
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
