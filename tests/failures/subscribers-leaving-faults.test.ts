// Who leaves while an edition is being sent, on real Postgres.

import assert from 'node:assert/strict'
import { after, describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isLong, makeRow } from '../support/fault-rows.ts'
import { startRestartablePostgres } from '../support/restartable-postgres.ts'

const postgres = await startRestartablePostgres()
const row = makeRow(postgres)

describe('while an edition is being sent', { concurrency: isLong ? 2 : 1 }, () => {
  after(() => postgres?.remove())

  row('who unsubscribes gets nothing that is handed over later', {}, async (world) => {
    let handedOverLater = 0
    let leftAt = Infinity
    let isLeaving = false
    const leaver = world.audience.at(-1)!
    const at = Math.min(world.somewhere(), 200)
    world.server.onMail = async (mail) => {
      if (mail.to === leaver && performance.now() > leftAt) handedOverLater++
      if (world.server.captured.length > at && !isLeaving) {
        isLeaving = true
        const { db } = world.database
        await db.updateTable('subscribers').set({ status: 'unsubscribed' }).where('email', '=', leaver).execute()
        leftAt = performance.now()
      }
      await sleep(2)
    }
    await world.send()
    assert.equal(handedOverLater, 0)
    return { doubled: await world.judge(0, { sent: world.audience.length - 1, 'skipped:unsubscribed': 1 }) }
  })

  row('subscribers who are deleted lose nobody else their mail', {}, async (world) => {
    const gone = world.audience.slice(-20)
    const at = world.somewhere()
    let deleted: Promise<unknown> | null = null
    world.server.onMail = () => {
      if (world.server.captured.length >= at)
        deleted ??= world.database.db.deleteFrom('subscribers').where('email', 'in', gone).execute()
    }
    await world.send()
    await deleted
    const stored = world.stored()
    const received = new Set(stored.map((mail) => mail.to))
    for (const address of world.audience.slice(0, -20)) assert.ok(received.has(address), `${address} was left out`)
    assert.equal(received.size, stored.length)
  })
})
