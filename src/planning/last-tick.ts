// The end of the last tick, by the database's clock, because many machines ask.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import { touchSetting } from '../db/settings.ts'

const key = 'last_tick'

export async function noteTick(db: Db): Promise<void> {
  await touchSetting(db, key)
}

/** The end of the last tick, if it is more than `minutes` ago. undefined: a tick ended since, or none ever ran. */
export async function lastTick(db: Db, minutes: number): Promise<Date | undefined> {
  const row = await db
    .selectFrom('settings')
    .select('updatedAt')
    .where('key', '=', key)
    .where('updatedAt', '<', sql<Date>`now() - ${minutes} * interval '1 minute'`)
    .executeTakeFirst()
  return row?.updatedAt
}
