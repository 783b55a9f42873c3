// The states of an edition: their transitions, their names, and the statements that change them. Workers read the state in the
// statement that puts a mail on the wire, so a change applies to the very next mail.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Edition, EditionState, PausedBy } from '../db/schema.ts'
import { wakeWorkers } from './wake.ts'

export const editionMoves = {
  hold: ['awaiting_approval'],
  release: ['awaiting_approval', 'held'],
  pause: ['sending'],
  resume: ['paused'],
  cancel: ['planning', 'awaiting_approval', 'held', 'sending', 'paused'],
} as const satisfies Record<string, readonly EditionState[]>
export type EditionMove = keyof typeof editionMoves

const pauseNotes: Record<PausedBy, string> = {
  editor: 'Paused by an editor.',
  policy:
    'Paused: ten mails in a row were refused because of the sender, not of the recipients. Read the replies, solve the problem, then resume.',
  returns:
    'Paused: too many mails came back as refused because of the sender, not of the recipients. Read what came back, solve the problem, then resume.',
}

/** An editor has released it, and it only waits for its slot. Pure. */
export function isReleased({ state, approvedAt }: Pick<Edition, 'state' | 'approvedAt'>): boolean {
  return state === 'awaiting_approval' && approvedAt !== null
}

/** What an editor may do now. Pure. */
export function movesOf(edition: Pick<Edition, 'state' | 'closedAt' | 'approvedAt'>): EditionMove[] {
  if (edition.closedAt) return []
  const all = Object.entries(editionMoves) as [EditionMove, readonly EditionState[]][]
  return all
    .filter(([move, from]) => from.includes(edition.state) && !(move === 'release' && isReleased(edition)))
    .map(([move]) => move)
}

/** The state in words for editors. Pure. */
export function stateWords(edition: Pick<Edition, 'state' | 'approvedAt'>): string {
  return isReleased(edition) ? 'released' : edition.state.replaceAll('_', ' ')
}

/** Makes a move that `movesOf` allows. A release before the slot is an approval: the edition still waits for its slot. */
export async function makeMove(trx: Trx, edition: Edition, move: EditionMove, now: Date): Promise<void> {
  if (move === 'pause') return void (await pauseEdition(trx, edition.id, 'editor'))
  await trx
    .updateTable('editions')
    .set({ ...changeOf(move, edition, now), pausedBy: null, progressAt: sql<Date>`now()` })
    .where('id', '=', edition.id)
    .execute()
  await wakeWorkers(trx)
}

function changeOf(move: Exclude<EditionMove, 'pause'>, edition: Edition, now: Date) {
  switch (move) {
    case 'hold':
      return { state: 'held', approvedAt: null, note: 'Held by an editor.' } as const
    case 'resume':
      return { state: 'sending', note: '' } as const
    case 'cancel':
      return { state: 'cancelled', note: 'Cancelled by an editor.' } as const
    case 'release':
      return edition.slotAt && edition.slotAt > now
        ? ({ state: 'awaiting_approval', approvedAt: now, note: 'Approved.' } as const)
        : ({ state: 'sending', approvedAt: now, note: '' } as const)
  }
}

/** Pauses an edition in state `sending`; false: it isn't. After a pause by policy, one worker alone tries it first. */
export async function pauseEdition(trx: Trx, editionId: number, by: PausedBy): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('editions')
    .set({ state: 'paused', pausedBy: by, note: pauseNotes[by], progressAt: sql<Date>`now()` })
    .$if(by === 'policy', (query) => query.set({ isProven: false }))
    .where('id', '=', editionId)
    .where('state', '=', 'sending')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/**
 * At its slot, an edition is sent if an editor approved it or the site sends unapproved editions. Otherwise it is held. Safe to
 * repeat.
 */
export async function decideAtSlot(db: Db, editionId: number, unapproved: 'send' | 'hold'): Promise<void> {
  const isSent = sql<boolean>`(approved_at is not null or ${unapproved === 'send'}::boolean)`
  await db
    .updateTable('editions')
    .set({
      state: sql<EditionState>`case when ${isSent} then 'sending' else 'held' end`,
      note: sql<string>`case when ${isSent} then note else 'Nobody approved it before its slot. Release or cancel it.' end`,
    })
    .where('id', '=', editionId)
    .where('state', '=', 'awaiting_approval')
    .execute()
}

/** A mail of it will be sent again. A closed edition opens, and its account is counted again when it closes. */
export async function reopenEdition(trx: Trx, editionId: number): Promise<void> {
  await trx
    .updateTable('editions')
    .set({ account: null, closedAt: null, progressAt: sql<Date>`now()` })
    .set({
      state: sql<EditionState>`case when state = 'closed' then 'sending' else state end`,
      note: sql<string>`case when state = 'closed' then '' else note end`,
    })
    .where('id', '=', editionId)
    .execute()
  await wakeWorkers(trx)
}
