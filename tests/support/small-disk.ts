// A disk that can be filled: a tmpfs of 220 MB, which only root can mount.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Its folder; null where none can be mounted. */
export function mountSmallDisk(): string | null {
  if (process.getuid?.() !== 0) return null
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'broadsheet-small-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=220m', 'tmpfs', folder], { stdio: 'ignore' })
    return folder
  } catch {
    fs.rmdirSync(folder)
    return null
  }
}

export function unmountSmallDisk(folder: string): void {
  execFileSync('umount', [folder])
  fs.rmdirSync(folder)
}

/** Writes `file` until nothing more fits. */
export function fillDisk(file: string): void {
  const handle = fs.openSync(file, 'w')
  try {
    for (const size of [1 << 20, 4096]) {
      const block = Buffer.alloc(size)
      try {
        for (;;) fs.writeSync(handle, block)
      } catch {
        // Full: now with smaller pieces.
      }
    }
  } finally {
    fs.closeSync(handle)
  }
}
