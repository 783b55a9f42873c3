// Which of our addresses at BOUNCE_DOMAIN a mail is for. An address without a valid MAC isn't ours. Pure.

import type { Config } from '../base/config.ts'
import { readReturnPath, readUnsubscribeAddress } from '../delivery/return-path.ts'
import type { OwnAddresses } from './mail.ts'

type AddressConfig = Pick<Config, 'mail' | 'secretKeys'>

export type OurAddress = { kind: 'delivery' | 'unsubscribe'; id: number }

export function readOurAddress({ mail, secretKeys }: AddressConfig, address: string): OurAddress | null {
  const trimmed = address.trim()
  if (!mail.bounceDomain || !trimmed.toLowerCase().endsWith(`@${mail.bounceDomain}`)) return null
  const delivery = readReturnPath(secretKeys, trimmed)
  if (delivery !== null) return { kind: 'delivery', id: delivery }
  const subscriber = readUnsubscribeAddress(secretKeys, trimmed)
  return subscriber === null ? null : { kind: 'unsubscribe', id: subscriber }
}

/** Headers in which the last server records the envelope's recipient, best first. */
const recipientHeaders = ['x-original-to', 'delivered-to', 'envelope-to', 'x-envelope-to', 'x-delivered-to', 'to']
const mostHeaders = 64 * 1024

/** The envelope's recipient of a mail without its envelope; null: none of our addresses. */
export function addressedTo(config: AddressConfig, raw: Buffer): string | null {
  const text = raw.subarray(0, mostHeaders).toString('latin1')
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length
  const lines = text
    .slice(0, end)
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
  for (const header of recipientHeaders)
    for (const line of lines) {
      if (!line.toLowerCase().startsWith(`${header}:`)) continue
      for (const [address] of line.matchAll(/[bu]-[0-9a-z]{1,11}-[a-z2-7]{20}@[a-z0-9.-]{1,255}/gi))
        if (readOurAddress(config, address)) return address
    }
  return null
}

/** Addresses that are never the failed one. */
export function ownAddresses({ mail }: AddressConfig): OwnAddresses {
  const own = [mail.from, mail.fromSystem, ...(mail.replyTo ? [mail.replyTo] : [])]
  return { addresses: own.map(({ address }) => address.toLowerCase()), bounceDomain: mail.bounceDomain }
}
