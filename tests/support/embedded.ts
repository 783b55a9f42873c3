// An embedded database with the schema in it, from a dump that the first test file makes: loading it takes half as long as migrating.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { openEmbedded, type Database } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'

/** In memory, without rows. The caller closes it. */
export async function openMigrated(): Promise<Database> {
  const dump = path.join(os.tmpdir(), `broadsheet-tests-${migrationsHash()}.tar`)
  if (!fs.existsSync(dump)) {
    const made = await openEmbedded('memory://')
    await migrate(made.db)
    const blob = await made.pglite!.dumpDataDir('none')
    const part = `${dump}.${process.pid}`
    fs.writeFileSync(part, Buffer.from(await blob.arrayBuffer()))
    fs.renameSync(part, dump)
    await made.close()
  }
  return openEmbedded('memory://', { from: new Blob([fs.readFileSync(dump)]) })
}

function migrationsHash(): string {
  const folder = path.join(import.meta.dirname, '../../migrations')
  const hash = createHash('sha256')
  for (const name of fs.readdirSync(folder).sort()) hash.update(name).update(fs.readFileSync(path.join(folder, name)))
  return hash.digest('hex').slice(0, 16)
}
