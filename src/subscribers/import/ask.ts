// Asking people on an imported list to opt in again. The mails go in the digest lane, so that no reader who signs up now waits behind
// them, and count like any other confirmation mail: one a day and three in 30 days for a mailbox.

import type { Trx } from '../../db/connect.ts'
import { addToDigestLane } from '../../delivery/outbox.ts'
import { mailboxHash, mayMailEach } from '../limits.ts'
import type { FoundRow } from './decide.ts'

export const askToConfirm = {
  /** Those whose mailbox may have one more; counts them. Of two addresses of one mailbox only one is asked. */
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

  /** One mail each. How long its link is good counts from its sending (mails/transactional.ts). */
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
