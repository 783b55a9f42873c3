// What the program says when it can't listen where it was told to.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { freePort, startProgram } from '../support/program.ts'

test('an address that isn’t this machine’s and a port that is taken are each one sentence', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'listen-'))
  const other = createServer().listen(0, '127.0.0.1')
  try {
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const free = await freePort()
    for (const [on, env, says] of [
      [free, { HOST: 'nowhere.invalid' }, /HOST: nowhere\.invalid is not an address of this machine/],
      [free, { HOST: '203.0.113.9' }, /HOST: 203\.0\.113\.9 is not an address of this machine/],
      [port, {}, new RegExp(`Port ${port} is in use by another program`)],
    ] as const)
      await assert.rejects(startProgram(folder, on, env), ({ message }: Error) => {
        assert.match(message, says)
        assert.doesNotMatch(message, /\n\s+at |database/)
        return true
      })
  } finally {
    other.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
