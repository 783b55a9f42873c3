// The DKIM settings in the environment: the keys with their selectors, and the headers that each signature covers.

import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Signed, and listed once more than they occur: a header that is added on the way breaks the signature. */
export const oversignedHeaders = [
  'From',
  'To',
  'Cc',
  'Subject',
  'Reply-To',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'Content-Type',
  'MIME-Version',
] as const

/**
 * Signed if present. Relays and lists add missing ones, which must not break the signature. Sender is in neither list, because
 * relays write their own.
 */
export const signedHeaders = [
  'Message-ID',
  'Date',
  'Feedback-ID',
  'List-Id',
  'List-Archive',
  'List-Help',
  'Auto-Submitted',
  'X-Broadsheet-Delivery',
] as const

export interface DkimSettings {
  domain: string
  /** One signature each. */
  keys: readonly { selector: string; pem: string }[]
  /** Headers that stay unsigned, because a relay replaces them; lower case. */
  leaveOut: readonly string[]
}

interface Environment {
  DKIM_DOMAIN?: string | undefined
  DKIM_SELECTOR?: string | undefined
  DKIM_PRIVATE_KEY?: string | undefined
  DKIM_PRIVATE_KEY_FILE?: string | undefined
  DKIM_LEAVE_OUT: string
}

/** null: mails aren't signed, or there is a problem, which is added to `problems`. */
export function readDkim(env: Environment, problems: string[]): DkimSettings | null {
  const before = problems.length
  const leaveOut = readLeaveOut(env.DKIM_LEAVE_OUT, problems)
  const { DKIM_DOMAIN: domain, DKIM_SELECTOR: selector } = env
  const given = [domain, selector, env.DKIM_PRIVATE_KEY ?? env.DKIM_PRIVATE_KEY_FILE]
  if (!given.some(Boolean)) return null
  if (!given.every(Boolean))
    problems.push(
      'DKIM_DOMAIN: DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY (or DKIM_PRIVATE_KEY_FILE) must be set together',
    )
  if (domain && !isDnsName(domain)) problems.push('DKIM_DOMAIN: must be a domain in ASCII such as news.example')
  const selectors = selector?.split(',').map((name) => name.trim()) ?? []
  if (!selectors.every(isDnsName))
    problems.push('DKIM_SELECTOR: must be a selector such as s1, or several separated by commas')
  const pems = readPems(env, problems)
  if (problems.length > before) return null
  if (pems.length !== selectors.length) {
    problems.push(
      `DKIM_SELECTOR: names ${selectors.length} ${selectors.length === 1 ? 'key' : 'keys'}, ` +
        `but ${pems.length} ${pems.length === 1 ? 'is' : 'are'} given: one PEM block for each, in the same order`,
    )
    return null
  }
  return { domain: domain!, keys: selectors.map((name, i) => ({ selector: name, pem: pems[i]! })), leaveOut }
}

function readPems(env: Environment, problems: string[]): string[] {
  let text = env.DKIM_PRIVATE_KEY?.replaceAll('\\n', '\n')
  const name = text ? 'DKIM_PRIVATE_KEY' : 'DKIM_PRIVATE_KEY_FILE'
  if (!text && env.DKIM_PRIVATE_KEY_FILE) {
    try {
      text = readFileSync(env.DKIM_PRIVATE_KEY_FILE, 'utf8')
    } catch (cause) {
      problems.push(`${name}: can't read ${env.DKIM_PRIVATE_KEY_FILE} (${(cause as NodeJS.ErrnoException).code})`)
    }
  }
  if (!text) return []
  const pems = text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]+?-----END [A-Z ]+-----/g)
  if (!pems) problems.push(`${name}: must be a PEM private key (-----BEGIN PRIVATE KEY-----)`)
  for (const pem of pems ?? []) {
    const type = typeOfKey(pem)
    if (type === null) problems.push(`${name}: contains a key that can't be read; it must not be encrypted`)
    else if (type !== 'rsa' && type !== 'ed25519')
      problems.push(`${name}: contains a key of type ${type}; DKIM accepts RSA and Ed25519`)
  }
  return pems ?? []
}

function typeOfKey(pem: string): string | null {
  try {
    return createPrivateKey(pem).asymmetricKeyType ?? null
  } catch {
    return null
  }
}

function readLeaveOut(text: string, problems: string[]): string[] {
  const names = text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
  const known = [...oversignedHeaders, ...signedHeaders]
  for (const name of names) {
    if (name === 'from') problems.push('DKIM_LEAVE_OUT: From must be signed (RFC 6376 §5.4)')
    else if (!known.some((each) => each.toLowerCase() === name))
      problems.push(`DKIM_LEAVE_OUT: ${name} is not signed; signed are ${known.join(', ')}`)
  }
  return names
}

/** DNS labels. Selectors may contain underscores. */
function isDnsName(name: string): boolean {
  return (
    name.length <= 253 && name.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))
  )
}
