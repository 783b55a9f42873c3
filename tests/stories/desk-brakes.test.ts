// A relay or a provider that calls everybody dead: mail waits, nobody stays suppressed, and one decision of an editor puts it right.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { hashAddress } from '../../src/base/tokens.ts'
import type { Out } from '../../src/commands/out.ts'
import { checkAlerts, listAlerts } from '../../src/desk/alerts.ts'
import { brakeDecide, brakeList } from '../../src/commands/digests/brakes.ts'
import { runTick } from '../../src/planning/tick.ts'
import { closeFinished } from '../../src/editions/close.ts'
import { findEdition } from '../../src/editions/store.ts'
import { decideBrake, listBrakes } from '../../src/desk/brakes.ts'
import { getPepper, setSetting } from '../../src/db/settings.ts'
import { addToOutbox } from '../../src/delivery/outbox.ts'
import { unsuppress } from '../../src/subscribers/suppression.ts'
import type { DeliveryWorkerOptions } from '../../src/delivery/worker.ts'
import { addBrake } from '../support/brakes.ts'
import { type CaptureServer, startCaptureServer } from '../support/capture-server.ts'
import { crashingAfter } from '../support/crashing-db.ts'
import { type House, story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addCategories, addReader, addStory } from '../support/newsroom.ts'
import { openWorker } from '../support/post.ts'
import { countStates, makeWorker, planEdition } from '../support/sending.ts'
import { accountOf } from '../../src/editions/account.ts'

const dead = { reply: '550 5.1.1 No such user' }
const actor = 'cli' as const

interface Scene {
  house: House
  server: CaptureServer
  run: (options?: Partial<DeliveryWorkerOptions>) => Promise<void>
  /** Whom the server calls dead from now on. */
  deny: (isDead: (to: string) => boolean) => void
  suppressed: () => Promise<string[]>
  states: (edition: number) => Promise<Record<string, number>>
  /** Closes what is over; the account adds up, and is frozen. */
  close: (edition: number) => Promise<Record<string, number>>
}

function scene(title: string, play: (scene: Scene) => Promise<void>, on?: 'embedded' | 'postgres'): void {
  story(
    title,
    async (house) => {
      await using server = await startCaptureServer()
      const { database, db, ctx } = house
      await play({
        house,
        server,
        run: (options = {}) => makeWorker(database, [server.relay], options).runOnce(),
        deny: (isDead) => {
          server.fault = (step, { to }) => (step === 'rcpt' && isDead(to) ? dead : undefined)
        },
        suppressed: async () =>
          (await db.selectFrom('suppressions').select('email').orderBy('email').execute()).map(({ email }) => email!),
        states: (edition) => countStates(database, edition),
        close: async (edition) => {
          await closeFinished(ctx)
          const { state, account, audience } = (await findEdition(db, edition))!
          assert.equal(state, 'closed')
          const { sent, failed, skipped } = account!
          assert.equal(sent + failed + Object.values(skipped).reduce((sum, n) => sum + n, 0), audience)
          return { sent, failed, suppressed: skipped.suppressed }
        },
      })
    },
    on ? { on } : {},
  )
}

const addresses = (count: number, domains = 7) =>
  Array.from({ length: count }, (_, i) => `reader${i}@a${i % domains}.example`)

