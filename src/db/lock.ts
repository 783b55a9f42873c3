// The lock on DATA_DIR: PGlite lets two processes open one folder and silently loses rows. The lock is a local socket that its
// holder listens on. The kernel accepts connections for a busy process (creating a database blocks it for seconds) and closes the
// socket of a dead one. So a living holder never counts as dead, and a kill -9 frees the folder at once. A lock file that must be
// refreshed in time can do neither.

import { createHash } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import lockfile from 'proper-lockfile'
import { cannotUse, makeFolder } from './embedded-folder.ts'

/** Resolves to the release function, or null when another process holds the folder or is about to. */
export async function lockFolder(folder: string): Promise<(() => Promise<void>) | null> {
  makeFolder(folder)
  const address = socketOf(realpathSync(folder))
  if (await isAlive(address)) return null
  // Held only while a dead holder's socket is replaced, which takes milliseconds: two processes that start at once must not both
  // do it.
  const mutex = `${folder}/.lock`
  let release: () => Promise<void>
  try {
    release = await lockfile.lock(folder, { stale: 5000, retries: 0, lockfilePath: mutex, onCompromised: () => {} })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ELOCKED') return null
    throw cannotUse(folder, cause)
  }
  try {
    if (await isAlive(address)) return null
    if (process.platform !== 'win32') rmSync(address, { force: true })
    const server = net.createServer((socket) => socket.destroy())
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(address, resolve)
    })
    server.unref()
    return () => new Promise((resolve) => server.close(() => resolve()))
  } catch (cause) {
    throw cannotUse(folder, cause)
  } finally {
    await release().catch(() => {})
  }
}

/**
 * In the folder if the path is short enough (socket paths end at about 104 bytes). Otherwise in the temporary folder, named by the
 * folder's hash.
 */
function socketOf(folder: string): string {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\broadsheet-${hash}`
  const inside = path.join(folder, 'lock.sock')
  return Buffer.byteLength(inside) <= 100 ? inside : path.join(os.tmpdir(), `broadsheet-${hash}.sock`)
}

function isAlive(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // EAGAIN: its backlog is full, so a process listens.
    socket.once('error', (cause: NodeJS.ErrnoException) => resolve(cause.code === 'EAGAIN'))
  })
}
