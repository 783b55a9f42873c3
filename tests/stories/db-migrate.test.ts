// A database of 0.1.0 is brought up: it gets the schema of a new one, keeps its rows, and mail goes on where it stood.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { Refusal } from '../../src/base/errors.ts'
import type { Database, Db } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { runTick } from '../../src/planning/tick.ts'
import { type DatabaseKind, openEmptyDatabase, withQueue } from '../support/database.ts'
import { databaseKinds, openHouse } from '../support/house.ts'
import { openWorker, sendWaitingMail } from '../support/post.ts'
import { schemaOf } from '../support/schema-of.ts'
import { addStory } from '../support/newsroom.ts'
import { waitFor } from '../support/wait-for.ts'

const dump = fs.readFileSync(path.join(import.meta.dirname, '../samples/database-0.1.0.sql'), 'utf8')
const isNew = (name: string) => name >= '0178'

async function load(kind: DatabaseKind): Promise<{ database: Database; url: string | null }> {
  const opened = await openEmptyDatabase(kind)
  if (opened.database.pglite) await opened.database.pglite.exec(dump)
  else await opened.database.pool!.query(dump)
  return opened
}

async function countRows(db: Db): Promise<Record<string, number>> {
  const { rows } = await sql<{ table: string }>`
    select tablename as "table" from pg_tables where schemaname = 'public' order by 1`.execute(db)
  const counts: Record<string, number> = {}
  for (const { table } of rows) {
    const counted = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(db)
    counts[table] = counted.rows[0]!.n
  }
  return counts
}

const namesIn = async (db: Db) =>
  (
    await sql<{ name: string }>`select name from kysely_migration order by timestamp, name collate "C"`.execute(db)
  ).rows.map((row) => row.name)

for (const kind of databaseKinds) {
  const title = (text: string) => (kind === 'embedded' ? text : `${text} (Postgres)`)

  test(title('a database of 0.1.0 gets the schema of a new one, and keeps its rows'), async () => {
    const { database } = await load(kind)
    const before = await countRows(database.db)
    for (const [table, count] of Object.entries(before)) assert.ok(count > 0, `${table} has rows in the dump`)

    const applied = await migrate(database.db)
    const fresh = await openEmptyDatabase(kind)
    const all = await migrate(fresh.database.db)
    assert.deepEqual(applied, all.filter(isNew), 'only what is newer than 0.1.0 ran')
    assert.deepEqual(await namesIn(database.db), await namesIn(fresh.database.db))
    assert.deepEqual(await schemaOf(database.db), await schemaOf(fresh.database.db))

    const after = await countRows(database.db)
    for (const [table, count] of Object.entries(before))
      if (table !== 'kysely_migration') assert.equal(after[table], count, table)
    assert.deepEqual(await migrate(database.db), [], 'a second start finds nothing to do')
  })

  test(
    title('a database of 0.1.0 goes on: half a digest is sent, and the next one brings only what is new'),
    async () => {
      const opened = await load(kind)
      await migrate(opened.database.db)
      const env = { DIGEST_HOUR: '7', DIGEST_WEEKDAY: '4', TIMEZONE: 'Europe/Berlin' }
      await using house = await openHouse(kind, { now: '2026-11-26T06:10:00Z', env, database: await withQueue(opened) })
      const paused = await house.db
        .selectFrom('editions')
        .select(['id', 'pausedBy'])
        .where('state', '=', 'paused')
        .execute()
      assert.deepEqual(paused, [{ id: 2, pausedBy: 'policy' }])

      const worker = openWorker(house, { leaseSeconds: 1 })
      await worker.start()
      await waitFor(() => house.inbox.to('ada@example.com').length > 0)
      await worker.stop()
      const recipients = () => house.inbox.received.map(({ to }) => to).sort()
      assert.deepEqual(recipients(), ['Cyd.Gruen@example.org', 'ada@example.com', 'dan@example.org'])
      const [ada] = house.inbox.to('ada@example.com')
      assert.match(ada!.mail.html!, /Council agrees on the budget[^]*The harbour freezes/)
      assert.doesNotMatch(ada!.mail.html!, /The ferry is back|Withdrawn after a day/)
      await runTick(house.ctx)
      const { state, account } = await house.db
        .selectFrom('editions')
        .select(['state', 'account'])
        .where('id', '=', 3)
        .executeTakeFirstOrThrow()
      assert.deepEqual([state, account!.audience, account!.sent, account!.skipped.nothing_new], ['closed', 4, 3, 1])

      house.inbox.clear()
      await addStory(house.ctx, 'A new pier', [1])
      house.clock.set('2026-11-27T06:00:00Z')
      await runTick(house.ctx)
      await sendWaitingMail(house)
      assert.deepEqual(recipients(), ['ada@example.com', 'dan@example.org'], 'fay is suppressed, eve has unsubscribed')
      assert.match(house.inbox.last('ada@example.com').mail.html!, /A new pier/)
      assert.doesNotMatch(house.inbox.last('ada@example.com').mail.html!, /Council agrees|The harbour freezes/)
    },
  )

  test(title('an older database, and one of a newer version, is refused and stays as it is'), async () => {
    const refusal = (words: RegExp) => (error: unknown) => error instanceof Refusal && words.test(error.message)
    const { database } = await load(kind)
    await sql`insert into kysely_migration (name, timestamp) values ('9999_later', '2030-01-01')`.execute(database.db)
    await assert.rejects(
      migrate(database.db),
      refusal(
        /^A newer version of this program has been used on this database \(migration 9999_later\)\. Start that version, or restore a backup from before\.$/,
      ),
    )
    await sql`delete from kysely_migration where name = '9999_later' or name > '0176'`.execute(database.db)
    const older = await namesIn(database.db)
    const words =
      /its last migration is 0175_inbound_tokens\. Start the last Broadsheet 0\.1\.0 \(commit a82f337\) on it once/
    await assert.rejects(migrate(database.db), refusal(words))
    assert.deepEqual(await namesIn(database.db), older)
  })
}

test(
  'several processes bring a database of 0.1.0 up at once',
  { skip: !databaseKinds.includes('postgres') },
  async () => {
    const { database } = await load('postgres')
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(database.db)))
    assert.equal(applied.filter((names) => names.length > 0).length, 1)
    assert.deepEqual(await migrate(database.db), [])
  },
)
