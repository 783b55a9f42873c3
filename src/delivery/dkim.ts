// DKIM-Signature (RFC 6376, 8301): rsa-sha256 or ed25519-sha256, relaxed/relaxed. base/dkim.ts lists the signed headers. We don't
// use nodemailer's signer, because it can't list a header once more than it occurs, and it signs on the main thread.
//
// Canonical forms are cached per body Buffer, so fragments that all mails of an edition share are canonicalised once, not per
// mail.

import { createHash } from 'node:crypto'
import { type DkimSettings, oversignedHeaders, signedHeaders } from '../base/dkim.ts'
import { foldField } from './header-text.ts'
import { Signer } from './signer.ts'

export interface Dkim {
  domain: string
  selectors: readonly string[]
  signer: Signer
  leaveOut: readonly string[]
  /** Keyed by the names of a mail's headers: there are only a few different sets. */
  orders: Map<string, SigningOrder>
}

/** One signature per key. null: no signature. Whoever opens it closes its signer. */
export function openDkim(settings: DkimSettings | null): Dkim | null {
  if (!settings) return null
  const { domain, keys, leaveOut } = settings
  return {
    domain,
    selectors: keys.map(({ selector }) => selector),
    signer: new Signer(keys.map(({ pem }) => pem)),
    leaveOut,
    orders: new Map(),
  }
}

/** Returns the DKIM-Signature headers, each ending in CRLF. `headers` are name and value pairs as sent, `body` the MIME body. */
export async function signMail(
  dkim: Dkim | null,
  headers: readonly (readonly [string, string])[],
  body: readonly Buffer[],
): Promise<string> {
  if (!dkim) return ''
  const bodyHash = hashBody(body)
  const { order, tag } = signingOrder(dkim, headers)
  let signed = ''
  for (const [name, i] of order) signed += `${name}:${relaxHeader(headers[i]![1])}\r\n`
  const fields = dkim.selectors.map((selector, key) => {
    const algorithm = dkim.signer.algorithmOf(key)
    const start = `v=1; a=${algorithm}-sha256; c=relaxed/relaxed; d=${dkim.domain}; s=${selector};`
    const relaxed = `${start} ${tag.replaceAll('\r\n', '')} bh=${bodyHash}; b=`
    const signature = dkim.signer.sign(key, `${signed}dkim-signature:${relaxed}`)
    return { start: `${foldField('DKIM-Signature', start)}\r\n ${tag}\r\n bh=${bodyHash};\r\n b=`, signature }
  })
  let header = ''
  for (const { start, signature } of fields) header += `DKIM-Signature:${start}${foldSignature(await signature)}\r\n`
  return header
}

function foldSignature(signature: string): string {
  let folded = signature.slice(0, 60)
  for (let at = 60; at < signature.length; at += 60) folded += `\r\n ${signature.slice(at, at + 60)}`
  return folded
}

interface SigningOrder {
  /** Names and positions of the headers, in the order in which they are hashed. */
  order: readonly (readonly [name: string, at: number])[]
  /** `h=from:from:to:` …, folded. */
  tag: string
}

function signingOrder({ orders, leaveOut }: Dkim, headers: readonly (readonly [string, string])[]): SigningOrder {
  let set = ''
  for (const [name] of headers) set += `${name}:`
  let found = orders.get(set)
  if (!found) {
    found = orderHeaders(
      headers.map(([name]) => name.toLowerCase()),
      leaveOut,
    )
    if (orders.size < 100) orders.set(set, found)
  }
  return found
}

function orderHeaders(given: readonly string[], leaveOut: readonly string[]): SigningOrder {
  const names: string[] = []
  const order: [string, number][] = []
  for (const header of [...oversignedHeaders, ...signedHeaders]) {
    const name = header.toLowerCase()
    if (leaveOut.includes(name)) continue
    // From the bottom up (RFC 6376 §5.4.2).
    for (let i = given.length - 1; i >= 0; i--) {
      if (given[i] !== name) continue
      names.push(name)
      order.push([name, i])
    }
    if (oversignedHeaders.some((each) => each === header)) names.push(name)
  }
  return { order, tag: foldNames(names).join('\r\n ') }
}

/** `h=from:from:to:` … in lines of at most 76 characters. A line may end after a colon. */
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
  if (!/[\t\r]|  /.test(value)) return value.trim()
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
    // The whole part is empty lines. They count only if text follows.
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
  // Short parts belong to one subscriber. Caching them would only create garbage.
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
