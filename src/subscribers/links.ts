// The links in our mails. Each contains one signed token for one purpose, and nothing else: no address, nothing stored. They are
// short, because a long List-Unsubscribe is folded, which breaks the signatures of relays.

import type { Config } from '../base/config.ts'
import { checkToken, signToken } from '../base/tokens.ts'
import type { Subscriber } from '../db/schema.ts'
import { addressOf } from '../base/addresses.ts'

/** The subscriber of a link, and the generation with which it is made. */
export type LinkHolder = Pick<Subscriber, 'id' | 'generation'>

export type LinkConfig = Pick<Config, 'secretKeys' | 'web'>

const day = 86_400_000

/** How long each kind of link is valid. An unsubscribe link never expires, because people keep mails for years. */
export const linkDays = {
  confirm: 7,
  'address-change': 7,
  'address-undo': 7,
  preferences: 90,
  resubscribe: 30,
  'unsubscribe-reason': 30,
  'preferences-undo': 1 / 24,
} as const

/**
 * The holder of the links in a mail to `recipient`. A mail that was leased before the address changed may still be sent to the
 * former address. Its links get the first generation, which has ended by then. Pure.
 */
export function holderFor(subscriber: LinkHolder & { email: string | null }, recipient: string): LinkHolder {
  return { id: subscriber.id, generation: subscriber.email === recipient ? subscriber.generation : 0 }
}

/** The page with the button that confirms sign-up request `requestId`. Valid for 7 days from `requestedAt`. */
export function confirmUrl(config: LinkConfig, requestId: number, requestedAt: Date): string {
  return link(config, '/confirm', sign(config, 'confirm', requestId, requestedAt))
}

/** The subscriber's preferences. Valid for 90 days from `now`; then its page offers to mail a new link. */
export function preferencesUrl(config: LinkConfig, holder: LinkHolder, now: Date): string {
  return link(config, '/preferences', preferencesToken(config, holder, now))
}

/** The page with the button that undoes the unsubscribe at `unsubscribedAt`. Valid for 30 days. */
export function resubscribeUrl(config: LinkConfig, holder: LinkHolder, unsubscribedAt: Date): string {
  return link(config, '/unsubscribe/undo', resubscribeToken(config, holder, unsubscribedAt))
}

/**
 * The unsubscribe page, and by POST the one-click unsubscribe of RFC 8058. Never expires. `editionId`: of the mail that contains
 * the link, to count unsubscribes per edition. It isn't signed and grants nothing.
 */
export function unsubscribeUrl(config: LinkConfig, subscriberId: number, editionId: number | null = null): string {
  const address = link(config, '/unsubscribe', unsubscribeToken(config, subscriberId))
  return editionId === null ? address : `${address}&e=${editionId}`
}

/** The edition that an unsubscribe link names, ignoring text copied behind it. null: none. */
export function editionOfLink(given: unknown): number | null {
  const digits = typeof given === 'string' ? /^(\d{1,15})(?![\w-])/.exec(given.trim())?.[1] : undefined
  return digits === undefined ? null : Number(digits)
}

/** The page with the button that moves a subscription to the address of this mail. */
export function addressChangeUrl(config: LinkConfig, changeId: number, requestedAt: Date): string {
  return link(config, '/preferences/address', sign(config, 'address-change', changeId, requestedAt))
}

/** The page with the button that undoes address change `changeId`. Valid for 7 days from `changedAt`. */
export function addressUndoUrl(config: LinkConfig, changeId: number, changedAt: Date): string {
  return link(config, '/preferences/address/undo', addressUndoToken(config, changeId, changedAt))
}

/** The same, for a form on our pages. */
export function addressUndoToken(config: LinkConfig, changeId: number, changedAt: Date): string {
  return sign(config, 'address-undo', changeId, changedAt)
}

/**
 * This subscriber's digest of edition `editionId`, as a page. It never expires, and ends with the subscriber's generation. It
 * grants nothing else: no preferences, no unsubscribing.
 */
export function viewDigestUrl(config: LinkConfig, holder: LinkHolder, editionId: number): string {
  const id = `${holder.id}-${holder.generation}-${editionId}`
  return link(config, '/digest', signToken(config.secretKeys, 'view', id, null))
}

/**
 * The subscriber and edition in the token of a digest page; null: not our token. The page checks whether the generation is valid.
 */
