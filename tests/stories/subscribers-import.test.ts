// Lists from elsewhere: nobody who may not be mailed gets in, consent isn't written in our words, and our own export comes back.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { sql } from 'kysely'
import { addCategory, retireCategory } from '../../src/articles/categories.ts'
import { Refusal } from '../../src/base/errors.ts'
import { subscribersExport } from '../../src/commands/subscribers/subscribers.ts'
import { confirm } from '../../src/subscribers/confirm.ts'
import { type ImportArgs, subscribersImport } from '../../src/commands/subscribers/import.ts'
import { confirmUrl } from '../../src/subscribers/links.ts'
import { changePreferences } from '../../src/subscribers/preferences.ts'
import { findSubscriberByKey, listSubscriptions } from '../../src/subscribers/store.ts'
import { subscribe } from '../../src/subscribers/subscribe.ts'
import { findSuppression } from '../../src/subscribers/standing.ts'
import { suppressAddress, unsuppress } from '../../src/subscribers/suppression.ts'
import { unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { Crash, crashingAfter } from '../support/crashing-db.ts'
import { type House, story } from '../support/house.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-imports-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
const newFile = (text: string): string => {
  const file = path.join(folder, `${++files}.csv`)
  writeFileSync(file, text)
  return file
}
const outOf = (isTty = false) => {
  const lines: string[] = []
  return { lines, out: { print: (line: string) => void lines.push(line), progress: () => {}, error: () => {}, isTty } }
}
async function importText({ ctx }: House, text: string, options: Partial<ImportArgs> = {}) {
  const { lines, out } = outOf()
  const file = newFile(text)
  const args = { file, source: 'Old Mailer, list Morning', ...options }
  const code = await subscribersImport(ctx, args, out, { confirm: () => Promise.resolve(false) })
  return { code, lines, file }
}
async function exportText({ ctx }: House): Promise<string> {
  const { lines, out } = outOf()
  await subscribersExport(ctx, {}, out)
  return `${lines.join('\n')}\n`
}
const addCategories = async ({ ctx }: House) => {
  for (const name of ['Politics', 'World News', 'Weather']) await addCategory(ctx, { name })
}
const count = async ({ db }: House, table: 'subscribers' | 'consents' | 'auditLog' | 'imports' | 'deliveries') =>
  (await db.selectFrom(table).selectAll().execute()).length
const origin = { ip: '192.0.2.7', formUrl: '/' }
const address = (email: string) => ({ email, key: email.toLowerCase() })
const idOf = async ({ db }: House, email: string) => (await findSubscriberByKey(db, email))!.id

/** Title, value: each may mean that the address must not be mailed, and isn’t understood. */
const doubtful: [title: string, value: string][] = [
  ['Status', 'half-asleep'],
  ['Hard bounces', '3'],
  ['Liste', 'Bounced'],
  ['MEMBER_RATING', 'cleaned'],
  ['Segment', 'Black-listed'],
  ['type', 'removed'],
  ['note', 'asked to be DELETED in May'],
  ['tags', 'vip; complained'],
  ['Paused', 'no'],
  ['Verification', 'passed'],
  ['GDPR', ''],
  ['', 'inactive'],
]

story('a column or a value that may mean "don’t mail" refuses the whole file, and says the way past', async (house) => {
  await addCategories(house)
  for (const [title, value] of doubtful) {
    const text = `email,${title}\nada@example.com,\nbob@example.com,${value}\ncyd@example.com,${value}\n`
    const shown = title || 'column 2'
    await assert.rejects(importText(house, text), (error) => {
      assert.ok(error instanceof Refusal, String(error))
      assert.match(error.message, new RegExp(`line [123], column "${shown}"`))
      assert.ok(error.message.includes(`--ignore-column "${shown}"`), error.message)
      assert.ok(error.message.includes(`--map "${shown}`), error.message)
      return true
    })
  }
  for (const table of ['subscribers', 'consents', 'auditLog', 'imports'] as const)
    assert.equal(await count(house, table), 0)
  const text = 'email,GDPR,Name\nada@example.com,,Ada\n'
  await importText(house, text, { ignoreColumn: ['gdpr'] })
  assert.equal(await count(house, 'subscribers'), 1)
  await assert.rejects(importText(house, text, { ignoreColumn: ['gdpr', 'Tpyo'] }), /no column "Tpyo"/)
})

story('a doubt in the last line of a long file is found before the first row is written', async (house) => {
  await addCategories(house)
  const lines = Array.from({ length: 1500 }, (_, n) => `reader${n}@example.com,Port Lantern`)
  const text = `email,City\n${lines.join('\n')}\nlast@example.com,unsubscribed\n`
  await assert.rejects(importText(house, text), /line 1502, column "City": "unsubscribed"/)
  assert.equal(await count(house, 'subscribers'), 0)
})

story('columns that say nothing about mail are left out, and told', async (house) => {
  await addCategories(house)
  const { lines } = await importText(
    house,
    'Email,Name,City,Zip,Phone,Company,Birthday,Rating,Tags,Country,id,uuid\n' +
      'ada@example.com,"Lovelace, Ada",Urbana,0123,+44 1,Left & Co,1815-12-10,5,vip;press,United States,7,ab-c\n',
  )
  assert.equal(lines.at(-1), '1 imported, 0 unchanged, 0 rejected, of 1 rows.')
  assert.ok(
    lines.includes('    Columns that are left out: Name, City, Zip, Phone, Company, Birthday, Rating, Country'),
    lines.join('\n'),
  )
})

story('the statuses of our own export are kept, also after a suppression is removed', async (house) => {
  await addCategories(house)
  await importText(
    house,
    'email,status,unsubscribed_at\nada@example.com,UNSUBSCRIBED,2024-03-01 10:00:00\nbob@example.com,,2024-03-01\n' +
      'cyd@example.com,suppressed,\ndan@example.com,active,\neve@example.com,active,2024-03-01\n',
  )
  const statuses = { ada: 'unsubscribed', bob: 'unsubscribed', cyd: 'suppressed', dan: 'active', eve: 'unsubscribed' }
  for (const [email, status] of Object.entries(statuses))
    assert.equal((await findSubscriberByKey(house.db, `${email}@example.com`))?.status, status, email)
  const ada = (await findSubscriberByKey(house.db, 'ada@example.com'))!
  assert.equal(ada.unsubscribedAt?.toISOString(), '2024-03-01T10:00:00.000Z')
  assert.equal(ada.confirmedAt, null)
  const cyd = (await findSuppression(house.ctx, address('cyd@example.com')))!
  assert.equal(cyd.reason, 'manual')
  assert.equal(cyd.email, 'cyd@example.com')
  assert.equal(cyd.detail, 'imported from Old Mailer, list Morning on 2026-03-02')
  // Taken off the list by an editor, one who never confirmed here must sign up.
  await unsuppress(house.ctx, cyd.emailHash)
  assert.equal((await findSubscriberByKey(house.db, 'cyd@example.com'))?.status, 'unsubscribed')
})

story('of two lines of one address the stricter one counts, in any order', async (house) => {
  await addCategories(house)
  const { lines } = await importText(
    house,
    'email,status\nada@example.com,active\nADA@example.com,unsubscribed\nbob@example.com,suppressed\nbob@example.com,active\n',
  )
  assert.match(lines.join('\n'), /1 unsubscribed there.*\n.*1 are blocked there/)
  assert.equal((await findSubscriberByKey(house.db, 'ada@example.com'))?.status, 'unsubscribed')
  assert.equal((await findSubscriberByKey(house.db, 'bob@example.com'))?.status, 'suppressed')
})

story('the consent record says where it came from, never our wording; one audit line per import', async (house) => {
  await addCategories(house)
  await importText(
    house,
    'email,created_at,confirmed_at,consent_ip,consent_place\n' +
      'ada@example.com,2023-01-02T03:04:05Z,2023-01-02 03:10,192.0.2.9,https://old.example/form\n' +
      'bob@example.com,,,,\n',
  )
  const ada = await idOf(house, 'ada@example.com')
  const consent = await house.db.selectFrom('consents').selectAll().where('subscriberId', '=', ada).executeTakeFirst()
  assert.equal(consent?.wording, 'imported from Old Mailer, list Morning on 2026-03-02')
  assert.equal(consent.ip, '192.0.2.9')
  assert.equal(consent.formUrl, 'https://old.example/form')
  assert.deepEqual(consent.detail['said'], {
    created_at: '2023-01-02T03:04:05Z',
    confirmed_at: '2023-01-02 03:10',
    consent_ip: '192.0.2.9',
    consent_place: 'https://old.example/form',
  })
  // Where a file says when people confirmed, one without such a time may never have done so.
  assert.equal((await findSubscriberByKey(house.db, 'bob@example.com'))?.status, 'unsubscribed')
  const [line, ...others] = await house.db.selectFrom('auditLog').selectAll().execute()
  assert.equal(others.length, 0)
  assert.equal(line?.action, 'subscribers.imported')
  assert.equal(line.detail['source'], 'Old Mailer, list Morning')
  assert.deepEqual([line.detail['rows'], line.detail['subscribed'], line.detail['pending']], [2, 1, 1])
  assert.match(String(line.detail['hash']), /^[0-9a-f]{64}$/)
  await importText(house, 'email\neve@example.com\n', { dryRun: true })
  assert.equal(await count(house, 'auditLog'), 1)
  for (const source of ['', '  \n'])
    await assert.rejects(importText(house, 'email\neve@example.com\n', { source }), /where the addresses come from/)
})

story('our own export is imported unchanged', async (house) => {
  await addCategories(house)
  await addCategory(house.ctx, { name: 'Retired' })
  const start = house.clock.now()
  const names = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay', 'gil', 'old']
  for (const name of names) {
    const choices = { politics: 'weekly', weather: 'daily', retired: 'daily' } as const
    await subscribe(house.ctx, { email: `${name}@example.com`, choices, timezone: 'Europe/Berlin', origin })
    if (['fay', 'old'].includes(name)) continue
    const request = await house.db
      .selectFrom('signupRequests')
      .select('id')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow()
    const token = new URL(confirmUrl(house.config, request.id, start)).searchParams.get('token')
    assert.equal((await confirm(house.ctx, token, origin)).outcome, 'confirmed')
  }
  await retireCategory(house.ctx, 'retired')
  await changePreferences(
    house.ctx,
    await idOf(house, 'ada@example.com'),
    {
      choices: { 'world-news': 'monthly' },
      order: ['weather', 'politics'],
      sendHour: 18,
      weeklyDay: 5,
      monthlyDay: 31,
      timezone: 'Asia/Tokyo',
      locale: 'de',
      pausedUntil: new Date('2026-04-01T00:00:00Z'),
    },
    origin,
  )
  const off = { politics: 'off', weather: 'off' } as const
  await changePreferences(house.ctx, await idOf(house, 'bob@example.com'), { choices: off }, origin)
  await unsubscribe(house.ctx, await idOf(house, 'cyd@example.com'), { way: 'page', origin })
  await suppressAddress(house.ctx, address('dan@example.com'), 'complaint')
  await suppressAddress(house.ctx, address('eve@example.com'), 'hard_bounce')
  await unsubscribe(house.ctx, await idOf(house, 'gil@example.com'), { way: 'page', origin })
  await suppressAddress(house.ctx, address('gil@example.com'), 'manual')
  const longAgo = new Date(start.getTime() - 8 * 86_400_000)
  const old = await idOf(house, 'old@example.com')
  await house.db.updateTable('subscribers').set({ createdAt: longAgo }).where('id', '=', old).execute()
  await house.db.updateTable('signupRequests').set({ requestedAt: longAgo }).where('subscriberId', '=', old).execute()

  const before = await exportText(house)
  const due = await house.db.selectFrom('dueTimes').select('nextDueAt').orderBy('subscriberId').execute()
  await house.db.deleteFrom('subscribers').execute()
  await house.db.deleteFrom('suppressions').execute()
  house.clock.advance('1h')
  const { lines } = await importText(house, before)
  assert.deepEqual(
    lines.filter((line) => line.startsWith('line')),
    ['line 9: requested_at: is over 7 days ago, and the sign-up was never confirmed'],
  )
  const after = await exportText(house)
  const withoutOld = before.split('\n').filter((line) => !line.startsWith('old@'))
  // Those who aren't mailed are written first.
  assert.deepEqual(after.split('\n').toSorted(), withoutOld.toSorted())
  assert.deepEqual(await house.db.selectFrom('dueTimes').select('nextDueAt').orderBy('subscriberId').execute(), due)
  assert.equal((await findSuppression(house.ctx, address('dan@example.com')))?.reason, 'complaint')
  const order = await listSubscriptions(house.db, await idOf(house, 'ada@example.com'))
  assert.deepEqual(
    order.map((line) => line.slug),
    ['weather', 'politics', 'world-news'],
  )
  const requests = await house.db.selectFrom('signupRequests').selectAll().execute()
  assert.deepEqual(
    requests.map((one) => one.choices),
    [{ politics: 'weekly', weather: 'daily', retired: 'daily' }],
  )
  // Restored by an editor, one who had confirmed is active again; one who had unsubscribed isn't.
  for (const [name, status] of Object.entries({ dan: 'active', gil: 'unsubscribed' })) {
    const { emailHash } = (await findSuppression(house.ctx, address(`${name}@example.com`)))!
    await unsuppress(house.ctx, emailHash)
    assert.equal((await findSubscriberByKey(house.db, `${name}@example.com`))?.status, status)
  }
})

story('rejected lines are in a file that can be corrected and imported; an erased address stays out', async (house) => {
  await addCategories(house)
  await suppressAddress(house.ctx, address('gone@example.com'), 'erasure')
  const { file } = await importText(
    house,
    'Email,Name,status\nada@example,Ada,active\nbob@example.com,"Bob, Jr",active\ngone@example.com,Gert,blocked\nfew@example.com\n',
  )
  const rejected = file.replace('.csv', '.rejected.csv')
  assert.deepEqual(readFileSync(rejected, 'utf8').trim().split('\n'), [
    'Email,Name,status,rejected_line,rejected_because',
    'gone@example.com,Gert,blocked,4,"email: was erased here, and stays out"',
    'ada@example,Ada,active,2,email: is not an e-mail address',
    'few@example.com,,,5,line: has fewer cells than there are columns',
  ])
  await importText(
    house,
    readFileSync(rejected, 'utf8').replace('ada@example,', 'ada@example.com,').replace(',,,5', ',,active,5'),
  )
  assert.equal((await findSubscriberByKey(house.db, 'ada@example.com'))?.status, 'active')
  assert.equal(await findSubscriberByKey(house.db, 'gone@example.com'), undefined)
})

story('on a terminal somebody is asked after the report; a pipe and a broken file are sentences', async (house) => {
  await addCategories(house)
  const ask = async (answer: boolean, yes = false) => {
    const { lines, out } = outOf(true)
    const args = { file: newFile('email\nada@example.com\n'), source: 'x', frequency: 'daily', yes }
    await subscribersImport(house.ctx, args, out, { confirm: () => Promise.resolve(answer) })
    return lines
  }
  await assert.rejects(ask(false), /Nothing was imported/)
  assert.equal(await count(house, 'subscribers'), 0)
  assert.equal((await ask(true)).at(-1), '1 imported, 0 unchanged, 0 rejected, of 1 rows.')
  assert.equal((await ask(false, true)).at(-1), '0 imported, 1 unchanged, 0 rejected, of 1 rows.')
  const args = { source: 'x', frequency: 'daily' }
  const { out } = outOf()
  const parts = { confirm: () => Promise.resolve(true) }
  await assert.rejects(subscribersImport(house.ctx, { ...args, file: '/dev/null' }, out, parts), /not a file/)
  await assert.rejects(importText(house, ''), /is empty/)
  await assert.rejects(importText(house, 'name,city\nAda,Urbana\n'), /no e-mail address/)
  await assert.rejects(importText(house, 'email,frequency[golf]\na@b.example,daily\n'), /a category that isn’t here/)
})

story('an import that is stopped writes nothing more, and continues when it is run again', async (house) => {
  await addCategories(house)
  const text = `email\n${Array.from({ length: 2900 }, (_, n) => `reader${n}@example.com`).join('\n')}\n`
  const stopping = new AbortController()
  const { out } = outOf()
  const errors: string[] = []
  const stopped = {
    ...out,
    error: (line: string) => void errors.push(line),
    print: (line: string) => {
      if (line.includes('2,900 rows')) queueMicrotask(() => stopping.abort())
    },
  }
  const args = { file: newFile(text), source: 'x', frequency: 'daily' }
  const parts = { confirm: () => Promise.resolve(true), signal: stopping.signal }
  assert.equal(await subscribersImport(house.ctx, args, stopped, parts), 130)
  assert.match(errors.join(), /the same command continues/)
  assert.ok((await count(house, 'subscribers')) < 2900)
  await importText(house, text, { source: 'x' })
  assert.equal(await count(house, 'subscribers'), 2900)
  assert.equal(await count(house, 'auditLog'), 1)
})

story(
  'an import that is killed again and again ends as one that was not; a twentieth of its rows has each fault',
  async (house) => {
    await addCategories(house)
    const rows = Array.from({ length: 2400 }, (_, n) => {
      const address = `reader${n}@example${n % 50}.com`
      const faults = [
        `${address},Reader,Unsubscribed,2024-03-01`,
        `${address},Reader,Bounced,`,
        `reader${n - 1}@example${(n - 1) % 50}.com,Reader,Subscribed,`,
        `reader${n} at example.com,Reader,Subscribed,`,
        `${address},Reader`,
        `${address},"Reader,Subscribed,`,
      ]
      return faults[n % 20] ?? `${address},"Reader, ${n}",Subscribed,`
    })
    const text = `Email,Name,Status,Unsubscribed at\n${rows.join('\n')}\n`
    const kept: number[] = []
    for (let statements = 6, isOver = false; !isOver; statements += 5) {
      kept.push(await count(house, 'subscribers'))
      const ctx = { ...house.ctx, db: crashingAfter(house.db, statements) }
      isOver = await importText({ ...house, ctx }, text, { source: 'x' }).then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof Crash)
          return false
        },
      )
    }
    assert.ok(
      kept.some((some) => some > 0 && some < 1920),
      `some rows were there after a kill: ${kept.join()}`,
    )
    const { rows: states } = await sql<{ status: string; count: number }>`
    select status, count(*)::int as count from subscribers group by 1 order by 1`.execute(house.db)
    assert.deepEqual(states, [
      { status: 'active', count: 1680 },
      { status: 'suppressed', count: 120 },
      { status: 'unsubscribed', count: 120 },
    ])
    assert.equal(await count(house, 'consents'), 1920)
    assert.equal(await count(house, 'auditLog'), 1)
    const [{ result }] = (await house.db.selectFrom('imports').select('result').execute()) as [{ result: object }]
    assert.deepEqual(result, { rows: 2400, imported: 1920 - kept.at(-1)!, unchanged: kept.at(-1)!, rejected: 480 })
  },
)