scene(
  '600 of 600 called dead: the edition waits, nobody is suppressed, and sent again all 600 arrive',
  async (scene) => {
    const { house, server, run, deny } = scene
    const { db, ctx } = house
    const all = addresses(600)
    const edition = await planEdition(house.database, all)
    const due = new Date(Math.floor(Date.now() / 1000) * 1000 + 5 * 86_400_000)
    await db
      .insertInto('dueTimes')
      .columns(['subscriberId', 'nextDueAt'])
      .expression(db.selectFrom('subscribers').select((eb) => ['id', eb.val(due).as('due')]))
      .execute()
    deny(() => true)
    await run()
    const [brake, ...others] = await listBrakes(db, { limit: 9 })
    assert.deepEqual(others, [])
    assert.deepEqual([brake!.editionId, brake!.relay, brake!.domain], [edition, server.relay.name, null])
    assert.deepEqual(await scene.suppressed(), [])
    assert.deepEqual(await scene.states(edition), { deferred: 600 })
    assert.equal((await accountOf(db, edition)).open, 600)
    assert.ok(server.seen.get('RCPT')! <= 40, `${server.seen.get('RCPT')} were asked`)
    const tried = await db.selectFrom('deliveries').select('id').where('attempt', '>', 0).execute()
    assert.deepEqual(tried, [], 'no try counts')
    const times = await db.selectFrom('dueTimes').select('nextDueAt').distinct().execute()
    assert.deepEqual(times, [{ nextDueAt: due }], 'everybody is due as before')
    assert.equal((await db.selectFrom('dueTimes').selectAll().execute()).length, 600)

    const asked = server.seen.get('RCPT')
    await run()
    assert.equal(server.seen.get('RCPT'), asked, 'nobody is asked again meanwhile')

    deny(() => false)
    const decided = await decideBrake(ctx, { brakeId: brake!.id, decision: 'send-again', actor })
    assert.deepEqual(decided, { deliveries: 600, addresses: 0 })
    await run()
    assert.deepEqual(server.captured.map(({ to }) => to).sort(), [...all].sort())
    assert.deepEqual(await scene.close(edition), { sent: 600, failed: 0, suppressed: 0 })
    await assert.rejects(decideBrake(ctx, { brakeId: brake!.id, decision: 'send-again', actor }), /decided already/)
  },
)

scene('one in twenty is dead: exactly those are suppressed, and there is no brake', async (scene) => {
  const all = addresses(800)
  const edition = await planEdition(scene.house.database, all)
  const isDead = (to: string) => Number(/\d+/.exec(to)![0]) % 20 === 7
  scene.deny(isDead)
  await scene.run()
  assert.deepEqual(await scene.suppressed(), all.filter(isDead).sort())
  assert.deepEqual(await listBrakes(scene.house.db, { limit: 9 }), [])
  assert.deepEqual(await scene.close(edition), { sent: 760, failed: 40, suppressed: 0 })
})

scene('small lists need no brake: twenty dead of twenty, and three of five, are suppressed', async (scene) => {
  const all = addresses(20, 1)
  const edition = await planEdition(scene.house.database, all)
  scene.deny(() => true)
  await scene.run()
  assert.deepEqual(await scene.close(edition), { sent: 0, failed: 20, suppressed: 0 })
  const small = await planEdition(
    scene.house.database,
    Array.from({ length: 5 }, (_, i) => `neighbour${i}@b.example`),
  )
  scene.deny((to) => /[024]@/.test(to))
  await scene.run()
  assert.deepEqual(await scene.close(small), { sent: 2, failed: 3, suppressed: 0 })
  assert.equal((await scene.suppressed()).length, 23)
  assert.deepEqual(await listBrakes(scene.house.db, { limit: 9 }), [])
})

scene('a relay that turns half way is found out as soon as one that was wrong from the start', async (scene) => {
  const { house, server, run, deny } = scene
  await planEdition(house.database, addresses(1500))
  let asked = 0
  deny(() => server.captured.length >= 900 && ++asked > 0)
  await run()
  assert.deepEqual(await scene.suppressed(), [])
  assert.equal((await listBrakes(house.db, { limit: 9 })).length, 1)
  assert.ok(asked <= 60, `${asked} were called dead`)
})

scene('one provider calls everybody dead: its mail waits, all others go on', async (scene) => {
  const { house, run, deny, suppressed } = scene
  const all = Array.from({ length: 800 }, (_, i) => `r${i}@${i % 8 === 0 ? 'broken' : `fine${i % 8}`}.example`)
  const edition = await planEdition(house.database, all)
  deny((to) => to.endsWith('@broken.example'))
  await run()
  const brakes = await listBrakes(house.db, { limit: 9 })
  assert.deepEqual(
    brakes.map(({ domain, relay }) => [domain, relay]),
    [['broken.example', null]],
  )
  assert.deepEqual(await scene.states(edition), { sent: 700, deferred: 100 })
  assert.deepEqual(await suppressed(), [])

  // The next edition waits there as well, without asking.
  const next = await planEdition(house.database, ['one@broken.example', 'one@fine1.example'])
  await run()
  assert.deepEqual(await scene.states(next), { sent: 1, deferred: 1 })

  deny(() => false)
  await decideBrake(house.ctx, { brakeId: brakes[0]!.id, decision: 'send-again', actor })
  await run()
  assert.deepEqual(await scene.close(edition), { sent: 800, failed: 0, suppressed: 0 })
  assert.deepEqual(await scene.close(next), { sent: 2, failed: 0, suppressed: 0 })
})