export function readDigestLink(
  config: LinkConfig,
  token: unknown,
  now: Date,
): { subscriberId: number; generation: number; editionId: number } | null {
  const check = checkToken(config.secretKeys, 'view', token, now)
  const parts = check.outcome === 'valid' && /^(\d{1,15})-(\d{1,9})-(\d{1,15})$/.exec(check.id)
  return parts ? { subscriberId: Number(parts[1]), generation: Number(parts[2]), editionId: Number(parts[3]) } : null
}

/**
 * The page with the button that makes a category less frequent. An unsigned `&c=politics` names the category. The link can only
 * lower or stop, so it never expires; it ends with the subscriber's generation.
 */
export function lessUrl(config: LinkConfig, holder: LinkHolder): string {
  return link(config, '/less', signToken(config.secretKeys, 'less', `${holder.id}-${holder.generation}`, null))
}

/** Undoes the change of consent record `consentId`. Valid for 30 days from `at`. */
export function lessUndoToken(config: LinkConfig, holder: LinkHolder, consentId: number, at: Date): string {
  const expiry = new Date(at.getTime() + linkDays.resubscribe * day)
  return signToken(config.secretKeys, 'less-undo', `${holder.id}-${holder.generation}-${consentId}`, expiry)
}
/** null: not our token, or expired. */
export function readLessUndo(config: LinkConfig, token: unknown, now: Date) {
  const check = checkToken(config.secretKeys, 'less-undo', token, now)
  const parts = check.outcome === 'valid' && /^(\d{1,15})-(\d{1,9})-(\d{1,15})$/.exec(check.id)
  return parts ? { id: Number(parts[1]), generation: Number(parts[2]), consentId: Number(parts[3]) } : null
}

/** Tokens for forms on our pages. */
export function preferencesToken(config: LinkConfig, holder: LinkHolder, now: Date): string {
  return sign(config, 'preferences', `${holder.id}-${holder.generation}`, now)
}
export function unsubscribeToken(config: LinkConfig, subscriberId: number): string {
  return signToken(config.secretKeys, 'unsubscribe', String(subscriberId), null)
}
/** Undoes an unsubscribe. Valid for 30 days from `unsubscribedAt`. */
export function resubscribeToken(config: LinkConfig, holder: LinkHolder, unsubscribedAt: Date): string {
  return sign(config, 'resubscribe', `${holder.id}-${holder.generation}`, unsubscribedAt)
}

/** Undoes change `changeId` of the preferences, and nothing else. Valid for an hour. */
export function preferencesUndoToken(config: LinkConfig, changeId: number, now: Date): string {
  return sign(config, 'preferences-undo', changeId, now)
}

/**
 * Whether a preferences link was made within the last day. Actions that can't be undone, or that show all data, require this.
 * Pure.
 */
export function isFresh(link: { expiresAt: Date | null }, now: Date): boolean {
  return link.expiresAt !== null && now.getTime() + (linkDays.preferences - 1) * day <= link.expiresAt.getTime()
}

/** Adds a reason to unsubscribe `unsubscribeId`, and nothing else. Valid for 30 days. */
export function unsubscribeReasonToken(config: LinkConfig, unsubscribeId: number, now: Date): string {
  return sign(config, 'unsubscribe-reason', unsubscribeId, now)
}

export type LinkCheck =
  { outcome: 'valid' | 'expired'; id: number; generation: number; expiresAt: Date | null } | { outcome: 'forged' }

export type LinkPurpose = keyof typeof linkDays | 'unsubscribe' | 'less'

/** The content of a token from a link. `id` is a request's, a subscriber's or an address change's, by purpose. */
export function readLink(config: LinkConfig, purpose: LinkPurpose, token: unknown, now: Date): LinkCheck {
  const check = checkToken(config.secretKeys, purpose, token, now)
  const parts = check.outcome !== 'forged' && /^(\d{1,15})(?:-(\d{1,9}))?$/.exec(check.id)
  if (!parts) return { outcome: 'forged' }
  const { outcome, expiresAt } = check
  return { outcome, id: Number(parts[1]), generation: Number(parts[2] ?? 0), expiresAt }
}

/** When a link of this kind that was made at `from` expires, in whole seconds, as in tokens. */
export function expiryOf(purpose: keyof typeof linkDays, from: Date): Date {
  return new Date(Math.floor(from.getTime() / 1000) * 1000 + linkDays[purpose] * day)
}

function sign(config: LinkConfig, purpose: keyof typeof linkDays, id: number | string, from: Date): string {
  return signToken(config.secretKeys, purpose, String(id), expiryOf(purpose, from))
}

function link(config: LinkConfig, path: string, token: string): string {
  return addressOf(config, `${path}?token=${token}`)
}
