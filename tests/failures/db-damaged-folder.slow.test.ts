// What becomes of DATA_DIR when a disk, a backup or a person has damaged it: one sentence, and nothing is begun anew over data.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { readConfig } from '../../src/base/config.ts'
import { openEmbedded } from '../../src/db/connect.ts'
import { lockFolder } from '../../src/db/lock.ts'
import { withSecret } from '../../src/trial/secret.ts'
import { freePort, runCommand } from '../support/program.ts'

const root = mkdtempSync(path.join(tmpdir(), 'damaged-'))
const whole = path.join(root, 'whole')
const source = path.join(import.meta.dirname, '../../src')
let port = 0

before(async () => {
  port = await freePort()
  const { code } = await runCommand(whole, port, ['category', 'add', 'Politics'])
  assert.equal(code, 0)
})
after(() => rmSync(root, { recursive: true, force: true }))

async function listAfter(name: string, damage: (folder: string) => void) {
  const folder = path.join(root, name)
  cpSync(whole, folder, { recursive: true, filter: (file) => !file.endsWith('.sock') })
  damage(folder)
  const { code, stdout, stderr } = await runCommand(folder, port, ['category', 'list'])
  return { folder, code, stdout, stderr }
}

const damages: [name: string, damage: (folder: string) => void, says: RegExp][] = [
  ['without PG_VERSION', (folder) => rmSync(`${folder}/database/PG_VERSION`), /PG_VERSION is missing.*move it away/],
  ['without pg_control', (folder) => rmSync(`${folder}/database/global/pg_control`), /can't be opened: .*copy/],
  ['of another version', (folder) => writeFileSync(`${folder}/database/PG_VERSION`, '99\n'), /can't be opened: .*copy/],
  ['without its tables', (folder) => rmSync(`${folder}/database/base`, { recursive: true }), /can't be opened: .*copy/],
  [
    'with half a secret',
    (folder) => writeFileSync(`${folder}/secret.key`, 'abc'),
    /secret\.key doesn't hold.*Remove it/,
  ],
]
test('a file in the place of the folder is named', async () => {
  const file = path.join(root, 'file')
  writeFileSync(file, 'x')
  for (const folder of [file, `${file}/below`]) {
    const { code, stderr } = await runCommand(folder, port, ['category', 'list'])
    assert.equal(code, 1)
    assert.match(stderr, /there is a file in its place. Set DATA_DIR to a folder/)
    assert.doesNotMatch(stderr, /\n\s+at /)
  }
})

test('a folder that the system cannot make is named', { skip: process.platform !== 'linux' }, async () => {
  const loop = path.join(root, 'loop')
  symlinkSync(loop, loop)
  const long = `${root}/${'x'.repeat(300)}`
  const says = /^\S+ can't be (?:used as a folder|read and written).*$/
  for (const folder of ['/proc', '/proc/nowhere', '/proc/nowhere/below', '/sys/nowhere', loop, long]) {
    await assert.rejects(lockFolder(folder), { name: 'Refusal', message: says })
    const config = { ...readConfig({}), secretKeys: [] }
    assert.throws(() => withSecret({ ...config, database: { ...config.database, dataDir: folder } }), {
      name: 'Refusal',
      message: says,
    })
  }
})

test('a folder that this user may not read or write is named', { skip: process.getuid?.() === 0 }, async () => {
  for (const [name, mode] of [
    ['', 0o500],
    ['database', 0o000],
    ['database/global', 0o000],
  ] as const) {
    const folder = path.join(root, `mode-${name.replace('/', '-')}`)
    cpSync(whole, folder, { recursive: true, filter: (file) => !file.endsWith('.sock') })
    chmodSync(path.join(folder, name), mode)
    const { code, stderr } = await runCommand(folder, port, ['category', 'list'])
    chmodSync(path.join(folder, name), 0o700)
    assert.equal(code, 1)
    assert.match(stderr, /^\S+ can't be read and written by this user \(EACCES\)\..*\n$/, name)
  }
})

test('a folder that a newer version has used is refused with one sentence', async () => {
  const folder = path.join(root, 'newer')
  cpSync(whole, folder, { recursive: true, filter: (file) => !file.endsWith('.sock') })
  const { db, close } = await openEmbedded(`${folder}/database`)
  await sql`insert into kysely_migration (name, timestamp) values ('9999_from_the_future', now()::text)`.execute(db)
  await close()
  const { code, stderr } = await runCommand(folder, port, ['category', 'list'])
  assert.equal(code, 1)
  assert.match(stderr, /^A newer version of this program .*9999_from_the_future.*Start that version/)
  assert.doesNotMatch(stderr, /\n\s+at /)
})

test('a table whose file is damaged is a sentence that says what to do', async () => {
  const folder = path.join(root, 'page')
  cpSync(whole, folder, { recursive: true, filter: (file) => !file.endsWith('.sock') })
  const { db, close } = await openEmbedded(`${folder}/database`)
  const { rows } = await sql<{ file: string }>`select pg_relation_filepath('categories') as file`.execute(db)
  await close()
  writeFileSync(`${folder}/database/${rows[0]!.file}`, Buffer.alloc(8192, 7))
  const { code, stderr } = await runCommand(folder, port, ['category', 'list'])
  assert.equal(code, 1)
  assert.match(stderr, /is damaged.*invalid page.*Restore/)
  assert.doesNotMatch(stderr, /\n\s+at /)
})

for (const [name, damage, says] of damages)
  test(`a folder ${name} is refused with one sentence and stays as it is`, async () => {
    const { folder, code, stdout, stderr } = await listAfter(name, damage)
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, says)
    assert.doesNotMatch(stderr, /\n\s+at |\n./, stderr)
    assert.ok(readdirSync(`${folder}/database`).length > 3)
    assert.equal(existsSync(`${folder}/database.beginning`), false)
  })

test(
  'too few files that may be open are named before anything is opened',
  { skip: process.platform === 'win32' },
  () => {
    const words = `ulimit -n 90; exec "$0" "$1" category list`
    const { status, stderr } = spawnSync('sh', ['-c', words, process.execPath, path.join(source, 'cli.ts')], {
      env: { PATH: process.env['PATH'], DATA_DIR: whole, PORT: String(port) },
      encoding: 'utf8',
    })
    assert.equal(status, 1)
    assert.match(stderr, /^The program may not open enough files .*ulimit -n 1024.*\n$/)
  },
)

test('a first start that was interrupted is begun anew', async () => {
  const folder = path.join(root, 'interrupted')
  cpSync(path.join(whole, 'database'), folder, { recursive: true })
  rmSync(path.join(folder, 'global/pg_control'))
  writeFileSync(`${folder}.beginning`, '')
  const database = await openEmbedded(folder)
  await database.db.introspection.getTables()
  await database.close()
  assert.equal(existsSync(`${folder}.beginning`), false)
})

test('a secret that cannot be read is refused with one sentence', { skip: process.getuid?.() === 0 }, async () => {
  const { code, stderr } = await listAfter('locked', (folder) => chmodSync(`${folder}/secret.key`, 0))
  assert.equal(code, 1)
  assert.match(stderr, /can't be read \(EACCES\)\. Remove it/)
})
