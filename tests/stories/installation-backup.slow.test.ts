// A whole installation into a file and back: on both databases, from one to the other.

import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { sql } from 'kysely'
import { type Database, openEmbedded } from '../../src/db/connect.ts'
import { allMigrations, migrate } from '../../src/db/migrate.ts'
import { getPepper } from '../../src/db/settings.ts'
import { findSendingHold } from '../../src/delivery/sending-hold.ts'
import { readCounters, readShape, tallyTable } from '../../src/installation/shape.ts'
import { hashAddress } from '../../src/base/tokens.ts'
import { newFile, newTarget } from '../support/backups.ts'
import { typed } from '../support/command-line.ts'
import { fillEveryTable } from '../support/full-installation.ts'
import { openHouse, story } from '../support/house.ts'

async function tally(db: Database['db']): Promise<Record<string, string>> {
  const sums: Record<string, string> = {}
  for (const table of await readShape(db)) {
    const { rows, sum } = await tallyTable(db, table)
    sums[table.name] = `${rows} ${sum}`
  }
  return sums
}

story(
  'a backup comes back as it was, here and on the other kind of database, and nothing is sent before a decision',
  async (house) => {
    const { db } = house
    await fillEveryTable(db)
    const file = newFile('all.jsonl.gz')
    const made = await typed(house, ['backup', file])
    assert.equal(made.code, 0, made.stderr)
    assert.match(made.stdout, /The secret is not inside/)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.doesNotMatch(gunzipSync(readFileSync(file)).toString(), /a-secret-of-the-tests/)
    const [before, counters, pepper] = [await tally(db), await readCounters(db), await getPepper(db)]

    for (const kind of process.env.TEST_DATABASE_URL ? (['embedded', 'postgres'] as const) : (['embedded'] as const)) {
      const target = await newTarget(house, kind)
      const said = await typed(target.house, ['restore', file])
      assert.equal(said.code, 0, said.stderr)
      assert.match(said.stdout, /No mail is sent until sending is released/)
      assert.match(said.stdout, /who signed up, changed a choice or unsubscribed, and what was sent/)
      const there = await target.open()
      const [now, then] = [await tally(there.db), { ...before }]
      // Those say that it was restored.
      for (const name of ['settings', 'audit_log']) {
        assert.notEqual(now[name], then[name])
        delete now[name]
        delete then[name]
      }
      assert.deepEqual(now, then, kind)
      assert.equal(await getPepper(there.db), pepper)
      assert.match((await findSendingHold(there.db))!.why, /^This installation was restored from a backup of \d{4}-/)
      for (const [name, last] of Object.entries(await readCounters(there.db)))
        assert.ok(last! >= (counters[name] ?? 0) + 999_999, `${name}: ${last}`)
      await there.close()
      const again = await typed(target.house, ['restore', file])
      assert.equal(again.code, 1)
      assert.match(again.stderr, /^The target holds data already \(.*\), so nothing was changed\./)
      await target.end()
    }
  },
)

story('export --everything is the same; with the secret only where it was asked for', async (house) => {
  await fillEveryTable(house.db)
  const exported = await typed(house, ['export', '--everything'])
  assert.equal(exported.code, 0, exported.stderr)
  const file = newFile()
  writeFileSync(file, exported.stdout)
  const target = await newTarget(house, 'embedded')
  assert.equal((await typed(target.house, ['restore', file])).code, 0)
  const withSecret = newFile()
  const made = await typed(house, ['backup', withSecret, '--with-secret', '--json'])
  assert.equal(made.lines()[0]!['secret'], true)
  assert.deepEqual(
    (JSON.parse(readFileSync(withSecret, 'utf8').split('\n')[0]!) as { head: { secret: string[] } }).head.secret,
    ['a-secret-of-the-tests-that-is-long-enough'],
  )
  const taken = await typed(house, ['backup', withSecret])
  assert.equal(taken.code, 1)
  assert.equal(taken.stderr, `${withSecret} already exists. Name another file.\n`)
  assert.equal((await typed(house, ['export'])).code, 1)
})

test('a backup of an earlier version is restored into a newer one, through its migrations', async () => {
  await using house = await openHouse('embedded')
  const old = await openEmbedded('memory://')
  // Without some in between, as versions that were made side by side.
  const known = (await allMigrations()).filter((name) => name < '0130' || name > '0184')
  await migrate(old.db, known)
  await sql`insert into settings (key, value) values ('address_pepper', '"pepper"'), ('installation', '{"id": "one", "database": null}')`.execute(
    old.db,
  )
  await sql`insert into subscribers (email, email_key, email_hash, status, created_at)
    values ('Ada@x.example', 'ada@x.example', ${hashAddress('pepper', 'ada@x.example')}, 'active', now())`.execute(
    old.db,
  )
  const file = newFile('old.jsonl.zst')
  const made = await typed({ database: old, ctx: { ...house.ctx, db: old.db } }, ['backup', file])
  assert.equal(made.code, 0, made.stderr)
  await old.close()

  // Also where a start has brought the schema further already.
  const target = await newTarget(house, 'embedded')
  const started = await target.open()
  await migrate(started.db)
  await getPepper(started.db)
  await started.close()
  const said = await typed(target.house, ['restore', file])
  assert.equal(said.code, 0, said.stderr)
  const there = await target.open()
  const ada = await there.db.selectFrom('subscribers').select(['email', 'generation']).executeTakeFirstOrThrow()
  assert.deepEqual(ada, { email: 'Ada@x.example', generation: 0 })
  assert.equal(await getPepper(there.db), 'pepper')
  assert.deepEqual(await migrate(there.db), [])
  await there.close()
})
