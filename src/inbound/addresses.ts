// Addresses in what other people's programs write. Loose on purpose: what is found is compared, never mailed.

const source = String.raw`(?:"[^\s"]{1,64}"|[^\s<>()[\]{},;:"|${'`'}]{1,64})@[^\s<>()[\]{},;:"'|${'`'}@*!?=]{1,255}`

/** For use within other expressions. No groups. */
export const addressPattern = source
const everyAddress = new RegExp(source, 'g')

/** All of them, in order, lower case, each once. */
export function addressesIn(text: string): string[] {
  return [...new Set((text.match(everyAddress) ?? []).map(cleanAddress))].filter(isAddress)
}

export function addressIn(text: string): string | null {
  return addressesIn(text)[0] ?? null
}

/** Without what clings to it: a quote, a full stop, the `SMTP=` of X.400. */
export function cleanAddress(text: string): string {
  return text
    .toLowerCase()
    .replace(/^(?:smtp=|rfc822=|'|\/|>){1,4}/, '')
    .replace(/[.'/\\-]{1,8}$/, '')
}

function isAddress(text: string): boolean {
  return /^[^@]+@[^@]+$/.test(text)
}

/** Whoever answers for a server: never the subscriber. */
export function isServersOwn(address: string): boolean {
  return /^(?:postmaster|mailer-?daemon|mail-daemon|abuse|hostmaster|support|helpdesk|root)@/.test(address)
}
