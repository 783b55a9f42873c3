// A database that was put back by other tools is noticed at the next start, by what DATA_DIR knows, or because it is another database.
// Folders that are new, and machines that know less, say nothing.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { sql } from 'kysely'
import { findSetting, setSetting, settledKey } from '../../src/db/settings.ts'
import { endSendingHold, findSendingHold } from '../../src/delivery/sending-hold.ts'
import { ensureIdentity, setIdentity } from '../../src/installation/identity.ts'
import { noticeRestore, startMarker } from '../../src/installation/marker.ts'
import { type House, story } from '../support/house.ts'
import { addCategories, addReader, addStory, tick } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-marker-'))
after(() => rmSync(folder, { recursive: true }))
let machines = 0

/** A machine with a folder of its own, on the house's database. */
function newMachine({ ctx, database }: House) {
  const dataDir = path.join(folder, `machine-${++machines}`)
  const { config } = ctx
  const own = { ...ctx, config: { ...config, database: { ...config.database, dataDir } } }
  return {
    dataDir,
    start: () => noticeRestore(database, dataDir, ctx.clock.now()),
    /** Runs for a moment, and stops well. */
    async run() {
      assert.equal(await noticeRestore(database, dataDir, ctx.clock.now()), null)
      await (
        await startMarker(own)
      )()
    },
  }
}

story('every mail that is settled is counted, and the folder knows it', async (house) => {
  const { ctx, db } = house
  await ensureIdentity(db)
  const [politics] = await addCategories(db, 'politics')
  await addReader(ctx, { choice: { [politics!]: 'daily' } })
  await addStory(ctx, 'One', [politics!])
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(ctx)
  await sendWaitingMail(house)
  assert.equal(await findSetting(db, settledKey), 1)
  const machine = newMachine(house)
  await machine.run()
  const { id } = await ensureIdentity(db)
  const known = JSON.parse(readFileSync(path.join(machine.dataDir, 'installation.json'), 'utf8')) as Record<
    string,
    unknown
  >
  assert.deepEqual(Object.keys(known), [id])
  assert.equal((known[id] as { settled: number }).settled, 1)
})

story('a database that knows less than the folder holds its sending, once, for all machines', async (house) => {
  const { db } = house
  await setSetting(db, settledKey, 100)
  const [first, second, third] = [newMachine(house), newMachine(house), newMachine(house)]
  await first.run()
  await setSetting(db, settledKey, 150)
  await second.run()
  assert.equal(await first.start(), null, 'a machine that knows less')
  assert.equal(await third.start(), null, 'a folder that is new')
  assert.equal(await findSendingHold(db), null)

  // An older state is put back.
  await setSetting(db, settledKey, 60)
  await sql`select setval('deliveries_id_seq', 500)`.execute(db)
  assert.match((await first.start())!, /knows less than this installation had settled/)
  const hold = (await findSendingHold(db))!
  assert.ok(hold.knownUntil !== null && hold.since !== null)
  const { rows } = await sql<{ next: number }>`select nextval('deliveries_id_seq') as next`.execute(db)
  assert.ok(rows[0]!.next > 1_000_000_000)

  await db.transaction().execute(endSendingHold)
  for (const machine of [first, second, third]) await machine.run()
  assert.equal(await findSendingHold(db), null, 'once was enough')

  // And again the same old state.
  await setSetting(db, settledKey, 60)
  assert.match((await second.start())!, /knows less/)
})

story(
  'a dump that is restored into another database is noticed where every folder is new',
  async (house) => {
    const { db } = house
    const identity = await ensureIdentity(db)
    await newMachine(house).run()
    await newMachine(house).run()
    await setIdentity(db, { ...identity, database: '1234567890/5' })
    assert.match((await newMachine(house).start())!, /by other tools/)
    assert.notEqual(await findSendingHold(db), null)
    await db.transaction().execute(endSendingHold)
    await newMachine(house).run()
    assert.equal(await findSendingHold(db), null)
  },
  { on: 'postgres' },
)
