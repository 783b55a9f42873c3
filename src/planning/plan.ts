// Plans a slot: deliveries for everyone who is due, in keyset chunks. Each chunk is one short transaction that writes deliveries
// and moves `due_times`. If the process is killed, the next one continues: a chunk is either committed, or its subscribers are
// still due.
//
// Any number of processes may plan. The edition's row is the lock: one process at a time adds to an edition, and the others skip
// it. Chunks of different editions run one after another. plan-chunk.ts has the statements.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Trx } from '../db/connect.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import type { Edition } from '../db/schema.ts'
import { addAudience, markPlannedAtSlot, setPlanCursor, takeForPlanning } from '../editions/audience.ts'
import { findStretch, groupTable, listGroups, moveOnWithoutMail, writeChunk } from './plan-chunk.ts'

export const chunkSize = 20_000

export interface PlanOptions {
  /** Only this subscriber. */
  only?: number | undefined
  /** Subscribers per transaction. */
  chunkSize?: number | undefined
  /** After each chunk: how many it planned. */
  onProgress?: ((planned: number) => void) | undefined
}

export interface Planned {
  /**
   * `complete`: nobody is due at this slot any more. `partial`: some are left for the next tick, because a mail of theirs is
   * leased or their row is locked. `busy`: another process plans it.
   */
  outcome: 'complete' | 'partial' | 'busy'
  planned: number
}

/** Plans the rest of a scheduled edition. */
export async function planScheduled(ctx: Context, edition: Edition, options: PlanOptions = {}): Promise<Planned> {
  const slot = edition.slotAt!
  let planned = 0
  // Continues where planning stopped, in any process: scanning all subscribers who have been moved on takes longer than planning a
  // chunk. Starts again at the beginning only if some were left behind.
  for (const continues of [true, false]) {
    let hasBegunAtStart = !continues
    for (let cursor = 0; ;) {
      const chunk = await planChunk(ctx, { editionId: edition.id, slot, cursor, continues }, options)
      if (chunk === 'busy') return { outcome: 'busy', planned }
      planned += chunk.planned
      if (chunk.planned > 0) options.onProgress?.(chunk.planned)
      if (chunk.after === 0) hasBegunAtStart = true
      if (chunk.last === null) break
      cursor = chunk.last
    }
    if (options.only !== undefined) break
    if (await markPlannedAtSlot(ctx.db, edition.id, slot, ctx.clock.now())) return { outcome: 'complete', planned }
    if (hasBegunAtStart) break
  }
  return { outcome: 'partial', planned }
}

/** `after`: where it began. `last`: the highest subscriber id seen; null: there was none above `after`. */
interface Chunk {
  planned: number
  after: number
  last: number | null
}

async function planChunk(
  ctx: Context,
  { editionId, slot, cursor, continues }: { editionId: number; slot: Date; cursor: number; continues: boolean },
  { only = undefined, chunkSize: limit = chunkSize }: PlanOptions,
): Promise<Chunk | 'busy'> {
  return retryDeadlock(() =>
    ctx.db.transaction().execute(async (trx) => {
      // Compiling the statement for each chunk would take longer than it saves.
      await sql`set local jit = off`.execute(trx)
      const edition = await takeForPlanning(trx, editionId)
      if (!edition) return 'busy'
      await lockPlanning(trx)
      const after = continues && only === undefined ? Math.max(cursor, edition.planCursor ?? 0) : cursor
      const stretch = await findStretch(trx, { slot, after, only, limit })
      if (!stretch) return { planned: 0, after, last: null }
      const groups = groupTable(ctx, slot, await listGroups(trx, stretch))
      const planned = isOver(edition)
        ? await moveOnWithoutMail(trx, edition, stretch, groups)
        : await writeChunk(trx, editionId, stretch, groups)
      await addAudience(trx, editionId, planned)
      if (continues && only === undefined) await setPlanCursor(trx, editionId, stretch.last)
      return { planned, after, last: stretch.last }
    }),
  )
}

/** An arbitrary constant, the same in every process. */
const planningLock = 1_801_301_002

/**
 * Until the commit, no other transaction creates digests of any edition: two that don't see each other's uncommitted rows would
 * give a subscriber two at once, with the same stories in both. Take this lock after the edition's row and before reading
 * anything.
 */
export async function lockPlanning(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(planningLock)})`.execute(trx)
}

function isOver(edition: Edition): boolean {
  return edition.closedAt !== null || edition.state === 'cancelled' || edition.state === 'missed'
}
