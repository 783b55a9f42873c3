// The body of an answer from outside, decompressed: never more bytes than allowed, before and after.

import type { Readable } from 'node:stream'
import zlib from 'node:zlib'

export class TooLarge extends Error {
  override name = 'TooLarge'
}

/** Throws TooLarge. What can't be decompressed throws zlib's own errors. */
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
  // feed.xml.gz, served as it lies there.
  return isGzip(bytes) ? unpack('gzip', bytes, mostBytes, signal) : bytes
}

async function unpack(coding: string, bytes: Uint8Array, mostBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const decoder =
    coding === 'gzip' || coding === 'x-gzip'
      ? isGzip(bytes) && zlib.createGunzip()
      : coding === 'br'
        ? zlib.createBrotliDecompress()
        : coding === 'deflate'
          ? (bytes[0]! & 0x0f) === 8
            ? zlib.createInflate()
            : zlib.createInflateRaw()
          : false
  if (!decoder || bytes.length === 0) return bytes
  const stop = () => decoder.destroy(new TooLarge())
  signal.addEventListener('abort', stop)
  decoder.end(bytes)
  try {
    return await collect(decoder, mostBytes)
  } finally {
    signal.removeEventListener('abort', stop)
  }
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
