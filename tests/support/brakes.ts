// A brake as it stands in the database once a server has called too many addresses dead.

import type { Db } from '../../src/db/connect.ts'

/** On for a domain, with one answer that it has caught. Returns its id. */
export async function addBrake(db: Db, domain = 'provider.example'): Promise<number> {
  const since = new Date()
  const { id: brakeId } = await db
    .insertInto('brakes')
    .values({ domain, relay: null, editionId: null, holdsDigests: true, since, dead: 24, answers: 26 })
    .returning('id')
    .executeTakeFirstOrThrow()
  const { id: deliveryId } = await db
    .insertInto('deliveries')
    .values({ kind: 'confirmation', lane: 'transactional', recipient: `ada@${domain}`, nextAttemptAt: since })
    .returning('id')
    .executeTakeFirstOrThrow()
  const answer = { at: since, deliveryId, emailHash: 'x', lane: 'transactional', relay: 'relay:25' } as const
  await db
    .insertInto('deadAnswers')
    .values({ ...answer, domain, editionId: null, reply: '550 5.1.1 …: User unknown', brakeId })
    .execute()
  return brakeId
}
