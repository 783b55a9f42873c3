// Who a mail is from: `Name <address>`.

import { parseEmailAddress } from './email-address.ts'

export interface Mailbox {
  name: string
  address: string
}

/** `Name <address>` or a bare address; null when it is neither, or when a control character is in it. */
export function parseMailbox(value: string): Mailbox | null {
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(value)) return null
  const match = /^\s*(?:"?([^"<>]*?)"?\s*<([^<>]+)>|([^<>\s]+))\s*$/.exec(value)
  const parsed = parseEmailAddress(match?.[2] ?? match?.[3])
  return parsed ? { name: match?.[1] ?? '', address: parsed.email } : null
}
