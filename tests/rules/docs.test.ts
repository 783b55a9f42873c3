// What is written is held against what is so: variables, commands, metrics, files and links. Where a test fails, the text is wrong
// as a rule, not the code.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { readConfig } from '../../src/base/config.ts'
import { parseRelay } from '../../src/base/relay.ts'
import { variables } from '../../src/base/variables.ts'
import { runWords } from '../../src/commands/program.ts'
import { generatedFiles, helpSession } from '../support/doc-tables.ts'

const root = path.join(import.meta.dirname, '../..')
const read = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8')
const pages = [
  ...fs.globSync(['*.md', 'docs/**/*.md', 'src/**/*.md', 'bench/**/*.md', 'emails/**/*.md'], { cwd: root }),
]

test('what is made from the code is up to date: npm run docs', async () => {
  for (const [file, text] of Object.entries(await generatedFiles())) assert.equal(read(file), text, file)
})

test('.env.example names exactly the variables of the schema and of compose.yaml, and changes nothing', () => {
  const example = parseEnv(read('.env.example'))
  const composed = [...read('compose.yaml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name!)
  assert.deepEqual(Object.keys(example).sort(), [...new Set([...Object.keys(variables), ...composed])].sort())
  assert.deepEqual(readConfig(example), readConfig({}))
})

test('docs/cli.md names every command, and each has help', async () => {
  const named = [...read('docs/cli.md').matchAll(/^\| `([a-z-]+(?: [a-z][a-z-]*)*)/gm)].map(([, words]) =>
    words!.split(' '),
  )
  assert.ok(named.length > 30)
  for (const words of named) {
    let help = ''
    await runWords(
      [...words, '--help'],
      helpSession((text) => (help += text)),
    )
    assert.ok(help.startsWith(`Usage: broadsheet ${words.join(' ')} `), `${words.join(' ')}: ${help.slice(0, 80)}`)
  }
})

/** As GitHub makes them: lower case, punctuation gone, spaces to hyphens. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

test('every relative link in the documents leads somewhere', () => {
  for (const page of pages)
    for (const [, target] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue
      const [file = '', anchor] = target!.split('#')
      const found = file ? path.join(path.dirname(page), file) : page
      assert.ok(fs.existsSync(path.join(root, found)), `${page} links to ${target}`)
      if (anchor) assert.ok(anchorsOf(read(found)).includes(anchor), `${page} links to ${target}`)
    }
})

test('every file that the documents name exists', () => {
  for (const page of pages)
    for (const [, name] of read(page).matchAll(/`((?:src|docs|tests|emails|migrations|bench)\/[\w./-]+)`/g))
      assert.ok(fs.existsSync(path.join(root, name!)), `${page} names ${name}`)
})

test('every relay address in relays.md is one that SMTP_URL takes', () => {
  const given = [...read('docs/relays.md').matchAll(/smtps?:\/\/[^\s"`]+/g)].map(([address]) => address)
  assert.ok(given.length > 3)
  for (const address of given) assert.equal(typeof parseRelay(address), 'object', address)
})

test('the metrics that monitoring.md tells to watch are those that are exposed', () => {
  const metric = /broadsheet_[a-z_]+/g
  const told = new Set(read('docs/monitoring.md').match(metric))
  const exposed = new Set(
    ['src/web/health.ts', 'src/web/inbound.ts', 'src/delivery/metrics.ts'].flatMap((file) => read(file).match(metric)!),
  )
  assert.deepEqual([...told].sort(), [...exposed].sort())
})
