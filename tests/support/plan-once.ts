// A process of its own that plans what is due, in small chunks, so that tests can kill it anywhere.
// node tests/support/plan-once.ts DATABASE_URL INSTANT CHUNK [MILLISECONDS A TRANSACTION MAY STAND IDLE]

import { fixedClock } from '../../src/base/clock.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { openPostgres } from '../../src/db/connect.ts'
import { tick } from './newsroom.ts'

const [url, instant, chunk, idle] = process.argv.slice(2)
const database = openPostgres(url!, 2, idle ? { idleTransactionMs: Number(idle) } : {})
const ctx = {
  db: database.db,
  clock: fixedClock(new Date(instant!)),
  config: readConfig({}),
  log: createLog('silent'),
}
await tick(ctx, { chunkSize: Number(chunk), onProgress: () => process.stdout.write('.') })
await database.close()
