// Addresses in texts of other programs. Loose on purpose: the addresses are compared, never mailed.

const source = String.raw`(?:"[^\s"]{1,64}"|[^\s<>()[\]{},;:"|${'`'}]{1,64})@[^\s<>()[\]{},;:"'|${'`'}@*!?=]{1,255}`

/** For use inside other expressions. Contains no groups. */
export const addressPattern = source
const everyAddress = new RegExp(source, 'g')

/** All of them, in order, lower case, without repetitions. */
export function addressesIn(text: string): string[] {
  return [...new Set((text.match(everyAddress) ?? []).map(cleanAddress))].filter(isAddress)
}

export function addressIn(text: string): string | null {
  return addressesIn(text)[0] ?? null
}

/** Without adjacent characters: a quote, a full stop, the `SMTP=` of X.400. */
export function cleanAddress(text: string): string {
  return text
    .toLowerCase()
    .replace(/^(?:smtp=|rfc822=|'|\/|>){1,4}/, '')
    .replace(/[.'/\\-]{1,8}$/, '')
}

function isAddress(text: string): boolean {
  return /^[^@]+@[^@]+$/.test(text)
}

/** An address of a server itself, never of a subscriber. */
export function isServersOwn(address: string): boolean {
  return /^(?:postmaster|mailer-?daemon|mail-daemon|abuse|hostmaster|support|helpdesk|root)@/.test(address)
}