scene('a list at one domain alone has its brake, too', async (scene) => {
  const edition = await planEdition(scene.house.database, addresses(300, 1))
  scene.deny(() => true)
  await scene.run()
  const [brake, ...others] = await listBrakes(scene.house.db, { limit: 9 })
  assert.equal(brake!.domain, 'a0.example')
  assert.deepEqual(others, [])
  assert.deepEqual(await scene.states(edition), { deferred: 300 })
  assert.deepEqual(await scene.suppressed(), [])
})

scene('several workers count together', async (scene) => {
  const { house, server, deny, suppressed } = scene
  const { database } = house
  // Proven, so that all of them send at once.
  const edition = await planEdition(database, addresses(600))
  await house.db.updateTable('editions').set({ isProven: true }).where('id', '=', edition).execute()
  let asked = 0
  deny(() => ++asked > 0)
  await Promise.all([1, 2, 3].map(() => makeWorker(database, [server.relay]).runOnce()))
  // What was settled at the moment at which another put the brake on.
  await scene.run()
  assert.deepEqual(await suppressed(), [])
  assert.equal((await listBrakes(house.db, { limit: 9 })).length, 1)
  assert.deepEqual(await scene.states(edition), { deferred: 600 })
  assert.ok(asked <= 100, `${asked} were asked`)
})

scene('decided to be dead: each is suppressed with its proof, and one or all can be undone', async (scene) => {
  const { house, server, run, deny, suppressed } = scene
  const { db, ctx } = house
  const all = addresses(120)
  const edition = await planEdition(house.database, all)
  deny(() => true)
  await run()
  const [brake] = await listBrakes(db, { limit: 9 })
  const caught = server.seen.get('RCPT')!
  await decideBrake(ctx, { brakeId: brake!.id, decision: 'addresses-are-dead', actor })
  assert.equal((await suppressed()).length, caught, 'only whom the server called dead')
  await run()
  assert.deepEqual(await suppressed(), [...all].sort(), 'and then whoever was still untried')
  assert.deepEqual(await scene.close(edition), { sent: 0, failed: 120, suppressed: 0 })
  const entries = await db.selectFrom('suppressions').selectAll().execute()
  for (const entry of entries) {
    assert.equal(entry.brakeId, brake!.id)
    assert.equal(entry.relay, server.relay.name)
    assert.match(entry.detail, /^550 .*No such user/)
    assert.ok(entry.deliveryId)
    assert.equal(entry.statusBefore, 'active')
  }
  assert.equal((await listBrakes(db, { limit: 9 })).length, 1, 'what an editor believes brakes no more')

  await unsuppress(ctx, entries[0]!.emailHash)
  assert.equal((await suppressed()).length, 119)
  deny(() => false)
  await decideBrake(ctx, { brakeId: brake!.id, decision: 'send-again', actor })
  assert.deepEqual(await suppressed(), [])
  const statuses = await db.selectFrom('subscribers').select('status').distinct().execute()
  assert.deepEqual(statuses, [{ status: 'active' }])
  await run()
  assert.deepEqual(await scene.close(edition), { sent: 120, failed: 0, suppressed: 0 })
})

