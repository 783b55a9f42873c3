// The structure that the table in docs/architecture.md describes: imports go down the storeys, no two files need each other, and one
// folder writes each table. Exceptions are listed here, each with its reason; one that is no longer needed fails.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

const root = path.join(import.meta.dirname, '../..')
const source = path.join(root, 'src')

/** From the table in docs/architecture.md: each folder's storey, counted from the bottom, and the tables that it writes. */
const folders = new Map(
  [
    ...fs
      .readFileSync(path.join(root, 'docs/architecture.md'), 'utf8')
      .matchAll(/^\| (\d+) +\| `src\/?(\w*)` +\|[^|]*\|([^|]*)\|$/gm),
  ].map(([, storey, folder, tables]) => [
    folder || 'app',
    { storey: Number(storey), tables: [...tables!.matchAll(/`(\w+)`/g)].map(([, table]) => table!) },
  ]),
)

const seeds = 'adds rows by the hundred thousand, as one statement per table'
const exceptions: Record<string, { tables: readonly string[]; why: string }> = {
  'planning/plan-chunk.ts': {
    tables: ['deliveries', 'due_times'],
    why: 'one statement moves a chunk of due times, ends superseded digests and writes the new ones, so a crash keeps all or none',
  },
  'planning/plan-triggered.ts': {
    tables: ['deliveries'],
    why: 'writes a chunk of deliveries straight from the subscribers',
  },
  'delivery/statements.ts': {
    tables: ['edition_counts', 'reading'],
    why: 'one statement settles mails, counts them and marks their stories as read: the group commit',
  },
  'delivery/leases.ts': {
    tables: ['edition_counts', 'reading'],
    why: 'one statement settles what a dead worker had on the wire, as the group commit would have',
  },
  'subscribers/erase.ts': {
    tables: ['bounce_scores', 'inbound_events', 'inbound_reports'],
    why: 'erasing a person is one transaction, and inbound/ is a storey above',
  },
  'trial/trial-data.ts': {
    tables: ['articles', 'categories', 'due_times', 'feed_categories', 'feeds', 'subscribers'],
    why: 'the sample rows, which only the trial makes and takes away',
  },
  'commands/digests/seed.ts': { tables: ['consents', 'due_times', 'subscribers', 'subscriptions'], why: seeds },
  'commands/digests/seed-articles.ts': { tables: ['articles'], why: seeds },
  'commands/digests/seed-history.ts': {
    tables: ['deliveries', 'edition_articles', 'editions', 'reading', 'subscribers'],
    why: seeds,
  },
}

interface SourceFile {
  /** Below src, with `/`. */
  name: string
  folder: string
  text: string
  imports: string[]
}

const files: SourceFile[] = fs.globSync('**/*.{ts,mjs}', { cwd: source }).map((name) => {
  const text = fs.readFileSync(path.join(source, name), 'utf8')
  const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, target]) =>
    path.relative(source, path.resolve(source, path.dirname(name), target!)),
  )
  return { name, folder: name.includes('/') ? name.split('/')[0]! : 'app', text, imports }
})
const folderOf = new Map(files.map(({ name, folder }) => [name, folder]))

test('imports go down the storeys', () => {
  const storeyOf = (folder: string): number => folders.get(folder)?.storey ?? assert.fail(`src/${folder} has no storey`)
  const upward = files.flatMap(({ name, folder, imports }) =>
    imports
      .filter((target) => folderOf.has(target) && storeyOf(folderOf.get(target)!) > storeyOf(folder))
      .map((target) => `${name} -> ${target}`),
  )
  assert.deepEqual(upward, [])
})

test('no two files need each other', () => {
  const byName = new Map(files.map((file) => [file.name, file]))
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (name: string, above: readonly string[]): void => {
    if (above.includes(name)) return void circles.push([...above.slice(above.indexOf(name)), name].join(' -> '))
    if (done.has(name)) return
    for (const target of byName.get(name)?.imports ?? []) visit(target, [...above, name])
    done.add(name)
  }
  for (const { name } of files) visit(name, [])
  assert.deepEqual(circles, [])
})

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Every table that a file writes, by Kysely or in SQL. */
function tablesWrittenIn({ text }: SourceFile): Set<string> {
  const known = new Set([...folders.values()].flatMap(({ tables }) => tables))
  const found = new Set<string>()
  for (const [, table] of text.matchAll(/\b(?:insertInto|updateTable|deleteFrom|replaceInto|mergeInto)\(\s*'(\w+)/g))
    found.add(snake(table!))
  for (const [, table] of text.matchAll(
    /\b(?:insert into|update|delete from|truncate|merge into)\s+(?:only\s+)?([a-z_]+)/g,
  ))
    if (known.has(table!)) found.add(table!)
  return found
}

test('one folder writes each table', () => {
  const ownerOf = new Map([...folders].flatMap(([folder, { tables }]) => tables.map((table) => [table, folder])))
  const schema = fs.readFileSync(path.join(source, 'db/schema.ts'), 'utf8')
  const tables = [...schema.match(/export interface Schema \{([^}]*)\}/)![1]!.matchAll(/^ {2}(\w+):/gm)]
  assert.deepEqual(
    [...ownerOf.keys()].sort(),
    tables.map(([, table]) => snake(table!)).sort(),
    'an owner for each table',
  )

  const unused = new Map(Object.entries(exceptions).map(([file, { tables: own }]) => [file, new Set(own)]))
  const strangers: string[] = []
  for (const file of files)
    for (const table of tablesWrittenIn(file)) {
      if (ownerOf.get(table) === file.folder) continue
      if (!unused.get(file.name)?.delete(table) && !exceptions[file.name]?.tables.includes(table))
        strangers.push(`${file.name} writes ${table}, which belongs to ${ownerOf.get(table) ?? 'nobody'}`)
    }
  assert.deepEqual(strangers, [])
  const idle = [...unused].flatMap(([file, left]) => [...left].map((table) => `${file} ${table}`))
  assert.deepEqual(idle, [], 'exceptions that are no longer needed')
})

test('a folder of more than ten files has a README, and it names files that are there', () => {
  const inFolder = Map.groupBy(files, ({ name }) => path.dirname(name))
  for (const [folder, list] of inFolder) {
    const readme = path.join(source, folder, 'README.md')
    if (folder !== '.' && list.length > 10) assert.ok(fs.existsSync(readme), `src/${folder} has no README.md`)
    if (!fs.existsSync(readme) || folder === '.') continue
    const named = [...fs.readFileSync(readme, 'utf8').matchAll(/`([\w./-]+\.ts)`/g)].map(([, file]) => file!)
    const missing = named.filter((file) =>
      [path.join(source, folder), source, root].every((from) => !fs.existsSync(path.join(from, file))),
    )
    assert.deepEqual(missing, [], `src/${folder}/README.md`)
  }
})
