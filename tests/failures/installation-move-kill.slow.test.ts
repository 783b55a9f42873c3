// The embedded installation moves to Postgres in the middle of a day of sending. The sender is killed with mails on the wire, the move
// is killed again and again, and the days after that are sent from Postgres. Nobody gets a story twice, no story is lost, and
// what is exported before and after is equal. MOVING_KILLS raises the number of kills, of days and of subscribers.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPostgres } from '../../src/db/connect.ts'
import { emptyPostgres } from '../support/postgres-databases.ts'
import { Inbox } from '../support/inbox.ts'
import { seedOf } from '../support/seed.ts'
import { freePort } from '../support/program.ts'

/** The long form: MOVING_KILLS=10. */
const kills = Number(process.env['MOVING_KILLS'] ?? 1)
const daysAfter = kills > 1 ? [2, 3] : [2]
const subscribers = kills > 1 ? 1000 : 100
const cli = path.join(import.meta.dirname, '../../src/cli.ts')
const options = process.env['TEST_DATABASE_URL'] ? {} : { skip: 'needs a Postgres' }

type Environment = Record<string, string>

function begin(env: Environment, words: readonly string[]) {
  const child = spawn(process.execPath, [cli, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()))
  return { child, text, ended: once(child, 'close') as Promise<[number | null, string | null]> }
}

async function command(env: Environment, ...words: string[]): Promise<string> {
  const { text, ended } = begin(env, words)
  const [code] = await ended
  assert.equal(code, 0, `${words.join(' ')}: ${text.stderr}`)
  return text.stdout
}

async function killWhen(child: ChildProcess, is: () => boolean): Promise<void> {
  while (!is() && child.exitCode === null) await sleep(5)
  child.kill('SIGKILL')
}

/** Small numbers from a seed. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

const day = (slot: string, days: number) => new Date(Date.parse(slot) + days * 86_400_000).toISOString()
/** Without the head, and without what each start notes about itself. */
const rowsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => !/^\{"(head|settings|end)"/.test(line))
    .toSorted()

test(
  'a day of sending is interrupted, moves to Postgres, and goes on: no story twice, none lost',
  options,
  async () => {
    const seed = seedOf('MOVING_SEED')
    console.log(`seed ${seed}`)
    const random = dice(seed)
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-moving-'))
    const { url, drop } = await emptyPostgres()
    const inbox = new Inbox()
    await inbox.listen()
    const embedded: Environment = {
      PATH: process.env['PATH']!,
      DATA_DIR: dataDir,
      PORT: String(await freePort()),
      PUBLIC_URL: 'http://news.example',
      SITE_NAME: 'The Whale Gazette',
      SMTP_URL: inbox.url,
      SMTP_CONNECTIONS: '3',
      SECRET_KEY: 'a-secret-of-the-tests-that-is-long-enough',
      MAIL_FROM: 'The Whale Gazette <digest@news.example>',
      POSTAL_ADDRESS: '1 Harbour Street, Port Lantern',
      DIGEST_STORIES: '50',
    }
    const postgres = { ...embedded, DATABASE_URL: url }
    try {
      const seeded = await command(
        embedded,
        'seed',
        '--subscribers',
        String(subscribers),
        '--articles',
        '12',
        '--history',
        '3',
        '--json',
      )
      const { slot } = JSON.parse(seeded) as { slot: string }
      await command(embedded, 'digest', 'run', '--as-of', slot)
      const firstDay = inbox.received.length
      assert.ok(firstDay > subscribers / 2)

      // The second day stops in its middle.
      await command(embedded, 'seed', '--subscribers', '0', '--articles', '8')
      const sending = begin(embedded, ['digest', 'run', '--as-of', day(slot, 1)])
      await killWhen(sending.child, () => inbox.received.length >= firstDay + subscribers / 4)
      await sending.ended
      const list = await command(embedded, 'subscribers', 'export')
      const everything = rowsOf(await command(embedded, 'export', '--everything'))
      assert.ok(
        everything.some((line) => line.startsWith('{"in_flight"')),
        'the sender was killed at work',
      )

      for (let kill = 0; kill < kills; kill++) {
        const moving = begin(embedded, ['move', '--to', url])
        const after = performance.now() + 500 + random() * 3000 * Math.min(kills, 2)
        await killWhen(moving.child, () => performance.now() > after)
        await moving.ended
        if (existsSync(path.join(dataDir, 'moved.json'))) break
      }
      const moved = await command(embedded, 'move', '--to', url)
      assert.match(moved, new RegExp(`^DATABASE_URL=${url}$`, 'm'))
      assert.match(moved, /^SECRET_KEY=a-secret-of-the-tests-that-is-long-enough$/m)
      assert.equal(await command(postgres, 'subscribers', 'export'), list)
      assert.deepEqual(rowsOf(await command(postgres, 'export', '--everything')), everything)

      await command(postgres, 'digest', 'run', '--as-of', day(slot, 1))
      for (const days of daysAfter) {
        await command(postgres, 'seed', '--subscribers', '0', '--articles', '8')
        await command(postgres, 'digest', 'run', '--as-of', day(slot, days))
      }
      await check(url, inbox)

      const old = begin(embedded, ['digest', 'run'])
      assert.equal((await old.ended)[0], 1)
      assert.match(old.text.stderr, /was moved to postgres:/)
    } finally {
      await inbox.close()
      await drop()
      rmSync(dataDir, { recursive: true })
    }
  },
)

