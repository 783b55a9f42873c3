// When a tick last came to its end, on the database's clock, as many machines ask.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import { touchSetting } from '../db/settings.ts'

const key = 'last_tick'

export async function noteTick(db: Db): Promise<void> {
  await touchSetting(db, key)
}

/** The end of the last tick, if that is more than `minutes` ago. Undefined: a tick ended since, or none ever ran. */
export async function lastTick(db: Db, minutes: number): Promise<Date | undefined> {
  const row = await db
    .selectFrom('settings')
    .select('updatedAt')
    .where('key', '=', key)
    .where('updatedAt', '<', sql<Date>`now() - ${minutes} * interval '1 minute'`)
    .executeTakeFirst()
  return row?.updatedAt
}