scene('600 of 600 are dead indeed: one decision suppresses them all, and the edition closes', async (scene) => {
  const { house, run, deny, suppressed } = scene
  const { db, ctx } = house
  const all = addresses(600)
  const edition = await planEdition(house.database, all)
  deny(() => true)
  await run()
  const [brake] = await listBrakes(db, { limit: 9 })
  const printed: string[] = []
  const out = { print: (text: string) => printed.push(text) } as unknown as Out
  await brakeList(ctx, { json: true }, out)
  const { calledDead, untried } = JSON.parse(printed.pop()!) as { calledDead: number; untried: number }
  assert.equal(calledDead + untried, 600)
  await brakeList(ctx, {}, out)
  assert.ok(printed.pop()!.endsWith(`Called dead: ${calledDead} addresses. Waiting untried: ${untried} mails.`))
  await brakeDecide(ctx, { id: brake!.id, decision: 'addresses-are-dead' }, out)
  assert.match(
    printed.pop()!,
    new RegExp(`^Decided. Suppressed: ${calledDead} addresses .* Tried now: ${untried} mails`),
  )
  assert.equal((await suppressed()).length, calledDead, 'nobody without an answer of the relay')
  // Several workers, each of which may be late to hear of the decision.
  await Promise.all([1, 2, 3].map(() => makeWorker(house.database, [scene.server.relay]).runOnce()))
  await run()
  assert.deepEqual(await suppressed(), [...all].sort())
  assert.equal((await listBrakes(db, { limit: 9 })).length, 1, 'no second brake')
  assert.deepEqual(await scene.close(edition), { sent: 0, failed: 600, suppressed: 0 })
})

scene('3,000 addresses are suppressed by a decision, and restored by the next, in few statements', async (scene) => {
  const { house, suppressed } = scene
  const { db, ctx } = house
  const brakeId = await addBrake(db)
  const all = addresses(3000)
  await planEdition(house.database, all)
  const due = new Date(Math.floor(Date.now() / 1000) * 1000 + 5 * 86_400_000)
  await sql`insert into due_times (subscriber_id, next_due_at, carried_due) select id, ${due}, 3 from subscribers`.execute(
    db,
  )
  await sql`
    insert into dead_answers (at, delivery_id, email_hash, lane, domain, relay, edition_id, reply, brake_id)
    select now(), d.id, s.email_hash, 'digest', 'a.example', 'relay', d.edition_id, '550 5.1.1 unknown', ${brakeId}
    from deliveries d join subscribers s on s.id = d.subscriber_id`.execute(db)
  // Another handle reads it from the table, which was emptied before this story.
  await setSetting(db, 'address_pepper', await getPepper(db))
  const decide = (decision: 'addresses-are-dead' | 'send-again') =>
    decideBrake({ ...ctx, db: crashingAfter(db, 45) }, { brakeId, decision, actor })
  assert.equal((await decide('addresses-are-dead')).addresses, 3000)
  assert.deepEqual(await suppressed(), [...all].sort())
  const states = () => db.selectFrom('subscribers').select('status').distinct().execute()
  assert.deepEqual(await states(), [{ status: 'suppressed' }])
  assert.deepEqual(await db.selectFrom('dueTimes').selectAll().execute(), [])
  assert.equal((await decide('send-again')).addresses, 3000)
  assert.deepEqual(await suppressed(), [])
  assert.deepEqual(await states(), [{ status: 'active' }])
  const times = await db.selectFrom('dueTimes').select(['nextDueAt', 'carriedDue']).distinct().execute()
  assert.deepEqual(times, [{ nextDueAt: due, carriedDue: 3 }])
  assert.equal((await db.selectFrom('dueTimes').selectAll().execute()).length, 3000)
})

scene('sent again while the relay is still wrong, it is braked again', async (scene) => {
  const { house, run, deny, suppressed } = scene
  const edition = await planEdition(house.database, addresses(200))
  deny(() => true)
  await run()
  const [first] = await listBrakes(house.db, { limit: 9 })
  await decideBrake(house.ctx, { brakeId: first!.id, decision: 'send-again', actor })
  await run()
  const standing = await listBrakes(house.db, { limit: 9, isOn: true })
  assert.equal(standing.length, 1)
  assert.notEqual(standing[0]!.id, first!.id)
  assert.deepEqual(await suppressed(), [])
  assert.deepEqual(await scene.states(edition), { deferred: 200 })
})

