// The decompressed body of a response: never more bytes than allowed, before and after decompression. Some servers announce a
// coding that they didn't use: what can't be decompressed as announced is read as what it looks like.

import type { Readable } from 'node:stream'
import zlib from 'node:zlib'

export class TooLarge extends Error {
  override name = 'TooLarge'
}

/** Throws TooLarge. If decompression fails, throws zlib's own error. */
export async function readBody(
  body: Readable,
  headers: Record<string, string>,
  mostBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (Number(headers['content-length'] ?? 0) > mostBytes) {
    body.on('error', () => {}).destroy()
    throw new TooLarge()
  }
  let bytes = await collect(body, mostBytes)
  const codings = (headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
  for (const coding of codings.slice(0, 3).reverse()) bytes = await unpack(coding, bytes, mostBytes, signal)
  // feed.xml.gz, served as a file.
  return isGzip(bytes) ? decompress('gzip', bytes, mostBytes, signal) : bytes
}

async function unpack(coding: string, bytes: Uint8Array, mostBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  if (bytes.length === 0 || !isKnown(coding)) return bytes
  const seeming = looksLike(bytes)
  // Gzip and Zstandard can be recognised by their first bytes.
  const announced = coding === 'gzip' || coding === 'x-gzip' || coding === 'zstd' ? seeming : coding
  try {
    return await decompress(announced, bytes, mostBytes, signal)
  } catch (error) {
    if (error instanceof TooLarge || signal.aborted || seeming === announced || seeming === 'unknown') throw error
    return decompress(seeming, bytes, mostBytes, signal)
  }
}

type Coding = 'gzip' | 'zstd' | 'br' | 'deflate' | 'plain' | 'unknown'

function isKnown(coding: string): coding is 'gzip' | 'x-gzip' | 'zstd' | 'br' | 'deflate' {
  return ['gzip', 'x-gzip', 'zstd', 'br', 'deflate'].includes(coding)
}

/** By the first bytes. Brotli and bare deflate have no magic number. */
function looksLike(bytes: Uint8Array): Coding {
  if (isGzip(bytes)) return 'gzip'
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return 'zstd'
  // In UTF-16 every other byte is zero.
  const start = Buffer.from(bytes.subarray(0, 4096)).toString('latin1').replaceAll('\0', '')
  if (/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<[?!a-z]|\{\s*["}]|\[\s*[{\]])/i.test(start)) return 'plain'
  if ((bytes[0]! & 0x0f) === 8 && ((bytes[0]! << 8) | (bytes[1] ?? 0)) % 31 === 0) return 'deflate'
  return 'unknown'
}

async function decompress(
  coding: Coding,
  bytes: Uint8Array,
  mostBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const decoder = decoderFor(coding, bytes)
  if (!decoder) return bytes
  const stop = () => decoder.destroy(new TooLarge())
  signal.addEventListener('abort', stop)
  decoder.end(bytes)
  try {
    return await collect(decoder, mostBytes)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function decoderFor(coding: Coding, bytes: Uint8Array) {
  if (coding === 'gzip') return zlib.createGunzip()
  if (coding === 'zstd') return zlib.createZstdDecompress()
  if (coding === 'br') return zlib.createBrotliDecompress()
  if (coding === 'deflate') return (bytes[0]! & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw()
  return null
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

async function collect(stream: Readable, mostBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > mostBytes) throw new TooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
