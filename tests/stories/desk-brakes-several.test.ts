// Brakes of two domains at once, and of editions that are paused or cancelled meanwhile.

import assert from 'node:assert/strict'
import { decideBrake, listBrakes } from '../../src/desk/brakes.ts'
import { moveEdition } from '../../src/desk/control.ts'
import { closeFinished } from '../../src/editions/close.ts'
import { findEdition } from '../../src/editions/store.ts'
import { runTick } from '../../src/planning/tick.ts'
import { type CaptureServer, startCaptureServer } from '../support/capture-server.ts'
import { type House, story } from '../support/house.ts'
import { countStates, makeWorker, planEdition } from '../support/sending.ts'

const actor = 'cli' as const
const count = 40
const at = (domain: string) => Array.from({ length: count }, (_, n) => `reader${n}@${domain}`)
/** Mixed with eight times as many good ones, so that the edition as a whole gives no reason for a brake. */
const mixed = (domains: readonly string[]) =>
  Array.from({ length: count }, (_, n) => [
    ...domains.map((domain) => `reader${n}@${domain}`),
    ...Array.from({ length: 8 }, (_, m) => `reader${n}@a${m}.example`),
  ]).flat()

/** These domains call everybody dead from now on. */
function deny(server: CaptureServer, ...domains: string[]): void {
  server.fault = (step, { to }) =>
    step === 'rcpt' && domains.includes(to.split('@')[1]!) ? { reply: '550 5.1.1 No such user' } : undefined
}

const send = ({ database }: House, server: CaptureServer) => makeWorker(database, [server.relay]).runOnce()
const suppressed = async ({ db }: House) =>
  (await db.selectFrom('suppressions').select('email').orderBy('email').execute()).map(({ email }) => email)

async function accountOf({ ctx, db }: House, edition: number) {
  await closeFinished(ctx)
  const { state, account } = (await findEdition(db, edition))!
  return { state, sent: account?.sent, failed: account?.failed, cancelled: account?.skipped.cancelled }
}

/** An edition whose mail to these domains waits, each under a brake of its own. */
async function planBraked(house: House, server: CaptureServer, ...domains: string[]) {
  const edition = await planEdition(house.database, mixed(domains))
  await house.db.updateTable('editions').set({ isProven: true }).where('id', '=', edition).execute()
  deny(server, ...domains)
  await send(house, server)
  const brakes = await listBrakes(house.db, { limit: 9, isOn: true })
  assert.deepEqual(brakes.map(({ domain }) => domain).sort(), [...domains].sort())
  assert.deepEqual(await countStates(house.database, edition), { sent: 320, deferred: count * domains.length })
  assert.deepEqual(await suppressed(house), [])
  const brakeOf = (domain: string) => brakes.find((brake) => brake.domain === domain)!.id
  return { edition, brakeOf }
}

story('two domains at once: each has a brake, and a decision is about its own mail only', async (house) => {
  await using server = await startCaptureServer()
  const { edition, brakeOf } = await planBraked(house, server, 'one.example', 'two.example')
  deny(server, 'two.example')
  await decideBrake(house.ctx, { brakeId: brakeOf('one.example'), decision: 'send-again', actor })
  await send(house, server)
  assert.deepEqual(await countStates(house.database, edition), { sent: 360, deferred: 40 })
  assert.deepEqual(await suppressed(house), [])
  await decideBrake(house.ctx, { brakeId: brakeOf('two.example'), decision: 'addresses-are-dead', actor })
  await send(house, server)
  assert.deepEqual(await suppressed(house), at('two.example').sort())
  assert.deepEqual(await accountOf(house, edition), { state: 'closed', sent: 360, failed: 40, cancelled: 0 })
})

story('what waits in a paused edition fails after RETRY_HOURS, and the brake ends', async (house) => {
  await using server = await startCaptureServer()
  const { ctx, db, clock } = house
  const { edition } = await planBraked(house, server, 'one.example')
  await moveEdition(ctx, { editionId: edition, move: 'pause', actor })
  clock.set(new Date(Date.now() + 47 * 3_600_000))
  await runTick(ctx)
  assert.equal((await listBrakes(db, { limit: 9 }))[0]!.decision, null)
  clock.set(new Date(Date.now() + 49 * 3_600_000))
  await runTick(ctx)
  const [brake] = await listBrakes(db, { limit: 9 })
  assert.equal(brake!.decision, 'none')
  assert.deepEqual(await suppressed(house), [])
  assert.deepEqual(await accountOf(house, edition), { state: 'closed', sent: 320, failed: 40, cancelled: 0 })

  // The editor may still say that the server was wrong.
  deny(server)
  await decideBrake(ctx, { brakeId: brake!.id, decision: 'send-again', actor })
  await send(house, server)
  assert.deepEqual(await accountOf(house, edition), { state: 'closed', sent: 360, failed: 0, cancelled: 0 })
})

story('a paused edition under a brake: decided meanwhile, its mail goes when it is resumed', async (house) => {
  await using server = await startCaptureServer()
  const { ctx, database } = house
  const { edition, brakeOf } = await planBraked(house, server, 'one.example')
  await moveEdition(ctx, { editionId: edition, move: 'pause', actor })
  deny(server)
  await decideBrake(ctx, { brakeId: brakeOf('one.example'), decision: 'send-again', actor })
  await send(house, server)
  assert.deepEqual(await countStates(database, edition), { sent: 320, deferred: 40 })
  await moveEdition(ctx, { editionId: edition, move: 'resume', actor })
  await send(house, server)
  assert.deepEqual(await accountOf(house, edition), { state: 'closed', sent: 360, failed: 0, cancelled: 0 })
})

story('an edition that is cancelled under a brake stays cancelled, whatever is decided', async (house) => {
  await using server = await startCaptureServer()
  const { ctx } = house
  const { edition, brakeOf } = await planBraked(house, server, 'one.example')
  await moveEdition(ctx, { editionId: edition, move: 'cancel', actor })
  const cancelled = { state: 'cancelled', sent: 320, failed: 0, cancelled: 40 }
  assert.deepEqual(await accountOf(house, edition), cancelled)
  deny(server)
  await decideBrake(ctx, { brakeId: brakeOf('one.example'), decision: 'send-again', actor })
  await send(house, server)
  assert.equal(server.captured.length, 320)
  assert.deepEqual(await accountOf(house, edition), cancelled)
})
