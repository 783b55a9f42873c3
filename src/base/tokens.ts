// Everything random or signed. A link token is `id.expiry.mac`: nothing is stored, the purpose is part of what is signed, so a
// confirmation token can't unsubscribe anybody. Keys are derived from SECRET_KEY; the first key signs, all of them verify, so
// that old mails' links survive a rotation.

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export const tokenPurposes = [
  'confirm',
  'preferences',
  'unsubscribe',
  'address-change',
  'resubscribe',
  'click',
  'return-path',
  'view',
  'sign-in',
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

export type TokenCheck = { outcome: 'valid'; id: string } | { outcome: 'expired'; id: string } | { outcome: 'forged' }

/** Compared in constant time. An expired token is still known to be ours: its page can offer a way on. */
export function checkToken(keys: readonly string[], purpose: TokenPurpose, token: unknown, now: Date): TokenCheck {
  if (typeof token !== 'string' || token.length > 200) return { outcome: 'forged' }
  const [id, expiry, given, ...rest] = token.split('.')
  if (!id || !expiry || !given || rest.length || !/^[0-9a-z]{1,9}$/.test(expiry)) return { outcome: 'forged' }
  const bytes = Buffer.from(given, 'base64url')
  // The last character has spare bits: of the spellings that decode alike only ours is genuine.
  if (bytes.length !== macBytes || bytes.toString('base64url') !== given) return { outcome: 'forged' }
  const text = `${id}.${expiry}`
  let genuine = false
  for (const key of keys) genuine = timingSafeEqual(mac(key, purpose, text), bytes) || genuine
  if (!genuine) return { outcome: 'forged' }
  const seconds = parseInt(expiry, 36)
  return seconds !== 0 && seconds * 1000 < now.getTime() ? { outcome: 'expired', id } : { outcome: 'valid', id }
}

/** 256 random bits, base64url: session ids, sign-in links, API keys. Store only `hashSecret` of it. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** For secrets with full entropy only: no salt, no stretching. Hex, 64 characters. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Keyed hash of an address: what a suppression keeps when the address itself must go. `pepper` is the site's, not SECRET_KEY,
 * so that rotating secrets doesn't forget who must not be mailed. Hex, 64 characters. */
export function hashAddress(pepper: string, emailKey: string): string {
  return createHmac('sha256', pepper).update(emailKey).digest('hex')
}

/** Constant-time equality of two texts of any length. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
}
