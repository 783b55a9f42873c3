// Lists as the import reads them, without a database: what each row says.

import { Readable } from 'node:stream'
import type { Category } from '../../src/db/schema.ts'
import { readChoiceRules } from '../../src/subscribers/import/choice.ts'
import { Doubts } from '../../src/subscribers/import/doubts.ts'
import { checkInstructions, type List, openList } from '../../src/subscribers/import/list.ts'
import { readPass } from '../../src/subscribers/import/passes.ts'
import type { ListRow } from '../../src/subscribers/import/rows.ts'
import type { ListFile } from '../../src/subscribers/import/sources.ts'

export const categories = ['politics', 'world-news', 'weather'].map((slug, index) => ({
  id: index + 1,
  slug,
  name: slug === 'world-news' ? 'World News' : slug[0]!.toUpperCase() + slug.slice(1),
  position: index,
  retiredAt: null,
  isSample: false,
  createdAt: new Date('2026-01-01T00:00:00Z'),
})) as Category[]

export interface Told {
  map?: string[]
  choice?: string[]
  ignored?: string[]
  category?: string[]
  frequency?: string
}

export const now = new Date('2026-03-02T06:00:00Z')

/** In pieces of `size` bytes, so that nothing depends on where a chunk ends. */
export function fileOf(content: string | Buffer, name = 'list.csv', size = 1 << 16): ListFile {
  const bytes = Buffer.from(content as string)
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  )
  return { name, size: bytes.length, open: () => Promise.resolve(Readable.from(pieces)) }
}

export interface ReadList {
  lists: List[]
  rows: ListRow[]
  rejected: { line: number; reason: string }[]
  /** What each address is there; of several rows the last. */
  standings: Record<string, string>
}

/** Throws what stops the import. */
export async function readLists(files: readonly ListFile[], told: Told = {}): Promise<ReadList> {
  const instructions = { map: told.map ?? [], choice: told.choice ?? [], ignored: told.ignored ?? [] }
  const standard = { politics: 'daily', 'world-news': 'daily', weather: 'daily' } as const
  const choice = readChoiceRules(
    { category: told.category ?? [], frequency: told.frequency ?? null, choice: instructions.choice },
    categories,
    standard,
  )
  const lists: List[] = []
  for (const file of files) lists.push(await openList(file, instructions, categories))
  checkInstructions(lists, instructions)
  const doubts = new Doubts()
  const result: ReadList = { lists, rows: [], rejected: [], standings: {} }
  for await (const reads of readPass(lists, { choice, now }, 'reading', { onProgress() {} }, { doubts }))
    for (const { row, line, reason } of reads) {
      if (!row) result.rejected.push({ line, reason })
      else {
        result.rows.push(row)
        result.standings[row.email] = row.standing
      }
    }
  doubts.throwIfAny(files.length === 1)
  return result
}

export const readText = (content: string | Buffer, told: Told = {}, name = 'list.csv', size?: number) =>
  readLists([fileOf(content, name, size)], told)
