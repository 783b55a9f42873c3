// A file of rejected rows next to the imported file: their original cells, the line number and the reason. An operator can correct
// and import it.

import { closeSync, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'csv-stringify/sync'
import type { Rejected } from '../../subscribers/import/import.ts'
import type { List } from '../../subscribers/import/list.ts'

const ownTitles = ['rejected_line', 'rejected_because']

/** One file per imported file, created when its first row is rejected. */
export class RejectedFiles {
  #target: string
  #isFolder: boolean
  #open = new Map<List, { path: string; handle: number; kept: number[] }>()

  /** `target`: the import's argument; for a folder, the files are written into it. */
  constructor(target: string, isFolder: boolean) {
    this.#target = target
    this.#isFolder = isFolder
  }

  get paths(): string[] {
    return [...this.#open.values()].map((one) => one.path)
  }

  add({ list, line, reason, cells }: Rejected): void {
    const { handle, kept } = this.#open.get(list) ?? this.#make(list)
    this.#write(handle, [...kept.map((index) => cells[index] ?? ''), String(line), reason])
  }

  close(): void {
    for (const { handle } of this.#open.values()) closeSync(handle)
  }

  #make(list: List) {
    const name = path.basename(list.name)
    const whole = this.#isFolder ? path.join(this.#target, name) : this.#target
    const isArchive = !this.#isFolder && path.basename(this.#target) !== list.name
    const base = isArchive ? `${whole}.${name}` : whole
    const file = `${base.replace(/\.(csv|tsv|tab|txt|json|ndjson|jsonl)$/i, '')}.rejected.csv`
    const handle = openSync(file, 'w', 0o600)
    const kept = list.columns.flatMap(({ title }, index) => (ownTitles.includes(title) ? [] : [index]))
    const made = { path: file, handle, kept }
    this.#open.set(list, made)
    this.#write(handle, [...kept.map((index) => list.columns[index]!.title), ...ownTitles])
    return made
  }

  #write(handle: number, cells: readonly string[]): void {
    writeSync(handle, stringify([cells], { escape_formulas: true }))
  }
}
