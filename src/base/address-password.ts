// Checks SMTP_URL and DATABASE_URL, which contain a user and a password. A character of a password that has a meaning in an
// address must be percent-encoded. Otherwise the address means something else: another host, an option, or nothing at all.

const advice =
  'the user and the password must be percent-encoded: % as %25, / as %2F, # as %23, ? as %3F, @ as %40, a space as %20'

/** null: both are fine. The sentence quotes nothing of the address, as that may be part of the password. Pure. */
export function passwordProblem(address: string): string | null {
  const rest = address.replace(/^[a-z]+:\/\//i, '')
  const end = /[/?#]/.exec(rest)?.index ?? rest.length
  const at = rest.lastIndexOf('@', end)
  return isDecodable(rest.slice(0, Math.max(0, at))) && !holdsPassword(rest.slice(end)) ? null : advice
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/**
 * After the host come a path and options. Anything else is the rest of a password, up to its @. Only the option `warmup` may
 * contain an @.
 */
function holdsPassword(tail: string): boolean {
  const [path = '', query = ''] = tail.split(/\?(.*)/s)
  return /[#@]/.test(path + query.replace(/(^|&)warmup=[^&#]*/, ''))
}
