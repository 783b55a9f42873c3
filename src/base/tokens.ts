// Everything random or signed. A link token is `id.expiry.mac` and isn't stored. The signature covers the purpose, so a
// confirmation token can't unsubscribe anybody. Keys are derived from SECRET_KEY; the first key signs and all of them verify, so
// links in old mails survive a rotation.

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export const tokenPurposes = [
  'confirm',
  'preferences',
  'unsubscribe',
  'address-change',
  'address-undo',
  'resubscribe',
  'unsubscribe-reason',
  'preferences-undo',
  'click',
  'return-path',
  'view',
  'less',
  'less-undo',
  'sign-in',
  'signup',
] as const
export type TokenPurpose = (typeof tokenPurposes)[number]

/** 128 bits, base64url: 22 characters. */
const macBytes = 16

function mac(key: string, purpose: TokenPurpose, text: string): Buffer {
  return createHmac('sha256', key).update(`broadsheet:${purpose}:${text}`).digest().subarray(0, macBytes)
}

/** `id` is any text without a dot; `expiresAt` null never expires. The token is URL-safe. */
export function signToken(keys: readonly string[], purpose: TokenPurpose, id: string, expiresAt: Date | null): string {
  const expiry = expiresAt ? Math.floor(expiresAt.getTime() / 1000).toString(36) : '0'
  const text = `${id}.${expiry}`
  return `${text}.${mac(keys[0]!, purpose, text).toString('base64url')}`
}

export type TokenCheck =
  { outcome: 'valid' | 'expired'; id: string; /** null: never. */ expiresAt: Date | null } | { outcome: 'forged' }

/**
 * A token, and what mail programs and people leave behind it: a full stop, a bracket, a quote, spaces, also percent-encoded or as
 * an HTML entity. Its MAC always has 22 characters, so no part of the token is cut off.
 */
const withTrail = /^\s*([\w-]+\.[0-9a-z]{1,9}\.[\w-]{22})(?:%[0-9a-f]{2}|&#?\w{1,6};|[^0-9a-z])*$/i

/** The token in the text of a link. Other text is returned unchanged. */
export function trimToken(text: string): string {
  return withTrail.exec(text)?.[1] ?? text
}

/** Compared in constant time. An expired token is still recognised as ours, so its page can offer a new link. */
export function checkToken(
  keys: readonly string[],
  purpose: TokenPurpose,
  token: unknown,
  now: Date,
  { longest = 200 }: { longest?: number } = {},
): TokenCheck {
  if (typeof token !== 'string' || token.length > longest) return { outcome: 'forged' }
  const [id, expiry, given, ...rest] = trimToken(token).split('.')
  if (!id || !expiry || !given || rest.length || !/^[0-9a-z]{1,9}$/.test(expiry)) return { outcome: 'forged' }
  const bytes = Buffer.from(given, 'base64url')
  // The last character has unused bits: of all spellings that decode alike, only ours is valid.
  if (bytes.length !== macBytes || bytes.toString('base64url') !== given) return { outcome: 'forged' }
  const text = `${id}.${expiry}`
  let genuine = false
  for (const key of keys) genuine = timingSafeEqual(mac(key, purpose, text), bytes) || genuine
  if (!genuine) return { outcome: 'forged' }
  const seconds = parseInt(expiry, 36)
  const expiresAt = seconds === 0 ? null : new Date(seconds * 1000)
  return { outcome: expiresAt && expiresAt < now ? 'expired' : 'valid', id, expiresAt }
}

/** 256 random bits, base64url: session ids, sign-in links, API keys. Store only its `hashSecret`. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Only for secrets with full entropy: no salt, no stretching. Hex, 64 characters. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/**
 * Keyed hash of an address: a suppression keeps it when the address itself must be deleted. `pepper` is the site's, not
 * SECRET_KEY, so that rotating secrets doesn't forget who must not be mailed. Hex, 64 characters.
 */
export function hashAddress(pepper: string, emailKey: string): string {
  return createHmac('sha256', pepper).update(emailKey).digest('hex')
}

/** Compares two texts of any length in constant time. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
}
