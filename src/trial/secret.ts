// The trial's own secret: created at the first start and stored in DATA_DIR/secret.key, readable only by its owner, so that links
// in older mails work after a restart. Outside the trial SECRET_KEY is required and this file isn't used.

import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '../base/config.ts'
import { Refusal } from '../base/errors.ts'
import { cannotUse, makeFolder } from '../db/embedded-folder.ts'

/** The configuration with secret keys: those given, or DATA_DIR's. Safe to repeat, and from several processes at once. */
export function withSecret(config: Config): Config {
  if (config.secretKeys.length) return config
  makeFolder(config.database.dataDir)
  const file = path.join(config.database.dataDir, 'secret.key')
  const known = readSecret(file)
  if (known) return { ...config, secretKeys: [known] }
  try {
    writeSecret(file)
  } catch (cause) {
    throw cannotUse(config.database.dataDir, cause)
  }
  return { ...config, secretKeys: [readSecret(file)!] }
}

/** Written completely under another name and then linked: the second process finds the first one's secret, never half of it. */
function writeSecret(file: string): void {
  const draft = `${file}.${process.pid}`
  try {
    writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
    linkSync(draft, file)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
  } finally {
    rmSync(draft, { force: true })
  }
}

function readSecret(file: string): string | null {
  try {
    const text = readFileSync(file, 'utf8').trim()
    if (/^[0-9a-f]{64}$/.test(text)) return text
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw damaged(`${file} can't be read (${(cause as NodeJS.ErrnoException).code}).`)
  }
  throw damaged(`${file} doesn't hold 64 hexadecimal digits.`)
}

function damaged(what: string): Refusal {
  return new Refusal('unavailable', `${what} Remove it to get a new one; links in old mails then expire.`)
}
