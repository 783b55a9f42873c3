// Shared by the webhooks of all providers: how long a signature is valid, and what a bounce means. Providers report many bounces
// as "permanent" that don't mean a dead address. So the server's own words decide, if there are any.

import { Refusal } from '../base/errors.ts'
import { deadReasons, reasonFor } from '../delivery/reasons.ts'
import type { InboundFacts } from './store.ts'

export type FactReport = InboundFacts['reports'][number]

const mostAgeMs = 5 * 60_000

/** A signed request is valid for five minutes, so that a recorded one can't be used later. */
export function checkFreshness(signedAt: Date, now: Date): void {
  if (!(Math.abs(now.getTime() - signedAt.getTime()) <= mostAgeMs))
    throw new Refusal('forbidden', 'It was signed more than five minutes ago or ahead.')
}

export function parseJson(raw: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof raw === 'string' ? raw : new TextDecoder('utf-8', { fatal: true }).decode(raw)) as unknown
  } catch {
    return undefined
  }
}

export interface ProviderBounce {
  recipient: string
  /** dead: the provider knows that the address is dead, and no longer tries it. */
  verdict: 'dead' | 'permanent' | 'transient'
  status: string | null
  diagnostic: string | null
}

/** Pure. */
export function bounceReport({ recipient, verdict, status, diagnostic }: ProviderBounce): FactReport {
  const said = { recipient, status, diagnostic }
  // There is only the verdict.
  if (verdict === 'dead' || (verdict === 'permanent' && !status && !diagnostic))
    return { ...said, class: 'hard', reason: 'user_unknown' }
  const reason = reasonFor(diagnostic ?? '', status)
  return { ...said, class: verdict === 'permanent' && deadReasons.has(reason) ? 'hard' : 'soft', reason }
}

/** A report without a cause. */
export function plainReport(
  recipient: string,
  what: 'complaint' | 'delivered' | 'unsubscribe',
  diagnostic: string | null,
): FactReport {
  return { recipient, class: what, reason: '', status: null, diagnostic }
}
