// Bytes → text, although feeds declare wrong charsets: byte-order mark, then the HTTP header, then the XML declaration, then
// detection. One claim is never believed: that valid multi-byte UTF-8 is a charset with one byte per character (servers send
// iso-8859-1 by default). UTF-8 with a few invalid bytes stays UTF-8; the invalid bytes are read as windows-1252, which they
// nearly always are.

import { isAscii, isUtf8 } from 'node:buffer'
import { detect } from 'chardet'
import iconv from 'iconv-lite'

/** Never throws: invalid bytes become U+FFFD. */
export function decodeBytes(bytes: Uint8Array, contentType: string | null = null): { text: string; charset: string } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const marked = byteOrderMark(buffer)
  if (marked)
    return { text: clean(iconv.decode(buffer.subarray(marked.length), marked.charset)), charset: marked.charset }
  const wide = unmarkedUtf16(buffer)
  if (wide) return { text: clean(iconv.decode(buffer, wide)), charset: wide }

  const claims = [/charset\s*=\s*["']?([\w.:-]+)/i.exec(contentType ?? '')?.[1], declared(buffer)]
    .map((claim) => (claim ? known(claim) : null))
    .filter((claim) => claim !== null)
  const utf8 = countUtf8(buffer)
  if (utf8.invalid === 0 && (utf8.valid > 0 || claims.length === 0)) {
    const wideClaim = claims.find((claim) => multiByte.test(claim))
    if (!wideClaim || utf8.valid > 0) {
      const text = clean(buffer.toString('utf8'))
      // Text that was encoded twice has bytes from 0xc3 on.
      return { text: buffer.includes(0xc3) ? encodedOnce(text) : text, charset: 'utf-8' }
    }
  }
  const claim = claims.find((claim) => claim !== 'utf-8')
  const saysUtf8 = claims.includes('utf-8')
  // In a one-byte charset, valid UTF-8 sequences hardly ever occur by chance. If there are more valid sequences than invalid bytes
  // it is UTF-8, whatever is declared.
  const isMostlyUtf8 = claim && !multiByte.test(claim) ? utf8.valid > utf8.invalid : utf8.valid >= utf8.invalid
  if ((saysUtf8 || (claim && !multiByte.test(claim))) && isMostlyUtf8)
    return { text: clean(decodeStrayUtf8(buffer)), charset: 'utf-8' }
  if (claim) return { text: clean(iconv.decode(buffer, claim)), charset: claim }
  if (utf8.valid > utf8.invalid) return { text: clean(decodeStrayUtf8(buffer)), charset: 'utf-8' }
  const guess = guessed(buffer)
  return { text: clean(iconv.decode(buffer, guess)), charset: guess }
}

const multiByte = /^(utf-?16|utf-?32|shift|sjis|euc|gb|big5|iso-2022|cp9|hz)/

function byteOrderMark(buffer: Buffer): { charset: string; length: number } | null {
  const [a, b, c, d] = buffer
  if (a === 0xef && b === 0xbb && c === 0xbf) return { charset: 'utf-8', length: 3 }
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return { charset: 'utf-32le', length: 4 }
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return { charset: 'utf-32be', length: 4 }
  if (a === 0xff && b === 0xfe) return { charset: 'utf-16le', length: 2 }
  if (a === 0xfe && b === 0xff) return { charset: 'utf-16be', length: 2 }
  return null
}

/** A document starts with `<`, `{` or white space, so if one of its first two bytes is zero, it is UTF-16. */
function unmarkedUtf16(buffer: Buffer): string | null {
  const [a, b, c, d] = buffer
  if (a === 0 && b && c === 0 && d) return 'utf-16be'
  if (a && b === 0 && c && d === 0) return 'utf-16le'
  return null
}

function declared(buffer: Buffer): string | undefined {
  const head = buffer.toString('latin1', 0, 1024)
  return /<\?xml[^>]*?\bencoding\s*=\s*["']\s*([\w.:-]+)/i.exec(head)?.[1]
}

/**
 * The name in iconv-lite. null for an unknown name, or one that can't be true because the declaration was readable. As in
 * browsers, ISO-8859-1 and ASCII are read as their superset windows-1252.
 */
function known(name: string): string | null {
  const lower = name.toLowerCase().replace(/^x-/, '')
  if (/^utf-?8/.test(lower) || lower === 'unicode') return 'utf-8'
  if (/^(utf-?(16|32)|ucs-?[24]|iso-10646)/.test(lower)) return null
  if (/^(iso-?8859-?1|iso_8859-1|latin-?1|l1|(us-)?ascii|ansi_x3.*|cp-?1252|windows-1252)$/.test(lower))
    return 'windows-1252'
  if (/^iso-?8859-?9|^latin-?5$/.test(lower)) return 'windows-1254'
  if (/^(gb2312|gb_2312.*|gbk|gb18030)$/.test(lower)) return 'gb18030'
  if (/^(ks_c_5601.*|euc-kr|korean)$/.test(lower)) return 'cp949'
  if (/^(shift[-_]?jis|sjis|windows-31j|ms932)$/.test(lower)) return 'shift_jis'
  return iconv.encodingExists(lower) ? lower : null
}

/**
 * Counts valid multi-byte sequences, and bytes that belong to none. If the whole document is valid, only whether there are any.
 */
function countUtf8(bytes: Buffer): { valid: number; invalid: number } {
  if (isUtf8(bytes)) return { valid: isAscii(bytes) ? 0 : 1, invalid: 0 }
  let valid = 0
  let invalid = 0
  for (let at = 0; at < bytes.length;) {
    if (bytes[at]! < 0x80) {
      at++
      continue
    }
    const length = sequenceLength(bytes, at)
    if (length) valid++
    else invalid++
    at += length || 1
  }
  return { valid, invalid }
}

/**
 * 2 to 4 where a well-formed sequence starts, otherwise 0. A sequence that is cut off by the end of the document counts as
 * well-formed.
 */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!
  const length =
    first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0
  if (!length) return 0
  for (let next = 1; next < length; next++) {
    const byte = bytes[at + next]
    if (byte === undefined) return length
    if (byte < 0x80 || byte > 0xbf) return 0
  }
  const second = bytes[at + 1]
  if (second === undefined) return length
  if (first === 0xe0 && second < 0xa0) return 0
  if (first === 0xed && second > 0x9f) return 0
  if (first === 0xf0 && second < 0x90) return 0
  if (first === 0xf4 && second > 0x8f) return 0
  return length
}

/** The UTF-8 encoding of each byte from 0x80. */
const upper1252 = Array.from({ length: 0x80 }, (_, at) =>
  Buffer.from(iconv.decode(Buffer.from([at + 0x80]), 'windows-1252')),
)

/** Into one buffer: as pieces of text, ten million invalid bytes would take hundreds of megabytes. */
function decodeStrayUtf8(bytes: Buffer): string {
  const read = Buffer.allocUnsafe(bytes.length * 3)
  let size = 0
  /** Where the bytes begin that aren't in `read` yet: they are UTF-8. */
  let from = 0
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at]! < 0x80 ? 1 : sequenceLength(bytes, at)
    if (!length) {
      size += bytes.copy(read, size, from, at)
      size += upper1252[bytes[at]! - 0x80]!.copy(read, size)
      from = at + 1
    }
    at += length || 1
  }
  size += bytes.copy(read, size, from)
  return read.toString('utf8', 0, size)
}