scene('confirmations to a braked domain go on one at a time, and suppress nobody', async (scene) => {
  const { house, server, run, deny, suppressed } = scene
  const { db } = house
  await planEdition(house.database, addresses(60, 1))
  deny(() => true)
  await run()
  await db.transaction().execute(async (trx) => {
    for (let i = 0; i < 20; i++) await addToOutbox(trx, { kind: 'confirmation', recipient: `new${i}@a0.example` })
  })
  let atOnce = 0
  let most = 0
  server.fault = (step, { to }) => {
    if (step === 'rcpt') most = Math.max(most, ++atOnce)
    if (step === 'rcpt' && /new(3|5)@/.test(to)) {
      atOnce--
      return dead
    }
    return undefined
  }
  server.onMail = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    atOnce--
  }
  await run()
  assert.equal(most, 1)
  assert.equal(server.captured.length, 18)
  assert.deepEqual(await suppressed(), [])
  const deferred = await db
    .selectFrom('deliveries')
    .select('attempt')
    .where('lane', '=', 'transactional')
    .where('state', '=', 'deferred')
    .execute()
  assert.deepEqual(deferred, [{ attempt: 1 }, { attempt: 1 }])
})

scene('dead addresses in the sign-up form alone stop no digest', async (scene) => {
  const { house, run, deny, suppressed } = scene
  const { db } = house
  await db.transaction().execute(async (trx) => {
    for (let i = 0; i < 40; i++) await addToOutbox(trx, { kind: 'confirmation', recipient: `made-up${i}@big.example` })
  })
  deny((to) => to.startsWith('made-up'))
  await run()
  const [brake] = await listBrakes(db, { limit: 9 })
  assert.deepEqual([brake!.domain, brake!.holdsDigests], ['big.example', false])
  assert.deepEqual(await suppressed(), [])
  const edition = await planEdition(
    house.database,
    Array.from({ length: 100 }, (_, i) => `reader${i}@big.example`),
  )
  await run()
  assert.deepEqual(await scene.close(edition), { sent: 100, failed: 0, suppressed: 0 })
})

scene(
  'confirmations to many domains, all called dead: nobody is suppressed, and they are tried again',
  async (scene) => {
    const { house, run, deny, suppressed } = scene
    const { db, ctx } = house
    await db.transaction().execute(async (trx) => {
      for (let i = 0; i < 60; i++) await addToOutbox(trx, { kind: 'confirmation', recipient: `new@b${i}.example` })
    })
    deny(() => true)
    await run()
    const [brake] = await listBrakes(db, { limit: 9 })
    assert.deepEqual([brake!.domain, brake!.editionId, brake!.holdsDigests], [null, null, false])
    assert.deepEqual(await suppressed(), [])
    const edition = await planEdition(house.database, addresses(30))
    deny((to) => to.startsWith('new'))
    await run()
    assert.deepEqual(await scene.close(edition), { sent: 30, failed: 0, suppressed: 0 })
    deny(() => false)
    const { deliveries } = await decideBrake(ctx, { brakeId: brake!.id, decision: 'send-again', actor })
    assert.equal(deliveries, 60)
    await run()
    const open = await db.selectFrom('deliveries').select('id').where('state', '!=', 'sent').execute()
    assert.deepEqual(open, [])
  },
)

