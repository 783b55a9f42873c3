// The lock on DATA_DIR: PGlite lets two processes open one folder and silently loses rows. The lock is a folder whose time is
// refreshed (proper-lockfile); after a kill -9 it is stale within seconds and the next start takes it.

import { mkdirSync } from 'node:fs'
import lockfile from 'proper-lockfile'

/** Resolves to the release function, or null when another process holds the folder. `onLost`: the lock was taken away, as after
 * a long suspension: stop writing at once. */
export async function lockFolder(
  folder: string,
  onLost: (cause: Error) => void,
): Promise<(() => Promise<void>) | null> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    return await lockfile.lock(folder, {
      stale: 5000,
      update: 1000,
      retries: 0,
      realpath: true,
      lockfilePath: `${folder}/.lock`,
      onCompromised: onLost,
    })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ELOCKED') return null
    throw cause
  }
}