/** The bytes from 0x80 to 0xbf, by their characters in windows-1252 or ISO-8859-1. */
const byteOf = new Map(
  Array.from({ length: 0x40 }, (_, at) => 0x80 + at).flatMap((byte) => [
    [upper1252[byte - 0x80]!.toString('utf8'), byte] as const,
    [String.fromCharCode(byte), byte] as const,
  ]),
)
const anyOf = `[${[...byteOf.keys()].join('')}]`
const encodedTwice = new RegExp(`[\u00c2-\u00df]${anyOf}|[\u00e0-\u00ef]${anyOf}{2}|[\u00f0-\u00f4]${anyOf}{3}`, 'g')

/**
 * A document that was UTF-8, was read as windows-1252 and encoded again: all or nearly all of its non-ASCII text looks like that.
 */
function encodedOnce(text: string): string {
  if (text.search(encodedTwice) < 0) return text
  let sequences = 0
  let chars = 0
  let isPlain = true
  for (const { 0: sequence, index } of text.matchAll(encodedTwice)) {
    sequences++
    chars += sequence.length
    isPlain &&=
      sequence.length === 2 &&
      !/[a-z]/.test(text[index - 1] ?? '') &&
      !/[a-z]/.test(text[index + sequence.length] ?? '')
  }
  let others = -chars
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) others++
  // A single one could be intended: Ã followed by a quotation mark.
  if (others > sequences / 10 || (sequences === 1 && isPlain)) return text
  const repaired = text.replace(encodedTwice, (sequence) => {
    const bytes = Buffer.from([...sequence].map((char) => byteOf.get(char) ?? char.charCodeAt(0)))
    return sequenceLength(bytes, 0) === bytes.length ? bytes.toString('utf8') : sequence
  })
  return clean(repaired)
}

/** From the words alone: markup is ASCII and would outweigh them. */
function guessed(buffer: Buffer): string {
  const words: Buffer[] = []
  let size = 0
  for (const match of buffer.toString('latin1').matchAll(/[\x80-\xff][^<>&]*/g)) {
    const word = match[0].slice(0, 2000)
    words.push(Buffer.from(word, 'latin1'), Buffer.from(' '))
    if ((size += word.length) > 20_000) break
  }
  return known(detect(Buffer.concat(words)) ?? '') ?? 'windows-1252'
}

/** Without NUL (Postgres refuses it in text) and without byte-order marks. */
function clean(text: string): string {
  const unmarked = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  return unmarked.includes('\0') ? unmarked.replaceAll('\0', '') : unmarked
}
