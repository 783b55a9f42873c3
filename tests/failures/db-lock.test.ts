import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { lockFolder } from '../../src/db/lock.ts'

const lockModule = path.join(import.meta.dirname, '../../src/db/lock.ts')

/** A process that holds the folder and then blocks its event loop for good. */
async function holder(folder: string) {
  const script = `import { lockFolder } from ${JSON.stringify(lockModule)}
    const release = await lockFolder(${JSON.stringify(folder)})
    process.stdout.write(release ? 'held' : 'refused', () => { if (release) for (;;); })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, said: said.toString() }
}

test('a folder is held by one process, also while that one is too busy to answer, and is free once it was killed', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'broadsheet-lock-'))
  const { child, said } = await holder(folder)
  assert.equal(said, 'held')
  assert.equal(await lockFolder(folder), null)
  assert.equal((await holder(folder)).said, 'refused')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const release = await lockFolder(folder)
  assert.ok(release)
  assert.equal(await lockFolder(folder), null)
  await release()
  fs.rmSync(folder, { recursive: true })
})

test('of ten that start at once one gets the folder, also when a dead holder left its socket', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'broadsheet-lock-'))
  const dead = await holder(folder)
  dead.child.kill('SIGKILL')
  await once(dead.child, 'exit')
  const locks = await Promise.all(Array.from({ length: 10 }, () => lockFolder(folder)))
  const held = locks.filter((release) => release !== null)
  assert.equal(held.length, 1)
  await held[0]!()
  fs.rmSync(folder, { recursive: true })
})

test('a folder whose path is too long for a socket is locked all the same', async () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'broadsheet-lock-'))
  const folder = path.join(root, 'a'.repeat(60), 'b'.repeat(60))
  const release = await lockFolder(folder)
  assert.ok(release)
  assert.equal(await lockFolder(folder), null)
  await release()
  fs.rmSync(root, { recursive: true })
})
