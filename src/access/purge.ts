// A nightly chore: deletes sign-in links and sessions that have expired.

import type { Context } from '../db/context.ts'

const day = 86_400_000

/** Safe to repeat. */
export async function purgeAccess({ db, clock }: Context): Promise<void> {
  const now = clock.now().getTime()
  await db
    .deleteFrom('signInLinks')
    .where('expiresAt', '<', new Date(now - day))
    .execute()
  await db.deleteFrom('signInSessions').where('expiresAt', '<', new Date(now)).execute()
}
