// A copy without the people: nothing in a dump of it names anybody, opens anything, or leads back.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { hashAddress } from '../../src/base/tokens.ts'
import { openEmbedded } from '../../src/db/connect.ts'
import { getPepper } from '../../src/db/settings.ts'
import { findSendingHold } from '../../src/delivery/sending-hold.ts'
import { findIdentity } from '../../src/installation/identity.ts'
import { typed } from '../support/command-line.ts'
import { fillEveryTable, personal, personalHex } from '../support/full-installation.ts'
import { story } from '../support/house.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-anonymous-'))
after(() => rmSync(folder, { recursive: true }))

story('nothing in an anonymous copy names a person; it hangs together, and sends nothing', async (house) => {
  const { db } = house
  await fillEveryTable(db)
  const to = path.join(folder, house.database.kind)
  const said = await typed(house, ['move', '--to', to, '--anonymous'])
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stdout, /People, keys and what they wrote are replaced/)

  const there = await openEmbedded(`${to}/database`)
  const copy = { database: there, ctx: { ...house.ctx, db: there.db } }
  const dump = await typed(copy, ['export', '--everything'])
  assert.equal(dump.code, 0, dump.stderr)
  const pepper = await getPepper(db)
  const secrets = [personal, personalHex, pepper, hashAddress(pepper, 'ada.quill@quill-family.example')]
  const found = dump.stdout.split('\n').filter((line) => secrets.some((secret) => line.toLowerCase().includes(secret)))
  assert.deepEqual(found, [])

  const ada = await there.db.selectFrom('subscribers').selectAll().executeTakeFirstOrThrow()
  assert.match(ada.email, /^reader-[0-9a-f]{20}@anonymous\.invalid$/)
  assert.equal(ada.emailHash, hashAddress(await getPepper(there.db), ada.emailKey))
  const [suppression] = await there.db.selectFrom('suppressions').selectAll().where('email', 'is not', null).execute()
  assert.deepEqual([suppression!.email, suppression!.emailHash], [ada.email, ada.emailHash])
  const deliveries = await there.db.selectFrom('deliveries').select(['recipient', 'kind']).execute()
  assert.deepEqual(
    deliveries.map(({ recipient, kind }) => `${kind} ${recipient}`),
    [`digest ${ada.email}`, `digest ${ada.email}`],
    'a single mail that waits is left out',
  )
  assert.equal((await there.db.selectFrom('articles').selectAll().execute()).length, 1)
  assert.equal((await there.db.selectFrom('reading').selectAll().execute()).length, 1)
  assert.match((await findSendingHold(there.db))!.why, /^This is an anonymous copy of another installation/)
  assert.notEqual((await findIdentity(there.db)).id, (await findIdentity(db)).id)
  assert.equal(await findSendingHold(db), null)
  await there.close()

  const again = await typed(house, ['move', '--to', to, '--anonymous'])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /^The target holds data already/)
})

story('an anonymous export says the same, from the moment it is written', async (house) => {
  await fillEveryTable(house.db)
  const dump = await typed(house, ['export', '--everything', '--anonymous'])
  assert.equal(dump.code, 0, dump.stderr)
  assert.doesNotMatch(dump.stdout, new RegExp(`${personal}|${personalHex}`, 'i'))
  assert.equal((dump.lines()[0] as { head: { isAnonymous: boolean } }).head.isAnonymous, true)
})