scene(
  'the next slot under a brake: decided then, each reader gets one digest with the stories of both',
  async (scene) => {
    const { house, server, deny, suppressed } = scene
    const { db, ctx, clock } = house
    const [politics] = await addCategories(db, 'politics')
    const pepper = await getPepper(db)
    const emails = Array.from({ length: 40 }, (_, i) => `reader${i}@one.example`)
    for (const email of emails) {
      const id = await addReader(ctx, { email, choice: { [politics!]: 'daily' } })
      await db
        .updateTable('subscribers')
        .set({ emailHash: hashAddress(pepper, email) })
        .where('id', '=', id)
        .execute()
    }
    const send = () => openWorker(house, { relays: [server.relay] }).runOnce()
    await addStory(ctx, 'monday', [politics!])
    clock.set('2026-03-02T07:00:00Z')
    await runTick(ctx)
    deny(() => true)
    await send()
    assert.deepEqual(await suppressed(), [])
    const due = await db.selectFrom('dueTimes').select('nextDueAt').execute()
    assert.deepEqual(
      new Set(due.map(({ nextDueAt }) => nextDueAt.toISOString())),
      new Set(['2026-03-03T07:00:00.000Z']),
    )
    assert.equal(due.length, 40)

    clock.set('2026-03-03T06:00:00Z')
    await addStory(ctx, 'tuesday', [politics!])
    clock.set('2026-03-03T07:00:00Z')
    await runTick(ctx)
    await send()
    await closeFinished(ctx)
    const [first, second] = await db.selectFrom('editions').selectAll().orderBy('id').execute()
    assert.equal(first!.account!.skipped.superseded, 40)
    assert.deepEqual(await scene.states(second!.id), { deferred: 40 })

    deny(() => false)
    const [brake] = await listBrakes(db, { limit: 9 })
    await decideBrake(ctx, { brakeId: brake!.id, decision: 'send-again', actor })
    await send()
    assert.deepEqual(server.captured.map(({ to }) => to).sort(), [...emails].sort())
    for (const { message } of server.captured) assert.ok(message.includes('monday') && message.includes('tuesday'))
    assert.deepEqual(await scene.close(second!.id), { sent: 40, failed: 0, suppressed: 0 })
  },
)

scene(
  'after RETRY_HOURS without a decision the mail fails, nobody is suppressed, and the edition closes',
  async (scene) => {
    const { house, server, run, deny, suppressed } = scene
    const { db, ctx, clock } = house
    const edition = await planEdition(house.database, addresses(100))
    deny(() => true)
    await run()
    const asked = server.seen.get('RCPT')
    await run({ asOf: new Date(Date.now() + 47 * 3_600_000) })
    assert.deepEqual(await scene.states(edition), { deferred: 100 })
    await run({ asOf: new Date(Date.now() + 49 * 3_600_000) })
    assert.equal(server.seen.get('RCPT'), asked)
    assert.deepEqual(await scene.close(edition), { sent: 0, failed: 100, suppressed: 0 })
    assert.deepEqual(await suppressed(), [])

    const [brake] = await listBrakes(db, { limit: 9 })
    assert.equal(brake!.decision, null)
    clock.set(new Date(Date.now() + 49 * 3_600_000))
    await runTick(ctx)
    const [ended] = await listBrakes(db, { limit: 9 })
    assert.equal(ended!.decision, 'none')

    deny(() => false)
    await decideBrake(ctx, { brakeId: brake!.id, decision: 'send-again', actor })
    await run()
    assert.deepEqual(await scene.close(edition), { sent: 100, failed: 0, suppressed: 0 })
  },
)

scene('one of two relays is wrong: the edition goes on through the other', async (scene) => {
  const { house, server, deny, suppressed } = scene
  await using good = await startCaptureServer()
  const edition = await planEdition(house.database, addresses(400))
  await house.db.updateTable('editions').set({ isProven: true }).where('id', '=', edition).execute()
  deny(() => true)
  await makeWorker(house.database, [server.relay, good.relay]).runOnce()
  const [brake] = await listBrakes(house.db, { limit: 9 })
  assert.equal(brake!.relay, server.relay.name)
  const { sent, deferred } = await scene.states(edition)
  assert.equal(sent! + deferred!, 400)
  assert.ok(deferred! <= 60, `${deferred} wait`)
  assert.deepEqual(await suppressed(), [])
  await decideBrake(house.ctx, { brakeId: brake!.id, decision: 'send-again', actor })
  deny(() => false)
  await makeWorker(house.database, [server.relay, good.relay]).runOnce()
  assert.deepEqual(await scene.close(edition), { sent: 400, failed: 0, suppressed: 0 })
})

