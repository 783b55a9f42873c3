// The links in our mails. Each carries one signed, purpose-bound token and nothing else: no address, nothing stored. Kept short,
// as a long List-Unsubscribe gets folded and then breaks signatures of relays.

import type { Config } from '../base/config.ts'
import { checkToken, signToken, type TokenCheck } from '../base/tokens.ts'

export type LinkConfig = Pick<Config, 'secretKeys' | 'web'>

const day = 86_400_000

/** What each kind of link stays good for. An unsubscribe link never expires: mails are kept for years. */
export const linkDays = { confirm: 7, 'address-change': 7, preferences: 90, resubscribe: 30 } as const

/** The page with the one button that confirms sign-up request `requestId`; good for 7 days from `requestedAt`. */
export function confirmUrl(config: LinkConfig, requestId: number, requestedAt: Date): string {
  return link(config, '/confirm', sign(config, 'confirm', requestId, requestedAt))
}

/** The subscriber's preferences; good for 90 days from `now`, then its page offers to mail a fresh one. */
export function preferencesUrl(config: LinkConfig, subscriberId: number, now: Date): string {
  return link(config, '/preferences', preferencesToken(config, subscriberId, now))
}

/** The unsubscribe page, and by POST the one-click of RFC 8058. Never expires. */
export function unsubscribeUrl(config: LinkConfig, subscriberId: number): string {
  return link(config, '/unsubscribe', unsubscribeToken(config, subscriberId))
}

/** The page with the one button that moves a subscription to the address that this mail went to. */
export function addressChangeUrl(config: LinkConfig, changeId: number, requestedAt: Date): string {
  return link(config, '/preferences/address', sign(config, 'address-change', changeId, requestedAt))
}

/** Doors of their own for forms on our pages. */
export function preferencesToken(config: LinkConfig, subscriberId: number, now: Date): string {
  return sign(config, 'preferences', subscriberId, now)
}
export function unsubscribeToken(config: LinkConfig, subscriberId: number): string {
  return signToken(config.secretKeys, 'unsubscribe', String(subscriberId), null)
}
/** Takes an unsubscribe back; good for 30 days from `unsubscribedAt`. */
export function resubscribeToken(config: LinkConfig, subscriberId: number, unsubscribedAt: Date): string {
  return sign(config, 'resubscribe', subscriberId, unsubscribedAt)
}

export type LinkCheck = { outcome: 'valid' | 'expired'; id: number } | { outcome: 'forged' }

/** What a token that came in by a link says. `id` is a request's, a subscriber's or an address change's, by purpose. */
export function readLink(
  config: LinkConfig,
  purpose: 'confirm' | 'preferences' | 'unsubscribe' | 'address-change' | 'resubscribe',
  token: unknown,
  now: Date,
): LinkCheck {
  const check: TokenCheck = checkToken(config.secretKeys, purpose, token, now)
  if (check.outcome === 'forged' || !/^\d{1,15}$/.test(check.id)) return { outcome: 'forged' }
  return { outcome: check.outcome, id: Number(check.id) }
}

function sign(config: LinkConfig, purpose: keyof typeof linkDays, id: number, from: Date): string {
  return signToken(config.secretKeys, purpose, String(id), new Date(from.getTime() + linkDays[purpose] * day))
}

function link(config: LinkConfig, path: string, token: string): string {
  return `${config.web.publicUrl}${path}?token=${token}`
}
