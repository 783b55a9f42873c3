// A file as lines of text, in any encoding and with any line ends.

import type { Readable } from 'node:stream'
import { createHash } from 'node:crypto'
import type { ListFile } from './sources.ts'

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

export interface Line {
  /** From 1. */
  number: number
  text: string
}

/** No list has a longer line. */
export const longestLine = 64_000

export interface Bytes {
  encoding: Encoding
  /** SHA-256. */
  hash: string
}

/**
 * Reads the whole file once: is all of it valid UTF-8, and what is its hash? Text without a byte order mark that isn't UTF-8 is
 * windows-1252, which has a letter for every byte.
 */
export async function examineBytes(file: ListFile, signal?: AbortSignal): Promise<Bytes> {
  const hash = createHash('sha256')
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let isUtf8 = true
  let head = Buffer.alloc(0)
  for await (const chunk of (await file.open()) as AsyncIterable<Buffer>) {
    signal?.throwIfAborted()
    hash.update(chunk)
    if (head.length < markBytes) head = Buffer.concat([head, chunk.subarray(0, markBytes)])
    if (isUtf8) isUtf8 = decodes(utf8, chunk)
  }
  if (isUtf8) isUtf8 = decodes(utf8)
  return { encoding: readMark(head) ?? (isUtf8 ? 'utf-8' : 'windows-1252'), hash: hash.digest('hex') }
}

function decodes(decoder: TextDecoder, chunk?: Buffer): boolean {
  try {
    decoder.decode(chunk, { stream: chunk !== undefined })
    return true
  } catch {
    return false
  }
}

const markBytes = 200

/** A byte order mark, or UTF-16 without one: ASCII text then has a zero in every other byte. */
function readMark(head: Buffer): Encoding | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  const sample = head.subarray(0, markBytes)
  const zeros = (odd: number) => sample.filter((byte, index) => index % 2 === odd && byte === 0).length
  if (sample.length >= 20 && zeros(1) > sample.length / 3) return 'utf-16le'
  if (sample.length >= 20 && zeros(0) > sample.length / 3) return 'utf-16be'
  return undefined
}

/**
 * In groups of lines, with the bytes read so far. Lines end with CRLF, LF or CR, also mixed. Of a line that is too long, only the
 * beginning is returned, longer than `longestLine`.
 */
export async function* linesOf(stream: Readable, encoding: Encoding): AsyncGenerator<{ lines: Line[]; bytes: number }> {
  const decoder = new TextDecoder(encoding)
  let rest = ''
  let number = 0
  let bytes = 0
  const take = (text: string): Line[] => {
    // A CR at the end may be half of a CRLF.
    const held = text.endsWith('\r') ? 1 : 0
    const parts = text.slice(0, text.length - held).split(/\r\n|\n|\r/)
    rest = parts.pop()!.slice(0, longestLine + 1) + (held ? '\r' : '')
    return parts.map((one) => ({ number: ++number, text: one }))
  }
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    yield { lines: take(rest + decoder.decode(chunk, { stream: true })), bytes }
  }
  const last = rest + decoder.decode()
  const lines = last.split(/\r\n|\n|\r/).map((text) => ({ number: ++number, text }))
  if (lines.at(-1)!.text === '') lines.pop()
  if (lines.length > 0) yield { lines, bytes }
}
