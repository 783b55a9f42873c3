// What `restore` refuses, each in one sentence, and with nothing taken.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sql } from 'kysely'
import { newFile, newTarget } from '../support/backups.ts'
import { typed } from '../support/command-line.ts'
import { fillEveryTable } from '../support/full-installation.ts'
import { openHouse, story } from '../support/house.ts'

test('what is cut off, changed, foreign or of a later version is refused, and nothing is taken', async () => {
  await using house = await openHouse('embedded')
  await fillEveryTable(house.db)
  const file = newFile()
  await typed(house, ['backup', file])
  const text = readFileSync(file, 'utf8')
  const [head, ...rest] = text.split('\n')
  const later = head!.replace('"migrations":[', '"migrations":["9999_later",')
  const cases: [name: string, content: string | Buffer, refusal: RegExp][] = [
    ['cut off', text.slice(0, text.length * 0.6), /is no backup|ends before its end|isn't as it was written/],
    ['cut off between lines', [head, ...rest.slice(0, 30)].join('\n'), /It ends before its end, so nothing was taken/],
    ['cut off in its packing', gzipSync(text).subarray(0, 2000), /is damaged, or it was cut off/],
    ['changed', text.replace('A story of two', 'A tale of two'), /^articles: 1 rows came of 1, or not as they were/],
    ['a row less', text.replace(/\n\{"consents".*/, ''), /^consents: 0 rows came of 1/],
    ['later', [later, ...rest].join('\n'), /by a later version of this program \(9999_later\)/],
    ['a later format', text.replace('"format":1', '"format":2'), /by a later version of this program \(format 2\)/],
    ['something else', 'email,name\nada@x.example,Ada\n', /is no backup, and no export of everything/],
    ['empty', '', /is no backup/],
  ]
  const target = await newTarget(house, 'embedded')
  for (const [name, content, refusal] of cases) {
    const bad = newFile()
    writeFileSync(bad, content)
    const said = await typed(target.house, ['restore', bad])
    assert.equal(said.code, 1, name)
    assert.match(said.stderr, refusal, name)
    assert.equal(said.stderr.trim().split('\n').length, 1, name)
  }
  assert.match((await typed(target.house, ['restore', newFile()])).stderr, /^There is no /)
  assert.equal((await typed(target.house, ['restore', file])).code, 0)
})

story(
  'a target with tables of something else, or on which a server works, is refused',
  async (house) => {
    await fillEveryTable(house.db)
    const file = newFile()
    await typed(house, ['backup', file])
    const target = await newTarget(house, 'postgres')
    const there = await target.open()
    await sql`create table blog_posts (id int)`.execute(there.db)
    const busy = await typed(target.house, ['restore', file])
    assert.equal(busy.stderr, 'A server or a command works on the target. Stop it first.\n')
    await there.close()
    const said = await typed(target.house, ['restore', file])
    assert.equal(said.code, 1)
    assert.match(said.stderr, /^The target holds tables of something else \(blog_posts\)/)
    await target.end()
  },
  { on: 'postgres' },
)
