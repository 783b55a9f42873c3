// Our addresses at BOUNCE_DOMAIN. The envelope sender of each mail (VERP), `b-ID-MAC`, names the delivery, so that a bounce can be
// matched. `u-ID-MAC` unsubscribes the subscriber with that id. Lower case only, because some servers change the case of the local
// part. 100 bits of MAC, so nobody can forge one.

import { createHmac, timingSafeEqual } from 'node:crypto'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** Names a delivery in a header, for bounces that don't reach the envelope sender. */
export function deliveryToken(keys: readonly string[], deliveryId: number): string {
  return `b-${deliveryId.toString(36)}-${mac(keys[0]!, 'return-path', deliveryId)}`
}

export function returnPath(keys: readonly string[], domain: string, deliveryId: number): string {
  return `${deliveryToken(keys, deliveryId)}@${domain}`
}

export function unsubscribeAddress(keys: readonly string[], domain: string, subscriberId: number): string {
  return `u-${subscriberId.toString(36)}-${mac(keys[0]!, 'unsubscribe-address', subscriberId)}@${domain}`
}

/** The delivery that an address or a token names. null if it isn't ours or is forged. Any case, any domain. */
export function readReturnPath(keys: readonly string[], address: string): number | null {
  return read(keys, 'return-path', 'b', address)
}

/** The subscriber that an address unsubscribes. null likewise. */
export function readUnsubscribeAddress(keys: readonly string[], address: string): number | null {
  return read(keys, 'unsubscribe-address', 'u', address)
}

type Purpose = 'return-path' | 'unsubscribe-address'

function read(keys: readonly string[], purpose: Purpose, letter: string, address: string): number | null {
  const match = /^([bu])-([0-9a-z]{1,10})-([a-z2-7]{20})(?:@|$)/i.exec(address.trim())
  if (match?.[1]!.toLowerCase() !== letter) return null
  const id = parseInt(match[2]!, 36)
  const given = Buffer.from(match[3]!.toLowerCase())
  let isGenuine = false
  for (const key of keys) isGenuine = timingSafeEqual(Buffer.from(mac(key, purpose, id)), given) || isGenuine
  return isGenuine ? id : null
}

function mac(key: string, purpose: Purpose, id: number): string {
  const bytes = createHmac('sha256', key).update(`broadsheet:${purpose}:${id}`).digest()
  let text = ''
  // Five bits per letter from 20 bytes, so that letters are uniformly distributed.
  for (let i = 0; i < 20; i++) text += alphabet[bytes[i]! & 31]
  return text
}