async function check(url: string, inbox: Inbox): Promise<void> {
  const { db, close } = openPostgres(url, 2)
  const deliveries = await db
    .selectFrom('deliveries as d')
    .innerJoin('editions as e', 'e.id', 'd.editionId')
    .select([
      'd.id',
      'd.editionId',
      'd.subscriberId',
      'd.messageId',
      'd.articleIds',
      'd.state',
      'd.reason',
      'd.attempt',
    ])
    .where('d.lane', '=', 'digest')
    .orderBy('d.id')
    .execute()
  assert.deepEqual(
    deliveries.filter(({ state, reason }) => state !== 'sent' && reason !== 'nothing_new'),
    [],
    'everything is sent, or had nothing new',
  )
  // At most one mail per connection came twice, with the same Message-ID.
  const mails = inbox.received.map(({ mail }) => mail.messageId!)
  const once = new Set(mails)
  assert.ok(mails.length - once.size <= 3, `${mails.length - once.size} mails came twice`)
  const known = new Map(deliveries.map((delivery) => [delivery.messageId, delivery]))
  for (const id of once) assert.ok(known.has(id), `${id} is not known at the target`)

  const read = new Map<number, number[]>()
  for (const { subscriberId, articleIds, state } of deliveries)
    if (state === 'sent') read.set(subscriberId!, [...(read.get(subscriberId!) ?? []), ...(articleIds ?? [])])
  for (const [subscriber, ids] of read)
    assert.equal(new Set(ids).size, ids.length, `subscriber ${subscriber} got a story twice: ${ids.join()}`)

  // Every story that came after the first day reached everybody who has its category daily.
  const firstDay = deliveries.find(({ messageId }) => messageId === mails[0])!.editionId!
  const { cutoffSeq } = await db
    .selectFrom('editions')
    .select('cutoffSeq')
    .where('id', '=', firstDay)
    .executeTakeFirstOrThrow()
  const wanted = await db
    .selectFrom('subscriptions as s')
    .innerJoin('articleCategories as c', 'c.categoryId', 's.categoryId')
    .select(['s.subscriberId', 'c.articleId'])
    .where('s.frequency', '=', 'daily')
    .where('c.seq', '>', cutoffSeq)
    .execute()
  assert.ok(wanted.length > subscribers / 2)
  const lost = wanted.filter(({ subscriberId, articleId }) => !read.get(subscriberId)?.includes(articleId))
  assert.deepEqual(lost, [])
  await close()
}
