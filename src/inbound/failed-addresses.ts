// The addresses that a report in words names as failed, and its text about each: first by the sender's row, then by the position
// of an address, then by prose.

import { addressPattern, cleanAddress, isServersOwn } from './addresses.ts'
import type { OpenMail } from './open.ts'
import { listBegins, type Sender, senders } from './senders.ts'

export interface FailedAddress {
  address: string
  /** From the address to the next one. */
  text: string
}

const pattern = (before: string, after: string): RegExp =>
  new RegExp(`${before}(?<address>${addressPattern})${after}`, 'gim')

/** Best first: the first kind of place that contains an address contains all of them. */
const places: readonly RegExp[] = [
  // A name, or a malformed address: "ada@a.example <bob@b.example>: malformed address".
  pattern(String.raw`^[ \t]{1,20}[^\s<>:][^\n<>:]{0,100} <`, '>:'),
  // On a line of its own, or at the beginning of a line and followed by the text about it.
  pattern(
    String.raw`^[ \t]{0,20}(?:[*>-]{1,4} ?)?(?:"[^"\n]{0,100}" )?["'<]{0,2}`,
    String.raw`[>"']{0,2}(?:[ \t]{0,20}$|:|[ \t]{0,4}\(|\.\.\. | on \w)`,
  ),
  pattern(String.raw`^[ \t]{0,20}["'<]{0,2}`, String.raw`[>"']{0,2}[ \t][^\n]{0,2000}$`),
  // "Unknown user: ada@a.example", "Recipient: <ada@a.example>", but no quoted headers.
  pattern(
    String.raw`^(?![ \t]{0,20}(?:from|sender|reply-to|cc|to|subject|message-id|.{0,20}contact)\b)[^\n:@]{1,80}[:;] {0,8}["'<]{0,2}`,
    String.raw`[>"']{0,2}\.?[ \t]{0,20}$`,
  ),
  // A transcript: "550 <ada@a.example>... User unknown", ">>> RCPT To:<ada@a.example>".
  pattern(String.raw`^[<>. \t]{0,8}[45]\d\d[ -][^\n@<]{0,40}<?`, String.raw`>?(?:\.\.\.|[:,])`),
  pattern(String.raw`rcpt to: {0,2}<?`, '>?'),
  // In prose.
  pattern(
    String.raw`(?:deliver(?:ed|ing|y)?|message|mail|sen[dt]|recipient|user|address|undeliverable)[^\n@]{0,60}[ <"':]`,
    '',
  ),
  pattern('', ''),
]

export function sendersOf({ said, headers }: OpenMail): Sender[] {
  const names = ['from', 'subject', 'x-mailer'].map((name) => headers.get(name)?.[0] ?? '').join('\n')
  return senders.filter(({ is }) => is.test(names) || is.test(said))
}

export function failedAddresses(
  { said }: OpenMail,
  known: readonly Sender[],
  isOwn: (address: string) => boolean,
): FailedAddress[] {
  const find = (place: RegExp, from: number, sender?: Sender): FailedAddress[] => {
    const found = [...said.slice(from).matchAll(place)]
      .map((match) => ({ address: cleanAddress(match.groups!['address']!), at: from + match.index }))
      .filter(({ address }) => !isOwn(address) && !isServersOwn(address))
    return found.map(({ address, at }, n) => {
      if (sender?.saysBefore) return { address, text: said.slice(0, at) }
      const text = said.slice(at, found[n + 1]?.at ?? said.length)
      return { address, text: sender?.isOnOneLine ? text.split('\n', 1)[0]! : text }
    })
  }
  for (const sender of known) {
    const found = find(sender.failed, sender.after?.exec(said)?.index ?? 0, sender)
    if (found.length) return found
  }
  const list = listBegins.exec(said)?.index
  for (const from of list === undefined ? [0] : [list, 0])
    for (const place of places) {
      const found = find(place, from)
      if (found.length) return found
    }
  return []
}
