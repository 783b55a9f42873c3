// An edition is over when it is planned, nothing is open, and no uncertain delivery waits to be sent again. Then its account is
// counted from the deliveries themselves, compared with the live counts, and frozen. If it doesn't add up, the edition stays open
// and an alert says so.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Db } from '../db/connect.ts'
import type { Account, Edition } from '../db/schema.ts'
import { accountsOf, addsUp, recount } from './account.ts'
import { isWaiting, leasedDeliveries } from './open-deliveries.ts'
import { listUnfinished } from './store.ts'

/** Closes editions that are over. Safe to repeat, and in many processes at once. Returns the ids of those that it closed. */
export async function closeFinished(ctx: Context): Promise<number[]> {
  const closed: number[] = []
  for (const edition of await listUnfinished(ctx.db)) if (await closeEdition(ctx, edition.id)) closed.push(edition.id)
  return closed
}

/** Closes one edition, at most once. */
export async function closeEdition(ctx: Context, editionId: number): Promise<boolean> {
  return ctx.db.transaction().execute(async (trx) => {
    const edition = await trx
      .selectFrom('editions')
      .selectAll()
      .where('id', '=', editionId)
      .where('closedAt', 'is', null)
      .forNoKeyUpdate()
      .skipLocked()
      .executeTakeFirst()
    if (!edition || !isClosable(edition) || (await hasUnsettled(trx, editionId))) return false
    const account = await recount(trx, editionId)
    if (!addsUp(account, edition.audience)) {
      const note = `Edition ${editionId} doesn't add up: ${edition.audience} were planned, ${JSON.stringify(account)} counted.`
      await trx
        .updateTable('editions')
        .set({ note, miscountedAt: ctx.clock.now() })
        .where('id', '=', editionId)
        .where('miscountedAt', 'is', null)
        .execute()
      return false
    }
    const live = (await accountsOf(trx, [edition])).get(editionId)!
    if (JSON.stringify(live) !== JSON.stringify(account))
      ctx.log.warn({ edition: editionId, live, account }, 'the live counts had drifted; the deliveries were counted')
    await trx
      .updateTable('editions')
      .set({
        state: edition.state === 'cancelled' ? 'cancelled' : 'closed',
        closedAt: ctx.clock.now(),
        account: JSON.stringify(account),
        note: (edition.miscountedAt ? '' : edition.note) || summary(account),
        pausedBy: null,
        miscountedAt: null,
      })
      .where('id', '=', editionId)
      .execute()
    ctx.log.info({ edition: editionId, account }, 'edition closed')
    return true
  })
}

function isClosable(edition: Edition): boolean {
  if (edition.state === 'cancelled') return true
  // A held edition too: if the next slot has superseded all its deliveries, there is nothing left to release.
  return edition.plannedAt !== null && ['sending', 'paused', 'held'].includes(edition.state)
}

/** Waiting, leased, or uncertain and to be sent again. */
async function hasUnsettled(db: Db, editionId: number): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (select from deliveries d where d.edition_id = ${editionId} and d.lane = 'digest' and ${isWaiting})
      or exists (select from ${leasedDeliveries} where d.edition_id = ${editionId}) as found`.execute(db)
  return rows[0]!.found
}

function summary(account: Account): string {
  if (account.audience === 0) return 'Nobody was due.'
  if (account.skipped.nothing_new === account.audience) return 'Nobody had anything new.'
  return ''
}
