// Opens the files of an import: the encoding, layout, system and columns of each. Its rows can be read several times.

import { Refusal } from '../../base/errors.ts'
import type { Category } from '../../db/schema.ts'
import { addressesIn } from './addresses.ts'
import { type Column, type Instructions, named, readColumns } from './columns.ts'
import { standingOfFile } from './file-names.ts'
import { readJson } from './json.ts'
import { type Bytes, type Line, examineBytes, linesOf } from './lines.ts'
import { field, neutral } from './readings.ts'
import { RecordReader, type Row } from './records.ts'
import { addressColumn, isPlainList, type Layout, layoutOf } from './shape.ts'
import type { ListFile } from './sources.ts'
import type { Standing } from './standing.ts'

export interface List {
  name: string
  size: number
  hash: string
  /** In words, for the report. */
  readAs: string
  columns: readonly Column[]
  /** What its name says about everybody in it. */
  ofFile: Standing | null
  isOurs: boolean
  hasTitles: boolean
  /** In groups, with the bytes read so far. */
  rows(): AsyncGenerator<{ rows: Row[]; bytes: number }>
}

/** The number of lines from which the type of a file is detected. */
const headLines = 1000

/** Throws a Refusal that names the file. */
export async function openList(
  file: ListFile,
  told: Instructions,
  categories: readonly Category[],
  signal?: AbortSignal,
): Promise<List> {
  const bytes = await examineBytes(file, signal)
  const head = await headOf(file, bytes)
  const start =
    head
      .find(({ text }) => text.trim())
      ?.text.trim()
      .replace(/^\uFEFF/, '') ?? ''
  const shared = { name: file.name, size: file.size, hash: bytes.hash, ofFile: standingOfFile(file.name) }
  try {
    if (/^[[{]/.test(start) && /"|^\[$/.test(start)) return { ...shared, ...(await openJson(file, told, categories)) }
    if (isPlainList(head)) return { ...shared, ...openPlain(file, bytes, head) }
    const layout = layoutOf(head)
    if (!layout) throw new Refusal('invalid', 'It contains no e-mail address, and no column title for one.')
    return { ...shared, ...openCsv(file, bytes, layout, head, told, categories) }
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(error.code, `${file.name}: ${error.message}`, error.problems)
    throw error
  }
}

type Opened = Omit<List, 'name' | 'size' | 'hash' | 'ofFile'>

async function headOf(file: ListFile, { encoding }: Bytes): Promise<Line[]> {
  const head: Line[] = []
  const stream = await file.open()
  for await (const { lines } of linesOf(stream, encoding)) {
    head.push(...lines.slice(0, headLines - head.length))
    if (head.length >= headLines) break
  }
  stream.destroy()
  return head
}

async function openJson(file: ListFile, told: Instructions, categories: readonly Category[]): Promise<Opened> {
  const { titles, rows } = await readJson(file)
  const { columns, system } = readColumns(
    titles,
    rows.slice(0, headLines),
    addressColumn(titles, true, rows.slice(0, headLines)),
    told,
    categories,
  )
  return {
    readAs: system ? `${system.name}, JSON` : 'JSON',
    columns,
    isOurs: system?.isOurs ?? false,
    hasTitles: true,
    async *rows() {
      for (let at = 0; at < rows.length; at += 1000)
        yield { rows: rows.slice(at, at + 1000), bytes: (file.size * at) / rows.length }
    },
  }
}

/** A list of addresses, with or without names; a line may contain several. */
function openPlain(file: ListFile, bytes: Bytes, head: readonly Line[]): Opened {
  const from = head.find(({ text }) => text.includes('@'))?.number ?? 1
  return {
    readAs: `a list of addresses, ${bytes.encoding}`,
    columns: [
      { title: 'address', reading: field('email'), values: new Map() },
      { title: 'text', reading: neutral, values: new Map() },
    ],
    isOurs: false,
    hasTitles: false,
    async *rows() {
      for await (const { lines, bytes: read } of linesOf(await file.open(), bytes.encoding))
        yield { rows: lines.filter(({ number }) => number >= from).flatMap(plainRows), bytes: read }
    },
  }
}

function plainRows({ number, text }: Line): Row[] {
  if (!text.trim()) return []
  const { addresses, rest } = addressesIn(text.slice(0, 100_000))
  if (addresses.length === 0) return [{ line: number, cells: [text.slice(0, 500), ''] }]
  return addresses.map((one) => ({ line: number, cells: [one, rest.trim()] }))
}

function openCsv(
  file: ListFile,
  bytes: Bytes,
  layout: Layout,
  head: readonly Line[],
  told: Instructions,
  categories: readonly Category[],
): Opened {
  const { titles, headerLine, delimiter, emailAt, isSpread } = layout
  const reader = new RecordReader(layout)
  const sample = [...reader.push(head.filter(({ number }) => number > headerLine)), ...reader.end()].filter(
    ({ fault }) => !fault,
  )
  const read = isSpread
    ? { columns: [{ title: 'address', reading: field('email'), values: new Map() }], system: undefined }
    : readColumns(titles, sample, emailAt, told, categories)
  const mark = delimiter === '\t' ? 'tab' : delimiter
  return {
    readAs: `${read.system?.name ?? 'CSV'}, ${bytes.encoding}, "${mark}" between columns${layout.hasHeader ? '' : ', no header'}`,
    columns: read.columns,
    isOurs: read.system?.isOurs ?? false,
    hasTitles: layout.hasHeader,
    async *rows() {
      const records = new RecordReader(layout)
      const given = (rows: Row[]) => (isSpread ? rows.flatMap(spread) : rows)
      for await (const { lines, bytes: done } of linesOf(await file.open(), bytes.encoding)) {
        const wanted = (lines[0]?.number ?? 0) > headerLine ? lines : lines.filter(({ number }) => number > headerLine)
        yield { rows: given(records.push(wanted)), bytes: done }
      }
      yield { rows: given(records.end()), bytes: file.size }
    },
  }
}

function spread({ line, cells, fault }: Row): Row[] {
  if (fault) return [{ line, cells, fault }]
  return cells.filter(Boolean).map((cell) => ({ line, cells: [cell] }))
}

/** Checks for instructions that match no file. Throws a Refusal that names the option. */
export function checkInstructions(lists: readonly List[], told: Instructions): void {
  const has = (title: string) => lists.some(({ columns }) => named(columns, title).length > 0)
  const columnIn = (from: string) => has(from) || (from.includes(':') && has(from.slice(0, from.lastIndexOf(':'))))
  const refuse = (option: string, title: string): never => {
    const titles = [...new Set(lists.flatMap(({ columns }) => columns.map((column) => column.title)))].slice(0, 30)
    throw new Refusal(
      'invalid',
      `There is no column "${title}", only ${titles.map((one) => `"${one.slice(0, 60)}"`).join(', ')}.`,
      [{ field: option, message: `There is no column "${title}".` }],
    )
  }
  for (const title of told.ignored) if (!has(title)) refuse('--ignore-column', title)
  for (const [option, all] of [
    ['--map', told.map],
    ['--choice', told.choice],
  ] as const)
    for (const one of all) {
      const from = one.slice(0, one.lastIndexOf('=')).trim()
      if (!columnIn(from)) refuse(option, from)
    }
}
