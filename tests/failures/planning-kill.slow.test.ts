// kill -9 in the middle of planning, on a real Postgres: whoever plans next continues, and in the end everyone who was due has
// exactly one delivery. PLANNING_KILLS raises the number.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { MovableClock } from '../support/clock.ts'
import { freshDatabase } from '../support/database.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { seed } from '../../src/commands/digests/seed.ts'
import type { Db } from '../../src/db/connect.ts'

const kills = Number(process.env['PLANNING_KILLS'] ?? 4)
const subscribers = 3000
const chunk = 50
const script = path.join(import.meta.dirname, '../support/plan-once.ts')
const options = process.env['TEST_DATABASE_URL'] ? {} : { skip: 'needs a Postgres' }

async function openSeeded(): Promise<{ db: Db; url: string; slot: string }> {
  const { database, url } = await freshDatabase('postgres')
  const clock = new MovableClock('2026-03-02T06:00:00Z')
  const ctx = { db: database.db, clock, config: readConfig({}), log: createLog('silent') }
  let slot = ''
  const out = {
    print: (line: string) => void (slot = (JSON.parse(line) as { slot: string }).slot),
    progress: () => {},
    error: () => {},
    isTty: false,
  }
  assert.equal(await seed(ctx, { subscribers, json: true }, out), 0)
  return { db: database.db, url: url!, slot }
}

function plan(url: string, slot: string, ...more: string[]) {
  return spawn(process.execPath, [script, url, slot, String(chunk), ...more], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Kills it after so many chunks; false when it was done before that. */
async function planAndKill(url: string, slot: string, chunks: number): Promise<boolean> {
  const child = plan(url, slot)
  let seen = 0
  child.stdout.on('data', (dots: Buffer) => {
    seen += dots.length
    if (seen >= chunks) child.kill('SIGKILL')
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return signal === 'SIGKILL'
}

async function assertEveryoneOnce(db: Db, slot: string): Promise<void> {
  const { rows } = await sql<{ deliveries: number; people: number; left: number; audience: number; editions: number }>`
    select (select count(*) from deliveries) as deliveries, (select count(distinct subscriber_id) from deliveries) as people,
      (select count(*) from due_times where next_due_at <= ${slot}::timestamptz) as left,
      (select sum(audience) from editions) as audience, (select count(*) from editions) as editions`.execute(db)
  assert.deepEqual(rows[0], {
    deliveries: subscribers,
    people: subscribers,
    left: 0,
    audience: subscribers,
    editions: 1,
  })
}

test('a planner that is killed again and again loses nobody and doubles nobody', options, async () => {
  const { db, url, slot } = await openSeeded()
  let killed = 0
  for (let n = 0; n < kills; n++) {
    const chunks = 1 + Math.floor(Math.random() * ((2 * subscribers) / chunk / kills))
    if (await planAndKill(url, slot, chunks)) killed++
  }
  assert.ok(killed > 0)
  const [code] = (await once(plan(url, slot), 'exit')) as [number | null]
  assert.equal(code, 0)
  await assertEveryoneOnce(db, slot)
})

test('five planners at once, some of them killed, plan the slot once', options, async () => {
  const { db, url, slot } = await openSeeded()
  await Promise.all([
    ...[3, 10, 25].map((chunks) => planAndKill(url, slot, chunks)),
    ...[1, 2].map(() => once(plan(url, slot), 'exit')),
  ])
  await once(plan(url, slot), 'exit')
  await assertEveryoneOnce(db, slot)
})

test('a planner that is frozen between two statements holds the others up only for a moment', options, async () => {
  const { db, url, slot } = await openSeeded()
  const frozen = plan(url, slot, '1000')
  try {
    await once(frozen.stdout, 'data')
    await freezeWithin(db, frozen)
    const due = () =>
      db.selectFrom('dueTimes').select('subscriberId').where('nextDueAt', '<=', new Date(slot)).limit(1).execute()
    while ((await due()).length > 0) await once(plan(url, slot), 'exit')
    frozen.kill('SIGCONT')
    await once(frozen, 'exit')
  } finally {
    frozen.kill('SIGKILL')
  }
  await assertEveryoneOnce(db, slot)
})

/** In nearly all of its time it is within a transaction; looked at until it is. */
async function freezeWithin(db: Db, planner: ReturnType<typeof plan>): Promise<void> {
  for (;;) {
    assert.equal(planner.exitCode, null, 'it was done before')
    planner.kill('SIGSTOP')
    await sleep(50)
    const { rows } = await sql<{ isWithin: boolean }>`
      select exists (select from pg_stat_activity
        where datname = current_database() and state = 'idle in transaction') as "isWithin"`.execute(db)
    if (rows[0]!.isWithin) return
    planner.kill('SIGCONT')
  }
}
