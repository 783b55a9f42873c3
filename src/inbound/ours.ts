// Whether a mail in a shared mailbox is returned mail of ours: it is for one of our addresses, or names a mail of ours.

import { Unreadable } from '../base/parser-thread.ts'
import type { Context } from '../db/context.ts'
import { findMatches } from './match.ts'
import { addressedTo } from './our-addresses.ts'
import { understandMail } from './understand.ts'

export async function isOurs({ db, config, clock, log }: Context, raw: Buffer): Promise<boolean> {
  if (addressedTo(config, raw) !== null) return true
  try {
    const { mail, hints, quotedTo } = await understandMail(config, raw, null)
    const recipients = [...mail.reports.flatMap(({ recipient }) => recipient ?? []), ...quotedTo]
    const [match] = await findMatches(db, config, [{ hints, recipients }], clock.now())
    return match !== null
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    log.warn({ reason: error.message }, 'a mail in the mailbox of INBOUND_IMAP could not be read')
    return false
  }
}
