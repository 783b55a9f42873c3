// Detects the layout of a file from its first lines: its delimiter, and where its header is, if there is one.

import { type Line } from './lines.ts'
import { type CsvShape, RecordReader, type Row } from './records.ts'
import { emailRank, namesAddress } from './titles.ts'

export interface Layout extends CsvShape {
  kind: 'csv'
  titles: string[]
  hasHeader: boolean
  /** Rows begin after this line. */
  headerLine: number
  /** Without a header, every column contains addresses. */
  isSpread: boolean
}

const delimiters = [',', ';', '\t', '|'] as const
const address = /[^\s<>"',;|@]+@[^\s<>"',;|@]+\.[^\s<>"',;|@]+/
const wholeAddress = /^[^@]*[^\s<>"',;|@]+@[^\s<>"',;|@]+\.[^\s<>"',;|@]+[^@]*$/
const holdsAddress = (cell: string) => cell.length <= 500 && wholeAddress.test(cell)

/** Only addresses and names: `Ana <ana@x.example>, bob@x.example`. */
function isPlainLine(text: string): boolean {
  const pieces = text
    .replace(/"[^"]*"/g, '')
    .split(/[,;]/)
    .filter((piece) => piece.trim())
  return pieces.every((piece) => piece.length <= 500 && plainPiece.test(piece))
}
const plainPiece = /^[^@<>|\t]*[<(]?[^\s<>"'|@()]+@[^\s<>"'|@()]+[>)]?\s*$/

/** Whether the file is a list of addresses without columns. Pure. */
export function isPlainList(head: readonly Line[]): boolean {
  const from = head.findIndex(({ text }) => address.test(text))
  const lines = head.slice(Math.max(from, 0)).filter(({ text }) => text.trim())
  if (from < 0 || lines.length === 0 || head.slice(0, from).some(({ text }) => namesAddress(text.trim()))) return false
  const before = head
    .slice(0, from)
    .filter(({ text }) => text.trim())
    .at(-1)
  if (before && /[,;\t|]/.test(before.text) && before.text.split(/[,;\t|]/).some(namesAddress)) return false
  return lines.filter(({ text }) => isPlainLine(text)).length >= lines.length * 0.8
}

/** null: no address in its first lines, and no title for one. Pure. */
export function layoutOf(head: readonly Line[]): Layout | null {
  const [first] = head
  const [, given] = /^"?sep=(.)"?$/i.exec(first?.text.trim() ?? '') ?? []
  const lines = given ? head.slice(1) : head
  const delimiter = given ?? bestDelimiter(lines)
  const reader = new RecordReader({ delimiter, width: Number.MAX_SAFE_INTEGER, emailAt: 0 })
  const rows = [...reader.push(lines), ...reader.end()].filter(({ cells }) => cells.some(Boolean))
  const dataAt = rows.findIndex(({ cells }) => cells.some((cell) => holdsAddress(cell)))
  const headerAt = headerOf(rows, dataAt)
  if (headerAt < 0 && dataAt < 0) return null
  const data = rows.slice(headerAt < 0 ? dataAt : headerAt + 1)
  const width = headerAt < 0 ? modeOf(data.map(({ cells }) => cells.length)) : rows[headerAt]!.cells.length
  const titles =
    headerAt < 0 ? Array.from({ length: width }, (_, n) => `column ${n + 1}`) : titlesOf(rows[headerAt]!.cells)
  const emailAt = addressColumn(titles, headerAt >= 0, data)
  return {
    kind: 'csv',
    delimiter,
    width: titles.length,
    emailAt,
    titles,
    hasHeader: headerAt >= 0,
    headerLine: headerAt < 0 ? rows[dataAt]!.line - 1 : rows[headerAt]!.line,
    isSpread:
      headerAt < 0 && width > 1 && data.every(({ cells }) => cells.every((cell) => !cell || holdsAddress(cell))),
  }
}

function titlesOf(cells: readonly string[]): string[] {
  return cells.map((cell, index) => cell.trim() || `column ${index + 1}`)
}

/** The record above the first address with a title for the address; otherwise a record of words directly above it. */
function headerOf(rows: readonly Row[], dataAt: number): number {
  const above = dataAt < 0 ? rows : rows.slice(0, dataAt)
  const named = above.findLastIndex(({ cells }) => cells.some((cell) => namesAddress(cell)))
  if (named >= 0) return named
  const last = above.length - 1
  if (dataAt < 1) return above.findLastIndex(({ cells }) => cells.some((cell) => emailRank(cell) >= 0))
  const isHeader = rows[last]!.cells.length === rows[dataAt]!.cells.length && rows[last]!.cells.every(Boolean)
  return isHeader && (rows[last]!.cells.length > 1 || emailRank(rows[last]!.cells[0]!) >= 0) ? last : -1
}

/**
 * Of the columns that contain addresses, the one with the best title; without such a title, the one with the most addresses. -1:
 * none.
 */
export function addressColumn(titles: readonly string[], hasHeader: boolean, data: readonly Row[]): number {
  const held = titles.map((_, index) => data.filter(({ cells }) => holdsAddress(cells[index] ?? '')).length)
  const most = Math.max(0, ...held)
  const ranks = titles.map((title, index) => (hasHeader && (held[index]! > 0 || most === 0) ? emailRank(title) : -1))
  const best = Math.max(-1, ...ranks)
  return best >= 0 ? ranks.indexOf(best) : most > 0 ? held.indexOf(most) : -1
}

function bestDelimiter(lines: readonly Line[]): string {
  const sample = lines.filter(({ text }) => text.trim()).slice(0, 100)
  let best = { delimiter: ',', score: 0 }
  for (const delimiter of delimiters) {
    const counts = sample.map(({ text }) => text.replace(/"(?:[^"]|"")*"/g, '').split(delimiter).length - 1)
    const mode = modeOf(counts.filter((count) => count > 0))
    const score = counts.filter((count) => count === mode).length * 100 + Math.min(mode, 50)
    if (mode > 0 && score > best.score) best = { delimiter, score }
  }
  return best.delimiter
}

/** The most frequent value; 0 if there is none. */
function modeOf(counts: readonly number[]): number {
  const byCount = Map.groupBy(counts, (count) => count)
  return [...byCount].toSorted((a, b) => b[1].length - a[1].length || b[0] - a[0])[0]?.[0] ?? 0
}
