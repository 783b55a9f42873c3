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
import { createOut } from '../../src/commands/out.ts'
import { runWords } from '../../src/commands/program.ts'

const root = path.join(import.meta.dirname, '../..')
const read = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8')
const pages = [
  'README.md',
  'GLOSSARY.md',
  ...fs.globSync(['docs/**/*.md', 'src/**/*.md', 'bench/**/*.md'], { cwd: root }),
]

/** The cells of the table rows between two comments, unescaped. */
function rowsBetween(text: string, from: string, to: string): string[][] {
  const part = text.slice(text.indexOf(`<!-- ${from}`), text.indexOf(`<!-- ${to}`))
  const lines = part.split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  )
}

const expectedRows = Object.entries(variables).map(([name, schema]) => {
  const fallback = schema.safeParse(undefined).data
  const shown = fallback === undefined || fallback === '' ? '' : `\`${String(fallback)}\``
  return [`\`${name}\``, schema.description, shown]
})

test("the README's table of variables says what the schema says", () => {
  assert.deepEqual(rowsBetween(read('README.md'), 'configuration', 'end of configuration'), expectedRows)
})

test('.env.example names exactly the variables of the schema and of compose.yaml, and changes nothing', () => {
  const example = parseEnv(read('.env.example'))
  const composed = [...read('compose.yaml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name!)
  assert.deepEqual(Object.keys(example).sort(), [...new Set([...Object.keys(variables), ...composed])].sort())
  assert.deepEqual(readConfig(example), readConfig({}))
})

test('every command in the README exists', async () => {
  const rows = rowsBetween(read('README.md'), 'commands', 'end of commands')
  const commands = rows.flatMap(([cell]) => [...cell!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!))
  assert.ok(commands.length > 15)
  for (const command of commands) {
    // The words before the first argument or option: `feed add URL …` is `feed add`.
    const words = /^[a-z-]+(?: [a-z-]+)*/.exec(command.replace(/ \[?--.*/, ''))![0].split(' ')
    const help = await printed([...words, '--help'])
    assert.ok(help.startsWith(`Usage: broadsheet ${words.join(' ')} `), `${command}: ${help.slice(0, 80)}`)
    for (const [option] of command.matchAll(/--[a-z-]+/g)) assert.ok(help.includes(option), `${command}: ${option}`)
  }
})

async function printed(words: string[]): Promise<string> {
  let text = ''
  const sink = { isTty: false, isClosed: false, write: (more: string) => ((text += more), true) }
  await runWords(words, {
    out: createOut(sink as never, sink as never),
    cwd: root,
    signal: new AbortController().signal,
    isInServer: false,
    config: () => readConfig({}),
    open: () => Promise.reject(new Error('help needs no database')),
    confirm: () => Promise.resolve(false),
  })
  return text
}

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

test('every relay address in operating.md is one that SMTP_URL takes', () => {
  const given = [...read('docs/operating.md').matchAll(/smtps?:\/\/[^\s"`]+/g)].map(([address]) => address)
  assert.ok(given.length > 3)
  for (const address of given) assert.equal(typeof parseRelay(address), 'object', address)
})

test('the metrics that operating.md tells to watch are those that are exposed', () => {
  const metric = /broadsheet_[a-z_]+/g
  const told = new Set(read('docs/operating.md').match(metric))
  const exposed = new Set(
    ['src/web/health.ts', 'src/web/inbound.ts', 'src/delivery/metrics.ts'].flatMap((file) => read(file).match(metric)!),
  )
  assert.deepEqual([...told].sort(), [...exposed].sort())
})
