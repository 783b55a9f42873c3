// DKIM-Signature (RFC 6376, 8301): rsa-sha256 or ed25519-sha256, relaxed/relaxed. Signed is every header that a receiver acts
// on, and one more of each, so that none can be added.
//
// The surprise: a canonical form is remembered per body Buffer, so that fragments shared by all mails of an edition are
// canonicalised once, not per mail.

import { createHash } from 'node:crypto'
import { Signer } from './signer.ts'

/** Each is named once more than it occurs: a second one, added on the way, breaks the signature. That includes headers that
 * aren't there. */
const signedHeaders = [
  'from',
  'to',
  'subject',
  'date',
  'message-id',
  'mime-version',
  'content-type',
  'reply-to',
  'list-id',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'feedback-id',
]

export interface Dkim {
  domain: string
  selectors: readonly string[]
  signer: Signer
}

/** One signature per key: `selector` may name several, separated by commas, for as many PEM blocks in the same order. null: no
 * signature. Whoever opened it closes its signer. */
export function openDkim(settings: { domain: string; selector: string; privateKey: string } | null): Dkim | null {
  if (!settings) return null
  const pems = settings.privateKey.match(/-----BEGIN [A-Z ]+-----[\s\S]+?-----END [A-Z ]+-----/g) ?? []
  const selectors = settings.selector.split(',').map((name) => name.trim())
  if (pems.length !== selectors.length)
    throw new Error(`DKIM_SELECTOR names ${selectors.length} keys, DKIM_PRIVATE_KEY holds ${pems.length}`)
  return { domain: settings.domain, selectors, signer: new Signer(pems) }
}

/** The DKIM-Signature headers, each ending in CRLF. `headers` are name and value pairs as sent, `body` the MIME body. */
export async function signMail(
  dkim: Dkim | null,
  headers: readonly (readonly [string, string])[],
  body: readonly Buffer[],
): Promise<string> {
  if (!dkim) return ''
  const bodyHash = hashBody(body)
  const names: string[] = []
  let signed = ''
  for (const name of signedHeaders) {
    // From the bottom up (RFC 6376 §5.4.2).
    for (let i = headers.length - 1; i >= 0; i--) {
      const [given, value] = headers[i]!
      if (given.toLowerCase() !== name) continue
      names.push(name)
      signed += `${name}:${relaxHeader(value)}\r\n`
    }
    names.push(name)
  }
  const signatures = await Promise.all(
    dkim.selectors.map(async (selector, key) => {
      const algorithm = dkim.signer.algorithmOf(key)
      const field = [
        `v=1; a=${algorithm}-sha256; c=relaxed/relaxed; d=${dkim.domain}; s=${selector};`,
        ...foldNames(names),
        `bh=${bodyHash};`,
        'b=',
      ].join('\r\n ')
      const signature = await dkim.signer.sign(key, `${signed}dkim-signature:${relaxHeader(field)}`)
      return `DKIM-Signature: ${field}${(signature.match(/.{1,60}/g) ?? []).join('\r\n ')}\r\n`
    }),
  )
  return signatures.join('')
}

/** `h=from:from:to:` … in lines of at most 76 characters; a fold may stand after a colon. */
function foldNames(names: readonly string[]): string[] {
  const lines = ['h=']
  for (const [i, name] of names.entries()) {
    const text = name + (i < names.length - 1 ? ':' : ';')
    if (lines.at(-1)!.length + text.length > 75) lines.push(text)
    else lines[lines.length - 1] += text
  }
  return lines
}

/** RFC 6376 §3.4.2, without the name. */
function relaxHeader(value: string): string {
  return value
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim()
}

const canonical = new WeakMap<Buffer, Buffer>()

/** sha256 of the relaxed body (RFC 6376 §3.4.4), base64. Parts that end in a line end are canonicalised one by one. */
export function hashBody(body: readonly Buffer[]): string {
  const hash = createHash('sha256')
  let pending: Buffer[] = []
  let emptyLines = 0
  const feed = (part: Buffer) => {
    let end = part.length
    while (end >= 2 && part[end - 1] === 10 && part[end - 2] === 13 && (end === 2 || part[end - 3] === 10)) end -= 2
    // All of it is empty lines: they count only when text follows.
    if (end > 0) {
      for (; emptyLines > 0; emptyLines--) hash.update('\r\n')
      hash.update(end === part.length ? part : part.subarray(0, end))
    }
    emptyLines += (part.length - end) / 2
  }
  for (const part of body) {
    if (!part.length) continue
    if (part[part.length - 1] !== 10) {
      pending.push(part)
      continue
    }
    if (pending.length) {
      feed(relaxBody(Buffer.concat([...pending, part])))
      pending = []
      continue
    }
    feed(relaxShared(part))
  }
  if (pending.length) feed(relaxBody(Buffer.concat([...pending, Buffer.from('\r\n')])))
  return hash.digest('base64')
}

function relaxShared(part: Buffer): Buffer {
  // Short ones are this subscriber's own: remembering them would only keep the collector busy.
  if (part.length < 256) return relaxBody(part)
  let relaxed = canonical.get(part)
  if (!relaxed) {
    relaxed = relaxBody(part)
    canonical.set(part, relaxed)
  }
  return relaxed
}

function relaxBody(part: Buffer): Buffer {
  const text = part.toString('latin1')
  if (!/[ \t][ \t\r]|\t/.test(text)) return part
  return Buffer.from(text.replace(/[ \t]+(?=\r\n)/g, '').replace(/[ \t]+/g, ' '), 'latin1')
}
