// The envelope sender of each mail (VERP): `b-ID-MAC@BOUNCE_DOMAIN` names the delivery, so that what bounces is known to the
// mail. Lower case throughout, as some servers fold the local part; 100 bits of MAC, so that nobody can forge a bounce.

import { createHmac, timingSafeEqual } from 'node:crypto'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

export function returnPath(keys: readonly string[], domain: string, deliveryId: number): string {
  return `b-${deliveryId.toString(36)}-${mac(keys[0]!, deliveryId)}@${domain}`
}

/** The delivery that an envelope recipient names, or null when it is none of ours or forged. Any case; any domain. */
export function readReturnPath(keys: readonly string[], address: string): number | null {
  const match = /^b-([0-9a-z]{1,11})-([a-z2-7]{20})@/i.exec(address.trim())
  if (!match) return null
  const id = parseInt(match[1]!, 36)
  const given = Buffer.from(match[2]!.toLowerCase())
  let isGenuine = false
  for (const key of keys) isGenuine = timingSafeEqual(Buffer.from(mac(key, id)), given) || isGenuine
  return isGenuine ? id : null
}

function mac(key: string, deliveryId: number): string {
  const bytes = createHmac('sha256', key).update(`broadsheet:return-path:${deliveryId}`).digest()
  let text = ''
  // Five bits a letter, out of 20 bytes: the value of each is uniform.
  for (let i = 0; i < 20; i++) text += alphabet[bytes[i]! & 31]
  return text
}
