// RFC 3464: one report per recipient.

import { addressIn } from './addresses.ts'
import { blocksOf, untyped } from './fields.ts'
import { judge, type Refusal } from './judge.ts'
import type { InboundReport } from './mail.ts'
import type { OpenMail } from './open.ts'

/** `fallback`: the recipient if the field contains no address (a file, a program, a source route). */
export function statusReports(
  mail: OpenMail,
  said: (address: string | null) => string[],
  fallback: string | null,
  always: Pick<Refusal, 'reason' | 'knowsUsers'>,
): InboundReport[] {
  if (mail.status === null) return []
  return blocksOf(mail.status).flatMap((fields) => {
    const final = fields.get('final-recipient')?.[0]
    const original = fields.get('original-recipient')?.[0]
    const action = fields.get('action')?.[0]
    if (final === undefined && original === undefined && action === undefined) return []
    const status = fields.get('status')?.[0] ?? ''
    const finalAddress = addressIn(untyped(final))
    const isUsable = finalAddress !== null && !untyped(final).startsWith('@')
    const recipient = (isUsable ? finalAddress : addressIn(untyped(original))) ?? fallback
    // PowerMTA's own classification of the server's answer.
    const isDead = fields.get('x-powermta-bouncecategory')?.[0] === 'bad-mailbox'
    const refusal = {
      recipient,
      said: said(recipient),
      ...(isDead ? { reason: 'user_unknown' as const, knowsUsers: true } : always),
      action: action ?? 'failed',
      status,
      // Sun's servers write it after the status: "5.0.0 (recipient reached disk quota)".
      diagnostic: [...(fields.get('diagnostic-code') ?? []).map(untyped), /\((.{1,200})\)/.exec(status)?.[1] ?? '']
        .join(' ')
        .trim(),
      remoteHost: untyped(fields.get('remote-mta')?.[0]) || null,
    }
    return [judge(mail, refusal)]
  })
}
