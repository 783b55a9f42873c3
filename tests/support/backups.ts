// Files of backups, and empty places to restore them into.

import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { type Database, openEmbedded, openPostgres } from '../../src/db/connect.ts'
import { emptyPostgres } from './postgres-databases.ts'
import type { House } from './house.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-backup-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0
export const newFile = (name = 'backup.jsonl') => path.join(folder, `${++files}-${name}`)

export interface Target {
  kind: string
  /** What `restore` is given. */
  house: Pick<House, 'ctx' | 'database'>
  open(): Promise<Database>
  end(): Promise<void>
}

/** An empty place for an installation. */
export async function newTarget(house: House, kind: 'embedded' | 'postgres'): Promise<Target> {
  const dataDir = path.join(folder, `data-${++files}`)
  const { config } = house.ctx
  const withDatabase = (url: string | null) => ({
    database: house.database,
    ctx: { ...house.ctx, config: { ...config, database: { ...config.database, url, dataDir } } },
  })
  if (kind === 'embedded')
    return {
      kind,
      house: withDatabase(null),
      open: () => openEmbedded(`${dataDir}/database`),
      end: async () => {},
    }
  const { url, drop } = await emptyPostgres()
  return { kind, house: withDatabase(url), open: async () => openPostgres(url, 2), end: drop }
}
