// Asks people on an imported list to opt in again. The mails are in the digest lane, so that readers who sign up now don't wait
// behind them. They count like other confirmation mails: one a day and three in 30 days per mailbox.

import type { Trx } from '../../db/connect.ts'
import { addToDigestLane } from '../../delivery/outbox.ts'
import { mailboxHash, mayMailEach } from '../limits.ts'
import type { FoundRow } from './decide.ts'

export const askToConfirm = {
  /** Those whose mailbox may get one more mail; counts them. Of two addresses of one mailbox only one is asked. */
  async allowed<Row extends FoundRow>(
    trx: Trx,
    rows: readonly Row[],
    { pepper, now }: { pepper: string; now: Date },
  ): Promise<Set<Row>> {
    const byMailbox = new Map<string, Row>()
    for (const row of rows) {
      const hash = mailboxHash(pepper, { key: row.emailKey })
      if (!byMailbox.has(hash)) byMailbox.set(hash, row)
    }
    const hashes = await mayMailEach(trx, [...byMailbox.keys()], 'confirmation', now)
    return new Set([...hashes].map((hash) => byMailbox.get(hash)!))
  },

  /** One mail each. The validity of its link starts when it is sent (mails/transactional.ts). */
  async mail(
    trx: Trx,
    asked: readonly { id: number; requestId: number; email: string }[],
    source: string,
  ): Promise<void> {
    const mails = asked.map(({ id, requestId, email }) => ({
      recipient: email,
      subscriberId: id,
      payload: { signupRequestId: requestId, source },
    }))
    await addToDigestLane(trx, 'confirmation', mails)
  },
}
