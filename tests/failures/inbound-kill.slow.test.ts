// A process that ends between taking a mail in and applying it, a database that is away, a listener that ends.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPostgres } from '../../src/db/connect.ts'
import { startListener } from '../../src/inbound/listener.ts'
import { storeInbound } from '../../src/inbound/store.ts'
import { runInbound } from '../../src/inbound/work.ts'
import { Crash, crashingAfter } from '../support/crashing-db.ts'
import { openHouse, story, type StoryOptions } from '../support/house.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, getSubscriber, subscribeFully } from '../support/readers.ts'
import { bounceOf, complaintOf, handTo } from '../support/returned-mail.ts'
import { waitFor } from '../support/wait-for.ts'

const inbound: StoryOptions = { env: { BOUNCE_DOMAIN: 'bounces.news.example', INBOUND_LISTEN: '127.0.0.1:2525' } }

story(
  'a process that is killed at any statement, from taking in to applying, loses nothing and counts nothing twice',
  async (house) => {
    await addCategories(house)
    let crashes = 0
    const untilItWorks = async (run: (statements: number) => Promise<boolean>) => {
      for (let statements = 0; ; statements++) {
        // The lease of the process that is gone ends.
        await house.db
          .updateTable('inboundEvents')
          .set({ nextAttemptAt: new Date(0), attempts: 0 })
          .where('appliedAt', 'is', null)
          .execute()
        const isOver = await run(statements).catch((error: unknown) => {
          if (error instanceof Crash) return false
          throw error
        })
        if (isOver) return
        crashes++
      }
    }
    for (const email of ['ada@example.org', 'bob@example.org', 'cleo@example.org']) {
      await subscribeFully(house, email)
      await sendWaitingMail(house)
      const mail = house.inbox.last(email)
      const soft = { status: '5.2.2', diagnostic: '552 5.2.2 mailbox full' }
      const raw = email.startsWith('ada')
        ? bounceOf(mail)
        : email.startsWith('bob')
          ? bounceOf(mail, soft)
          : complaintOf(mail)
      const received = {
        source: 'listener',
        envelopeTo: mail.returnPath,
        raw: Buffer.from(raw),
        receivedAt: house.clock.now(),
      } as const
      await untilItWorks(async (statements) => {
        await storeInbound(crashingAfter(house.db, statements), received)
        return true
      })
      // Its sender heard nothing, and says it again.
      assert.equal(await storeInbound(house.db, received), 'known')
    }
    // All three in one batch.
    await untilItWorks(async (statements) => {
      await runInbound({ ...house.ctx, db: crashingAfter(house.db, statements) })
      const open = await house.db.selectFrom('inboundEvents').select('id').where('appliedAt', 'is', null).execute()
      return open.length === 0
    })
    assert.ok(crashes > 30, `${crashes} crashes`)
    const events = await house.db.selectFrom('inboundEvents').select(['appliedAt', 'problem']).execute()
    assert.equal(events.filter(({ appliedAt }) => appliedAt).length, 3)
    const reports = await house.db.selectFrom('inboundReports').select('effect').orderBy('id').execute()
    assert.deepEqual(
      reports.map(({ effect }) => effect),
      ['suppressed', 'counted', 'suppressed'],
    )
    const [score] = await house.db.selectFrom('bounceScores').select('softHours').execute()
    assert.equal(score!.softHours.length, 1)
    const dead = await house.db.selectFrom('deadAnswers').selectAll().execute()
    assert.equal(dead.length, 1)
    const cleo = await getSubscriber(house, 'cleo@example.org')
    const withdrawn = await house.db
      .selectFrom('consents')
      .select('id')
      .where('subscriberId', '=', cleo.id)
      .where('action', '=', 'withdrawn')
      .execute()
    assert.equal(withdrawn.length, 1)
  },
  inbound,
)

test('while the database is away the listener says 451; another listener takes over when the first one ends', async () => {
  await using house = await openHouse('embedded', inbound)
  await addCategories(house)
  await subscribeFully(house, 'ada@example.org')
  await sendWaitingMail(house)
  const mail = house.inbox.last('ada@example.org')
  const away = openPostgres('postgres://nobody@127.0.0.1:1/none', 1)
  const first = await startListener({ ...house.ctx, db: away.db }, { host: '127.0.0.1', port: 0 })
  const port = first.port!
  await assert.rejects(handTo(port, mail.returnPath, bounceOf(mail)), { responseCode: 451 })
  const second = await startListener(house.ctx, { host: '127.0.0.1', port })
  assert.equal(second.port, null)
  await first.close()
  await waitFor(() => second.port !== null)
  await handTo(port, mail.returnPath, bounceOf(mail))
  await second.close()
  await away.close()
  assert.equal((await house.db.selectFrom('inboundEvents').select('id').execute()).length, 1)
})
