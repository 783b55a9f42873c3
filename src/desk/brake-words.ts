// Sentences about a brake, for the console, the API, the command line and alerts. Pure.

import { readableDomain } from '../base/email-address.ts'
import type { Brake } from '../db/schema.ts'

export const brakeDecisions = ['send-again', 'addresses-are-dead'] as const
export type BrakeDecision = (typeof brakeDecisions)[number]

/** The decisions that an editor may make now. */
export function decisionsOf({ decision, cause }: Pick<Brake, 'decision' | 'cause'>): BrakeDecision[] {
  if (decision === 'send-again') return []
  // No address was called dead.
  if (cause === 'complaints') return decision === null || decision === 'none' ? ['send-again'] : []
  return decision === 'addresses-are-dead' ? ['send-again'] : [...brakeDecisions]
}

/** One sentence for editors: where, why, and its effect. */
export function brakeSentence(brake: Brake): string {
  const { domain, relay, editionId, dead, answers } = brake
  const share = {
    answers: `${dead} of ${answers} answers called an address dead, which can hardly be true`,
    returned: `${dead} of ${answers} mails came back because their address is dead, which can hardly be true`,
    complaints: `${dead} of ${answers} mails in seven days were called spam by their readers`,
  }[brake.cause]
  const where = domain
    ? `Mail to ${readableDomain(domain)}: ${share}`
    : editionId
      ? `Edition ${editionId} through the relay ${relay}: ${share}`
      : `Sign-up and other single mails through the relay ${relay}: ${share}`
  const what = brake.holdsDigests ? 'Its digests wait' : 'Digests go on'
  if (brake.cause === 'complaints' && brake.decision === null) return `${where}. ${what} until you decide.`
  return brake.decision === null
    ? `${where}. ${what}, and nobody is suppressed until you decide.`
    : `${where}. ${capital(decisionWords[brake.decision])}.`
}

export const decisionWords: Record<NonNullable<Brake['decision']>, string> = {
  'send-again': 'an editor had it sent again',
  'addresses-are-dead': 'an editor decided that these addresses are dead',
  none: 'nobody decided in time, so its mail failed and nobody was suppressed',
}

const capital = (words: string) => words.charAt(0).toUpperCase() + words.slice(1)

/** What a decision would affect. */
export interface UnderBrake {
  /** Addresses that were called dead. */
  calledDead: number
  /** Mails that wait for a decision. */
  waiting: number
  /** Waiting mails that haven't been tried. */
  untried: number
}

const some = (count: number, noun: 'address' | 'mail') =>
  `${count.toLocaleString('en-GB')} ${noun}${count === 1 ? '' : noun === 'mail' ? 's' : 'es'}`

/** While a brake is on: what depends on the decision. */
export function stakeSentence({ calledDead, untried }: UnderBrake): string {
  return `Called dead: ${some(calledDead, 'address')}. Waiting untried: ${some(untried, 'mail')}.`
}

/** What a decision will do, with numbers. */
export function decisionText(
  decision: BrakeDecision,
  brake: Pick<Brake, 'decision'>,
  { calledDead, waiting, untried }: UnderBrake,
): string {
  if (decision === 'addresses-are-dead')
    return `The answers are true. Suppressed now, with the server’s answer as proof: ${some(calledDead, 'address')} that it called dead; their mail has failed. Tried now: ${some(untried, 'mail')} that waited untried. An address that the server calls dead then is suppressed as well, without another question. Everybody else gets the mail.`
  const what =
    brake.decision === 'addresses-are-dead'
      ? 'Everybody whom that decision suppressed is again what they were, and the mail that failed is sent again.'
      : `Sent now: ${some(waiting, 'mail')}. Nobody is suppressed.`
  return `The answers were wrong. ${what} Editions that have closed open again for it. If the answers are still the same, there is another brake after at most twenty mails.`
}

/** What a decision has done. */
export function decidedText(decision: BrakeDecision, done: { deliveries: number; addresses: number }): string {
  return decision === 'send-again'
    ? `Sent now: ${some(done.deliveries, 'mail')}. Nobody is suppressed${done.addresses ? `; taken off the suppression list: ${some(done.addresses, 'address')}` : ''}.`
    : `Suppressed: ${some(done.addresses, 'address')} that the server called dead. Tried now: ${some(done.deliveries, 'mail')} that waited untried; an address that the server calls dead then is suppressed as well.`
}

/** As the API and `--json` show it. */
export function brakeView(brake: Brake, under: UnderBrake) {
  const { id, domain, relay, editionId, holdsDigests, since, dead, answers, decision, decidedAt, decidedBy } = brake
  return {
    id,
    isOn: decision === null,
    text: brakeSentence(brake),
    domain,
    relay,
    edition: editionId,
    holdsDigests,
    since,
    dead,
    answers,
    ...under,
    decision,
    decidedAt,
    decidedBy,
    /** What may be decided now. */
    decisions: decisionsOf(brake),
  }
}
