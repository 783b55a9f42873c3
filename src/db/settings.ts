// Small facts that the site keeps about itself: the address pepper, when the trial began. Everything an operator sets is in the
// environment, not here.

import { randomBytes } from 'node:crypto'
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

const peppers = new WeakMap<Db, string>()

/** The key that addresses are hashed with: made once per site, the same in every process. */
export async function getPepper(db: Db): Promise<string> {
  const known = peppers.get(db)
  if (known) return known
  await db
    .insertInto('settings')
    .values({ key: 'address_pepper', value: JSON.stringify(randomBytes(32).toString('hex')) })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
  const pepper = (await findSetting<string>(db, 'address_pepper'))!
  if (!db.isTransaction) peppers.set(db, pepper)
  return pepper
}
