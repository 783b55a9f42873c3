// A sender: `Name <address>`.

import addressparser from 'nodemailer/lib/addressparser'
import { parseEmailAddress } from './email-address.ts'

export interface Mailbox {
  name: string
  address: string
}

/**
 * `Name <address>` or a bare address, including quoted strings and comments. null if it is neither, or if it contains a control
 * character.
 */
export function parseMailbox(value: string): Mailbox | null {
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(value)) return null
  // A name without quotes is taken as typed. In RFC 5322 its colon, comma or bracket would have a meaning.
  const typed = /^([^"\\<>]*)<([^<>]*)>\s*$/.exec(value)
  if (typed) return mailbox(typed[1]!.trim(), typed[2]!)
  // The parser finds an address in any text. Only text with the shape of a mailbox counts.
  const outside = value.replace(/"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)/g, '').trim()
  if (!/^[^"\\<>,;:]*<[^<>]*>$|^[^\s"\\<>,;:]+$/.test(outside)) return null
  const [found, ...others] = addressparser(value, { flatten: true })
  return found && others.length === 0 ? mailbox(found.name, found.address) : null
}

function mailbox(name: string, address: string): Mailbox | null {
  const parsed = parseEmailAddress(address)
  return parsed && { name, address: parsed.email }
}
