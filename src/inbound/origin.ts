// Who wrote a mail: a server about one of ours, an automatic reply, or a person.

import { addressIn } from './addresses.ts'
import type { InboundReport } from './mail.ts'
import type { OpenMail } from './open.ts'

const daemons =
  /mailer-?daemon|mdaemon|post[_-]?master|mail[. ](?:delivery|administrator|system)|delivery (?:sub)?system/i
const otherServers = /system administrator|no-?reply|bounce|^\s*(?:<>)?\s*$|\bmms/i
const reportSubjects =
  /undeliver|non-?delivery|non remis|unzustellbar|return(?:ed|ing) (?:mail|message)|returned to sender|fail(?:ure|ed) (?:notice|notification|mail|delivery)|delivery (?:status|fail|notif|problem|error|report)|(?:mail|message) (?:delivery|failure|system error|not delivered)|could not be delivered|error during delivery|delayed mail|\[bounce\]/i
const replySubject = /^\s*(?:re|aw|sv|antw|fwd?|wg|tr)\s*:/i
const absenceSubjects =
  /^\s*(?:auto(?:matic|mated)?[ :-]|auto-?(?:reply|response)|vacation|abwesen|automat|réponse automatique|risposta automatica|respuesta automática|ooo\b)|out of (?:the )?office/i

/** A report from a server. A person's reply isn't one, whatever it quotes, nor is an out-of-office reply. */
export function isFromServer(mail: OpenMail): boolean {
  const { headers, from, subject } = mail
  if (mail.feedback !== null) return false
  if (daemons.test(from)) return true
  // fml, a mailing list program, answers in the list's name.
  if (headers.has('x-mlserver')) return true
  if (replySubject.test(subject) || absenceSubjects.test(subject)) return false
  const isNull = /^\s*<?>?\s*$/.test(headers.get('return-path')?.[0] ?? 'x')
  return reportSubjects.test(subject) || ((isNull || otherServers.test(from)) && !isAutomatic(mail))
}

/** RFC 3834, and programs that don't follow it. */
function isAutomatic({ headers, subject }: OpenMail): boolean {
  const value = (name: string) => headers.get(name)?.[0] ?? ''
  return (
    /^auto-(?:replied|generated|notified)/i.test(value('auto-submitted')) ||
    ['x-autoreply', 'x-autorespond', 'x-auto-reply', 'x-autoreply-from'].some((name) => headers.has(name)) ||
    /auto[_-]?reply/i.test(value('precedence')) ||
    absenceSubjects.test(subject)
  )
}

export function autoreplyIn(mail: OpenMail): InboundReport | null {
  if (!isAutomatic(mail)) return null
  return {
    recipient: addressIn(mail.from),
    status: null,
    code: null,
    reason: 'other',
    class: 'autoreply',
    text: mail.said.trim().slice(0, 200),
    remoteHost: null,
  }
}

/**
 * Sent to the address of a List-Unsubscribe. A mail program that sends it may mark it as automatic, as out-of-office replies are.
 */
export function isUnsubscribe(mail: OpenMail, to: readonly string[]): boolean {
  const isAsked = to.some((address) => /^u-[0-9a-z]{1,11}-[a-z2-7]{20}@/.test(address))
  if (!isAsked || mail.hasStatusPart || daemons.test(mail.from)) return false
  if (!isAutomatic(mail)) return true
  return (
    /^\s*unsubscribe\b/i.test(mail.subject) || /^auto-generated/i.test(mail.headers.get('auto-submitted')?.[0] ?? '')
  )
}
