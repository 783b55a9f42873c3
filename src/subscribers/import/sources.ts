// The files of an import: one file, the files of a folder, or those of a ZIP archive. Each can be opened several times, because an
// import reads them more than once. Archives are limited: one that would fill the disk or the memory is refused before it is
// unpacked.

import { createReadStream, promises as fs, type Stats } from 'node:fs'
import path from 'node:path'
import type { Readable } from 'node:stream'
import yauzl from 'yauzl'
import { invalid, Refusal } from '../../base/errors.ts'

export interface ListFile {
  /** Its path within the folder or archive; otherwise the file's own name. */
  name: string
  /** Bytes, unpacked. */
  size: number
  open(): Promise<Readable>
}

export interface ListSource {
  files: ListFile[]
  /** Files that aren't lists: pictures, and rejected rows of an earlier import. */
  leftOut: string[]
  close(): void
}

const mostFiles = 1000
/** Unpacked size of one archive. */
const mostBytes = 4 * 1024 ** 3
/** For files of more than a megabyte in an archive: lists shrink to a fifth or a tenth, never to a thousandth. */
const mostShrunk = 200

/** Throws a Refusal that names the file. */
export async function openSource(file: string): Promise<ListSource> {
  const stat = await statOf(file)
  if (stat.isDirectory()) return openFolder(file)
  if (!stat.isFile()) throw invalid('FILE', `${file} is not a file. It is read more than once, so a pipe won’t do.`)
  if (await isZip(file)) return openZip(file)
  if (stat.size === 0) throw invalid('FILE', `${file} is empty.`)
  return { files: [onDisk(file, path.basename(file), stat.size)], leftOut: [], close() {} }
}

async function statOf(file: string): Promise<Stats> {
  try {
    return await fs.stat(file)
  } catch (cause) {
    throw invalid('FILE', `can't read ${file} (${(cause as NodeJS.ErrnoException).code})`)
  }
}

function onDisk(file: string, name: string, size: number): ListFile {
  return { name, size, open: () => Promise.resolve(createReadStream(file, { highWaterMark: 256 * 1024 })) }
}

async function isZip(file: string): Promise<boolean> {
  const handle = await fs.open(file)
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1') === 'PK\x03\x04'
  } finally {
    await handle.close()
  }
}

/** Only its own files, not those in subfolders. */
async function openFolder(folder: string): Promise<ListSource> {
  const entries = (await fs.readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile())
  const names = entries.map((entry) => entry.name).toSorted()
  const lists = names.filter(isList)
  if (lists.length === 0) throw invalid('FILE', `${folder} contains no list: no .csv, .tsv, .txt or .json file.`)
  if (lists.length > mostFiles) throw invalid('FILE', `${folder} contains more than ${mostFiles} files.`)
  const files: ListFile[] = []
  for (const name of lists) {
    const { size } = await fs.stat(path.join(folder, name))
    if (size > 0) files.push(onDisk(path.join(folder, name), name, size))
  }
  return { files, leftOut: names.filter((name) => !isList(name)), close() {} }
}

function isList(name: string): boolean {
  const base = path.basename(name)
  return (
    /\.(csv|tsv|tab|txt|json|ndjson|jsonl)$/i.test(base) && !/\.rejected\.csv$/i.test(base) && !base.startsWith('.')
  )
}

async function openZip(file: string): Promise<ListSource> {
  const zip = await readDirectory(file)
  const files: ListFile[] = []
  const leftOut: string[] = []
  let total = 0
  try {
    for (const entry of zip.entries) {
      const { fileName: name, uncompressedSize: size, compressedSize } = entry
      if (name.endsWith('/') || size === 0) continue
      if (!isList(name) || name.startsWith('__MACOSX/')) {
        leftOut.push(name)
        continue
      }
      if (entry.isEncrypted()) throw new Refusal('invalid', `${name} in the archive has a password. Unpack it first.`)
      total += size
      if (total > mostBytes || files.length >= mostFiles || size > Math.max(1024 ** 2, compressedSize * mostShrunk))
        throw new Refusal(
          'invalid',
          `${name} in the archive isn’t unpacked: it is packed as no list is (${compressedSize} bytes become ${size}), or the archive holds too much. Unpack it yourself and import the folder.`,
        )
      files.push({ name, size, open: () => zip.open(entry) })
    }
    if (files.length === 0)
      throw new Refusal('invalid', 'The archive contains no list: no .csv, .tsv, .txt or .json file.')
  } catch (refusal) {
    zip.close()
    throw refusal
  }
  return { files, leftOut, close: zip.close }
}

/** While unpacking, yauzl checks that an entry isn't larger than its directory says, so the sizes can be trusted. */
async function readDirectory(file: string) {
  try {
    const zip = await yauzl.openPromise(file, { autoClose: false })
    const entries: yauzl.Entry[] = []
    for await (const entry of zip.eachEntry()) {
      entries.push(entry)
      if (entries.length > mostFiles * 10) throw new Error(`it contains more than ${mostFiles * 10} files`)
    }
    return { entries, open: (entry: yauzl.Entry) => zip.openReadStreamPromise(entry), close: () => zip.close() }
  } catch (cause) {
    throw new Refusal('invalid', `The archive can’t be read: ${(cause as Error).message}.`)
  }
}
