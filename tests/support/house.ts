// One line builds a world: real database, real SMTP, the real Express application, a clock moved by hand.
// `story` registers a test on Postgres where npm test found or started one, else on the embedded database; some run on both.

import path from 'node:path'
import { test } from 'node:test'
import supertest from 'supertest'
import { readConfig, type Config } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Database } from '../../src/db/connect.ts'
import type { Queue } from '../../src/db/queue.ts'
import { createServer } from '../../src/web/server.ts'
import type { WebContext } from '../../src/web/web-context.ts'
import { checkedWeb } from './checked-web.ts'
import { MovableClock } from './clock.ts'
import { freshDatabase, type DatabaseKind, type TestDatabase } from './database.ts'
import { Inbox } from './inbox.ts'

export interface HouseOptions {
  /** Default: a Monday morning. */
  now?: string
  /** Variables over the defaults. */
  env?: Record<string, string>
  /** What the SNS hosts of AWS answer. */
  fetchFromSns?: WebContext['fetchFromSns']
  /** Default: the test file's own, emptied. */
  database?: TestDatabase
}

export interface StoryOptions extends HouseOptions {
  /** Default: both for what is close to the database, else Postgres where there is one. */
  on?: DatabaseKind
}

export interface House {
  web: ReturnType<typeof supertest>
  /** Keeps cookies: an editor's browser. */
  browser(): ReturnType<typeof supertest.agent>
  ctx: WebContext
  db: WebContext['db']
  database: Database
  databaseUrl: string | null
  queue: Queue
  config: Config
  clock: MovableClock
  inbox: Inbox
  [Symbol.asyncDispose](): Promise<void>
}

export const testSecret = 'a-secret-of-the-tests-that-is-long-enough'

export async function openHouse(kind: DatabaseKind, options: HouseOptions = {}): Promise<House> {
  const { database, queue, url } = options.database ?? (await freshDatabase(kind))
  const inbox = new Inbox()
  await inbox.listen()
  const config = readConfig({
    PUBLIC_URL: 'http://news.example',
    SITE_NAME: 'The Whale Gazette',
    SMTP_URL: inbox.url,
    SECRET_KEY: testSecret,
    MAIL_FROM: 'The Whale Gazette <digest@news.example>',
    MAIL_FROM_SYSTEM: 'The Whale Gazette <system@news.example>',
    POSTAL_ADDRESS: '1 Harbour Street, Port Lantern',
    LOG_LEVEL: 'fatal',
    ...options.env,
  })
  const clock = new MovableClock(options.now ?? '2026-03-02T06:00:00Z')
  const ctx: WebContext = { db: database.db, clock, config, log: createLog(config.logLevel), database, queue }
  if (options.fetchFromSns) ctx.fetchFromSns = options.fetchFromSns
  const app = createServer(ctx)
  return {
    web: checkedWeb(app, config),
    browser: () => supertest.agent(app),
    ctx,
    db: database.db,
    database,
    databaseUrl: url,
    queue,
    config,
    clock,
    inbox,
    async [Symbol.asyncDispose]() {
      await inbox.close()
    },
  }
}

/** The databases that tests run on. */
export const databaseKinds: readonly DatabaseKind[] = process.env.TEST_DATABASE_URL
  ? ['embedded', 'postgres']
  : ['embedded']

// The embedded database is Postgres, too: statements mean the same on it. What differs is how they meet, and how they are sent.
const runsOnBoth =
  process.env['TEST_ALL'] === '1' || /^(?:main-path|db|delivery)\b/.test(path.basename(process.argv[1] ?? ''))

/** A test through the whole house. `npm run test:all` runs each on both databases. */
export function story(title: string, run: (house: House) => Promise<void>, options: StoryOptions = {}): void {
  const kinds = options.on ? [options.on] : runsOnBoth ? databaseKinds : databaseKinds.slice(-1)
  for (const kind of kinds.filter((each) => databaseKinds.includes(each)))
    test(kind === 'embedded' ? title : `${title} (Postgres)`, async () => {
      await using house = await openHouse(kind, options)
      await run(house)
    })
}
