// Who wrote a mail: a server about one of ours, a program in somebody's absence, or a person.

import { addressIn } from './addresses.ts'
import type { InboundReport } from './mail.ts'
import type { OpenMail } from './open.ts'

const serverNames =
  /mailer-?daemon|postmaster|mail (?:delivery|administrator|system)|mail\.delivery|delivery (?:sub)?system|system administrator|bounce|no-?reply|^\s*(?:<>)?\s*$|mms|mdaemon/i
const reportSubjects =
  /undeliver|non-?delivery|user unknown|returned mail|return(?:ed)? to sender|failure notice|failure notification|deliver(?:y|ing)|non remis|unzustellbar|could not be delivered|mail system error|mail not delivered|error during|failed mail|bounce/i
const replySubject = /^\s*(?:re|aw|sv|antw|fwd?|wg|tr)\s*:/i
const autoSubjects =
  /^(?:auto(?:matic|mated)?[ :-]|out of (?:the )?office|auto-?(?:reply|response)|vacation|abwesen|automat|réponse automatique|risposta automatica|respuesta automática|ooo\b)|out of (?:the )?office/i

/** A report from a server. A person's reply isn't, whatever it quotes. */
export function isFromServer({ headers, from, subject, feedback }: OpenMail): boolean {
  if (replySubject.test(subject) && !serverNames.test(from)) return false
  if (feedback !== null) return false
  const isNull = /^\s*<?>?\s*$/.test(headers.get('return-path')?.[0] ?? 'x')
  return serverNames.test(from) || reportSubjects.test(subject) || (isNull && !headers.has('auto-submitted'))
}

/** RFC 3834, and those who answer without it. */
export function autoreplyIn({ headers, from, subject, said }: OpenMail): InboundReport | null {
  const value = (name: string) => headers.get(name)?.[0] ?? ''
  const isAuto =
    /^auto-(?:replied|generated|notified)/i.test(value('auto-submitted')) ||
    ['x-autoreply', 'x-autorespond', 'x-auto-reply', 'x-autoreply-from'].some((name) => headers.has(name)) ||
    /auto[_-]?reply/i.test(value('precedence')) ||
    autoSubjects.test(subject)
  if (!isAuto) return null
  const text = said.trim().slice(0, 200)
  return {
    recipient: addressIn(from),
    status: null,
    code: null,
    reason: 'other',
    class: 'autoreply',
    text,
    remoteHost: null,
  }
}

/** To the address of a List-Unsubscribe; also where a mail program writes it by itself (auto-generated), but no automatic reply. */
export function isUnsubscribe(mail: OpenMail): boolean {
  const { headers } = mail
  if (autoreplyIn(mail) && !/^auto-generated/i.test(headers.get('auto-submitted')?.[0] ?? '')) return false
  return ['to', 'delivered-to', 'x-original-to'].some((name) =>
    (headers.get(name) ?? []).some((value) => /(?:^|[\s<])u-[0-9a-z]{1,11}-[a-z2-7]{20}@/i.test(value)),
  )
}
