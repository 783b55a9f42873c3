// Small facts that the site stores about itself: the address pepper, when the trial began. Everything that an operator sets is in
// the environment, not here.

import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Db } from './connect.ts'

export async function findSetting<T>(db: Db, key: string): Promise<T | undefined> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst()
  return row?.value as T | undefined
}

export async function setSetting(db: Db, key: string, value: unknown): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key, value: JSON.stringify(value) })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({ value: JSON.stringify(value), updatedAt: new Date() }),
    )
    .execute()
}

/** Records that something happened now, by the database's clock, in `updated_at`. */
export async function touchSetting(db: Db, key: string): Promise<void> {
  await sql`insert into settings (key, value, updated_at) values (${key}, 'true', now())
    on conflict (key) do update set updated_at = now()`.execute(db)
}

/** Stores the value unless one is set. Returns the stored value, which is the same in every process. */
export async function keepSetting<T>(db: Db, key: string, value: T): Promise<T> {
  await db
    .insertInto('settings')
    .values({ key, value: JSON.stringify(value) })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
  return (await findSetting<T>(db, key))!
}

/** false: it wasn't set. */
export async function deleteSetting(db: Db, key: string): Promise<boolean> {
  return (await db.deleteFrom('settings').where('key', '=', key).returning('key').executeTakeFirst()) !== undefined
}

/** How many mails have been settled in total, updated with each beat of a worker. */
export const settledKey = 'settled'

/** Raises a setting that is a number. */
export async function raiseSetting(db: Db, key: string, by: number): Promise<void> {
  await sql`insert into settings (key, value) values (${key}, to_jsonb(${by}::bigint))
    on conflict (key) do update set value = to_jsonb((settings.value #>> '{}')::bigint + ${by}::bigint), updated_at = now()`.execute(
    db,
  )
}

const peppers = new WeakMap<Db, string>()

/** The key for hashing addresses: made once per site, the same in every process. */
export async function getPepper(db: Db): Promise<string> {
  const known = peppers.get(db)
  if (known) return known
  const pepper = await keepSetting(db, 'address_pepper', randomBytes(32).toString('hex'))
  if (!db.isTransaction) peppers.set(db, pepper)
  return pepper
}