scene('editors are told, and decide in the console, by API or on the command line', async (scene) => {
  const { house, server, run, deny, suppressed } = scene
  const { db, ctx } = house
  const console = await openConsole(house)
  const api = await openApi(house, 'editions')
  const edition = await planEdition(house.database, addresses(100))
  deny(() => true)
  await run()
  await checkAlerts(ctx)
  await checkAlerts(ctx)
  const [alert, ...others] = await listAlerts(db)
  assert.deepEqual([alert!.key, others], ['brake:1', []])
  const mails = await db.selectFrom('deliveries').select('recipient').where('kind', '=', 'alert').execute()
  assert.deepEqual(mails, [{ recipient: 'ada@news.example' }])
  const metrics = await house.web.get('/metrics').expect(200)
  assert.match(metrics.text, /broadsheet_alerts\{about="brake"\} 1/)

  for (const path of ['/admin', `/admin/editions/${edition}`]) {
    const page = await console.get(path).expect(200)
    assert.equal(page.text.match(/nobody is suppressed until you decide/g)?.length, 1, path)
    assert.match(page.text, /href="\/admin\/brakes\/1"/)
  }
  const { body: list } = await api('get', '/brakes?on=true').expect(200)
  assert.equal(list.items.length, 1)
  const { id, isOn, edition: of, relay, dead: count, decisions } = list.items[0]
  assert.deepEqual([id, isOn, of, relay], [1, true, edition, server.relay.name])
  assert.ok(count > 20)
  assert.deepEqual(decisions, ['send-again', 'addresses-are-dead'])

  const said = await console.get('/admin/brakes/1').expect(200)
  assert.match(said.text, /550 5\.1\.1 No such user/)
  const { calledDead, untried, waiting } = list.items[0]
  assert.deepEqual([calledDead + untried, waiting], [100, 100])
  assert.ok(calledDead > 20)
  const asked = await console.get('/admin/brakes/1/addresses-are-dead').expect(200)
  assert.ok(asked.text.includes(`${calledDead} addresses that it called dead`), asked.text)
  assert.ok(asked.text.includes(`Tried now: ${untried} mails that waited untried`), asked.text)
  await console.get('/admin/brakes/1/send-again').expect(200, /Sent now: 100 mails/)
  assert.deepEqual(await suppressed(), [], 'asking changes nothing')
  await console.post('/admin/brakes/1/addresses-are-dead').expect(303)
  assert.ok((await suppressed()).length > 20)
  await api('post', '/brakes/1/addresses-are-dead').expect(409)
  const { body: decided } = await api('post', '/brakes/1/send-again').expect(200)
  assert.deepEqual([decided.isOn, decided.decision, decided.decisions], [false, 'send-again', []])
  assert.deepEqual(await suppressed(), [])
  await api('post', '/brakes/1/send-again').expect(409)
  await api('post', '/brakes/99/send-again').expect(404)
  await api('get', '/brakes/99').expect(404)
  await checkAlerts(ctx)
  assert.deepEqual(await listAlerts(db), [])
  const lines = await db
    .selectFrom('auditLog')
    .select(['action', 'subject'])
    .where('action', 'like', 'brake.%')
    .execute()
  assert.deepEqual(
    lines.map(({ action, subject }) => [action, subject]),
    [
      ['brake.addresses_suppressed', 'brake:1'],
      ['brake.sent_again', 'brake:1'],
    ],
  )

  await run()
  const printed: string[] = []
  const out = { print: (text: string) => printed.push(text) } as unknown as Out
  assert.equal(await brakeList(ctx, { json: true }, out), 0)
  const next = JSON.parse(printed.at(-1)!) as { id: number; isOn: boolean; text: string }
  assert.equal(next.isOn, true)
  assert.equal(await brakeList(ctx, {}, out), 0)
  assert.ok(printed.at(-1)!.includes(next.text))
  await assert.rejects(brakeDecide(ctx, { id: next.id, decision: 'perhaps' }, out), /send-again or addresses-are-dead/)
  assert.equal(await brakeDecide(ctx, { id: next.id, decision: 'send-again', json: true }, out), 0)
  assert.equal((JSON.parse(printed.at(-1)!) as { brake: { decision: string } }).brake.decision, 'send-again')
  assert.equal(await brakeList(ctx, {}, out), 0)
  assert.equal(printed.at(-1), 'No brake is on.')
})
