// Turns the lines of a CSV file into records. The library reads quoted cells. Which lines belong to one record is decided here,
// because a single quote that is never closed would otherwise silently swallow the lines after it, and the people in them.

import { parse } from 'csv-parse/sync'
import { type Line, longestLine } from './lines.ts'

export interface Row {
  /** Its first line. */
  line: number
  cells: string[]
  /** Why it can't be read. */
  fault?: string
}

export interface CsvShape {
  delimiter: string
  /** Cells per record. */
  width: number
  /** The index of the cell with the address. */
  emailAt: number
}

/** A longer quoted cell counts as not closed. */
const mostLines = 60

type Text = { line: number; text: string; fault?: string }

export class RecordReader {
  #shape: CsvShape
  #open: Line[] = []

  constructor(shape: CsvShape) {
    this.#shape = shape
  }

  /** The records that end within these lines, without blank ones. */
  push(lines: readonly Line[]): Row[] {
    const texts: Text[] = []
    for (const line of lines) this.#take(line, texts)
    return this.#parse(texts)
  }

  /** After the last line: the records that are still open. */
  end(): Row[] {
    const texts: Text[] = []
    while (this.#open.length > 0) this.#giveUp(texts)
    return this.#parse(texts)
  }

  #take(line: Line, texts: Text[]): void {
    if (this.#open.length === 0) {
      if (line.text.length > longestLine)
        texts.push({ line: line.number, text: line.text.slice(0, 200), fault: 'line: is longer than 64 kB' })
      else if (line.text.includes('"') && endsInQuote(line.text, false, this.#shape.delimiter)) this.#open.push(line)
      else if (line.text.trim()) texts.push({ line: line.number, text: line.text })
      return
    }
    if (this.#open.length >= mostLines || this.#isRecord(line.text)) {
      this.#giveUp(texts)
      return this.#take(line, texts)
    }
    this.#open.push(line)
    if (endsInQuote(line.text, true, this.#shape.delimiter)) return
    const text = this.#open.map((one) => one.text).join('\n')
    texts.push({ line: this.#open[0]!.number, text })
    this.#open = []
  }

  /** The quote of the first open line isn't closed: that line is faulty, and the lines after it are read again without it. */
  #giveUp(texts: Text[]): void {
    const [first, ...others] = this.#open
    this.#open = []
    texts.push({
      line: first!.number,
      text: first!.text,
      fault: `line: a quote (") that opens in line ${first!.number} isn’t closed`,
    })
    for (const line of others) this.#take(line, texts)
  }

  /** Whether a line within quotes looks like a record of its own: with as many cells, and an address at its place. */
  #isRecord(text: string): boolean {
    const { delimiter, width, emailAt } = this.#shape
    const cells = text.split(delimiter)
    return cells.length >= width && /^["\s]*[^\s@",;]+@[^\s@",;]+\.[^\s@",;]+["\s]*$/.test(cells[emailAt] ?? '')
  }

  #parse(texts: readonly Text[]): Row[] {
    const quoted = texts.filter(({ text, fault }) => !fault && text.includes('"'))
    const parsed = parseAll(
      quoted.map(({ text }) => text),
      this.#shape.delimiter,
    )
    let at = 0
    return texts.map(({ line, text, fault }) => {
      if (fault) return { line, cells: [text], fault }
      if (!text.includes('"')) return { line, cells: text.split(this.#shape.delimiter).map((cell) => cell.trim()) }
      const cells = parsed[at++]!
      return cells.length > 0 ? { line, cells } : { line, cells: [text], fault: 'line: its quotes (") can’t be read' }
    })
  }
}

/**
 * Whether a quoted cell is still open at the end of the line. A quote opens only at the beginning of a cell, and closes only
 * before its end; all others are literal. Pure.
 */
export function endsInQuote(text: string, isOpen: boolean, delimiter: string): boolean {
  let isIn = isOpen
  let isStart = !isOpen
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (isIn) {
      if (char !== '"') continue
      if (text[at + 1] === '"') at++
      else if (closes(text, at + 1, delimiter)) isIn = false
    } else if (char === delimiter) isStart = true
    else if (char === '"' && isStart) {
      isIn = true
      isStart = false
    } else if (char !== ' ') isStart = false
  }
  return isIn
}

function closes(text: string, from: number, delimiter: string): boolean {
  let at = from
  while (text[at] === ' ') at++
  return at >= text.length || text[at] === delimiter
}

const options = {
  relax_quotes: true,
  relax_column_count: true,
  skip_empty_lines: false,
  trim: true,
  record_delimiter: '\n',
} as const

/** One record per text; an empty one for a text that isn't exactly one record. */
function parseAll(texts: readonly string[], delimiter: string): string[][] {
  if (texts.length === 0) return []
  try {
    const records = parse(texts.join('\n'), { ...options, delimiter })
    if (records.length === texts.length) return records
  } catch {
    // One of them is faulty: parse each separately.
  }
  return texts.map((text) => {
    try {
      const records = parse(text, { ...options, delimiter })
      return records.length === 1 ? records[0]! : []
    } catch {
      return []
    }
  })
}
