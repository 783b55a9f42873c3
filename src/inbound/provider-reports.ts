// What the webhooks of all providers have in common: how long a signature counts, and what a bounce of theirs means. A provider
// says "permanent" of much that isn't a dead address; so the server's own words decide, where there are any.

import { Refusal } from '../base/errors.ts'
import { deadReasons, reasonFor } from '../delivery/reasons.ts'
import type { InboundFacts } from './store.ts'

export type FactReport = InboundFacts['reports'][number]

const mostAgeMs = 5 * 60_000

/** A signed request counts for five minutes, so that one that was recorded can't be used later. */
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
  /** dead: the provider knows the address as dead, and doesn't try it any more. */
  verdict: 'dead' | 'permanent' | 'transient'
  status: string | null
  diagnostic: string | null
}

/** Pure. */
export function bounceReport({ recipient, verdict, status, diagnostic }: ProviderBounce): FactReport {
  const said = { recipient, status, diagnostic }
  // All that there is to go by is the verdict.
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
