// A brake in words, for the console, the API, the command line and alerts. Pure.

import type { Brake } from '../db/schema.ts'

export const brakeDecisions = ['send-again', 'addresses-are-dead'] as const
export type BrakeDecision = (typeof brakeDecisions)[number]

/** What an editor may decide now. */
export function decisionsOf({ decision, cause }: Pick<Brake, 'decision' | 'cause'>): BrakeDecision[] {
  if (decision === 'send-again') return []
  // Nobody was called dead.
  if (cause === 'complaints') return decision === null || decision === 'none' ? ['send-again'] : []
  return decision === 'addresses-are-dead' ? ['send-again'] : [...brakeDecisions]
}

/** One sentence for editors: where, why, and what it means. */
export function brakeSentence(brake: Brake): string {
  const { domain, relay, editionId, dead, answers } = brake
  const share = {
    answers: `${dead} of ${answers} answers called an address dead, which can hardly be true`,
    returned: `${dead} of ${answers} mails came back because their address is dead, which can hardly be true`,
    complaints: `${dead} of ${answers} mails in seven days were called spam by their readers`,
  }[brake.cause]
  const where = domain
    ? `Mail to ${domain}: ${share}`
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

/** As the API and `--json` show it. */
export function brakeView(brake: Brake) {
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
    decision,
    decidedAt,
    decidedBy,
    /** What may be decided now. */
    decisions: decisionsOf(brake),
  }
}
