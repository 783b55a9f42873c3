// The stream of an installation (stream.ts) as JSON lines: the head; a line per row, `{"subscribers":{…}}`; the counters; the end.
// A name that ends in .gz or .zst is compressed; reading detects the compression itself.

import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib'
import { linesOf } from '../base/lines.ts'
import { Refusal } from '../base/errors.ts'
import type { Counters } from './shape.ts'
import type { End, Head, Part } from './stream.ts'

/** The lines of one part, each with its end. */
export function linesOfPart(part: Part): string {
  if ('lines' in part) return part.lines.map((line) => `{"${part.table}":${line}}\n`).join('')
  return `${JSON.stringify(part)}\n`
}

/**
 * Writes to a temporary name, readable only by its owner, and renames it when everything is on the disk. Refuses an existing name.
 * Returns its size in bytes.
 */
export async function writeFile(file: string, parts: AsyncIterable<Part>): Promise<number> {
  const part = `${file}.part`
  if (existsSync(file)) throw explain(file, { code: 'EEXIST' })
  try {
    await rm(part, { force: true })
    const sink = createWriteStream(part, { mode: 0o600, flush: true })
    const compress = file.endsWith('.gz')
      ? createGzip({ level: 6 })
      : file.endsWith('.zst')
        ? createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
        : new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) })
    const writing = pipeline(compress, sink)
    writing.catch(() => {})
    for await (const each of parts) await write(compress, linesOfPart(each))
    compress.end()
    await writing
    const { size } = await stat(part)
    await rename(part, file)
    return size
  } catch (cause) {
    await rm(part, { force: true })
    throw explain(file, cause)
  }
}

async function write(stream: Writable, text: string): Promise<void> {
  if (stream.errored) throw stream.errored
  if (!stream.write(text))
    await new Promise<void>((resolve, reject) => {
      const done = (cause?: Error) => {
        stream.off('drain', done).off('error', done).off('close', done)
        if (cause) reject(cause)
        else resolve()
      }
      stream.once('drain', done).once('error', done).once('close', done)
    })
}

function explain(file: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'EEXIST') return new Refusal('conflict', `${file} already exists. Name another file.`)
  if (code === 'ENOENT') return new Refusal('invalid', `There is no ${file}, or no folder for it.`)
  if (code === 'ENOSPC') return new Refusal('unavailable', `There is no space left for ${file}.`)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'EISDIR')
    return new Refusal('invalid', `${file} can't be read or written (${code}).`)
  return cause
}

/** Reads a file's head, and streams the rest. Refuses other files with a sentence. */
export async function readFile(file: string): Promise<{ head: Head; parts: AsyncIterable<Part> }> {
  const parts = partsOf(file)
  const first = await parts.next()
  if (first.done || !('head' in first.value)) throw noBackup(file)
  return { head: first.value.head, parts }
}

const noBackup = (file: string) => new Refusal('invalid', `${file} is no backup, and no export of everything.`)

/** The most bytes of one table that are passed on at a time. */
const groupBytes = 1_000_000
const groupRows = 2000

async function* partsOf(file: string): AsyncGenerator<Part> {
  let group: { table: string; lines: string[] } = { table: '', lines: [] }
  let bytes = 0
  let isFirst = true
  try {
    for await (const lines of linesOf(await openFile(file)))
      for (const line of lines) {
        if (line.trim() === '') continue
        const row = isFirst ? null : rowOf(line)
        isFirst = false
        if (row && row.table === group.table && bytes < groupBytes && group.lines.length < groupRows) {
          group.lines.push(row.line)
          bytes += row.line.length
          continue
        }
        if (group.lines.length) yield group
        group = row ? { table: row.table, lines: [row.line] } : { table: '', lines: [] }
        bytes = row?.line.length ?? 0
        if (!row) yield otherPart(file, line)
      }
    if (group.lines.length) yield group
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code?.startsWith('Z_') || code?.startsWith('ZSTD_'))
      throw new Refusal('invalid', `${file} is damaged, or it was cut off. Nothing was taken.`)
    throw explain(file, cause)
  }
}

/** `{"subscribers":{…}}`: its JSON is the database's own, and isn't parsed here. */
function rowOf(line: string): { table: string; line: string } | null {
  const [start, table] = /^\s*\{\s*"([a-z_0-9]+)"\s*:\s*(?=\{)/.exec(line) ?? []
  if (start === undefined || ['head', 'counters', 'end'].includes(table!)) return null
  return { table: table!, line: line.slice(start.length, line.lastIndexOf('}')) }
}

function otherPart(file: string, line: string): Part {
  try {
    const part = JSON.parse(line) as { head?: Head; counters?: Counters; end?: End }
    if (part.head ?? part.counters ?? part.end) return part as Part
  } catch {
    // Not JSON: refused below.
  }
  throw noBackup(file)
}

async function openFile(file: string): Promise<AsyncIterable<Buffer>> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw explain(file, cause)
  })
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
  await handle.close()
  const bytes = createReadStream(file)
  const magic = buffer.toString('hex')
  const unpack = magic.startsWith('1f8b') ? createGunzip() : magic === '28b52ffd' ? createZstdDecompress() : null
  if (!unpack) return bytes
  // The reader gets errors of the stages before.
  bytes.once('error', (cause) => unpack.destroy(cause))
  return bytes.pipe(unpack)
}
