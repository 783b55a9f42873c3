// Leases for work that one process at a time does, whichever asks first. If the holder is gone, its lease expires by the
// database's clock.

import { sql } from 'kysely'
import type { Db } from './connect.ts'

/** Takes or prolongs the lease. false: another process holds it. */
export async function holdLease(db: Db, name: string, holder: string, seconds: number): Promise<boolean> {
  const until = sql<Date>`now() + ${seconds} * interval '1 second'`
  const held = await db
    .insertInto('leases')
    .values({ name, holder, until })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ holder, until })
        .where((eb) => eb.or([eb('leases.holder', '=', holder), eb('leases.until', '<', sql<Date>`now()`)])),
    )
    .returning('name')
    .executeTakeFirst()
  return held !== undefined
}

export async function endLease(db: Db, name: string, holder: string): Promise<void> {
  await db.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder).execute()
}
