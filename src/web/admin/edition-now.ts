// The current state of an edition: what its pages show, and which actions they offer.

import { Refusal } from '../../base/errors.ts'
import type { Account, Edition } from '../../db/schema.ts'
import { findEdition } from '../../editions/store.ts'
import { dueAt } from '../reads/audience.ts'
import { countInTime } from '../reads/slow-counts.ts'
import type { WebContext } from '../web-context.ts'
import { type EditionMove, movesOf } from '../../editions/states.ts'
import { accountOf } from '../../editions/account.ts'
import { countSendAgain, type SendAgainCounts } from '../../delivery/send-again.ts'

/** What an editor can do to an edition. The last three concern single deliveries of it. */
export type Move = EditionMove | 'retry' | 'resend' | 'accept'

export interface EditionNow {
  edition: Edition
  account: Account
  /** null: still being counted. */
  again: SendAgainCounts | null
  /** Before its slot: how many subscribers are due then. null: still being counted, or there is no future slot. */
  due: number | null
}

export async function getEdition(web: WebContext, id: number): Promise<Edition> {
  const edition = await findEdition(web.db, id)
  if (!edition) throw new Refusal('not_found', `There is no edition ${id}.`)
  return edition
}

/** A page waits this long for a count of many rows. */
const patienceMs = 250

/**
 * `isLive`: read repeatedly, so slow counts may be some seconds old. Otherwise a count from before a retry or a decision isn't
 * reused after it.
 */
export async function readEditionNow(web: WebContext, id: number, { isLive = false } = {}): Promise<EditionNow> {
  const edition = await getEdition(web, id)
  const account = await accountOf(web.db, id)
  const key = `again ${id} ${edition.state} ${isLive ? 'live' : `${account.failed} ${account.uncertain}`}`
  return {
    edition,
    account,
    again: await countInTime(web.db, key, () => countSendAgain(web.db, edition, account), patienceMs),
    due: isBeforeSlot(web, edition) ? await dueAt(web, edition.slotAt!) : null,
  }
}

/** It has no deliveries yet. */
export function isBeforeSlot(web: WebContext, { slotAt, plannedAt, closedAt, state }: Edition): boolean {
  return slotAt !== null && slotAt > web.clock.now() && !plannedAt && !closedAt && state !== 'cancelled'
}

/** How many deliveries an action affects; null: it affects the edition. */
export function amountOf({ again }: EditionNow, move: Move): number | null {
  if (move === 'retry') return again?.retryable ?? 0
  if (move === 'resend') return again?.resendable ?? 0
  if (move === 'accept') return again?.undecided ?? 0
  return null
}

export function offeredMoves(now: EditionNow): Move[] {
  const single = (['retry', 'resend', 'accept'] as const).filter((move) => amountOf(now, move)! > 0)
  return [...movesOf(now.edition), ...single]
}
