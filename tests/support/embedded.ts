// An embedded database with the schema in it, from a dump that the first test file makes: loading it takes half as long as migrating.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createLog } from '../../src/base/log.ts'
import { openEmbedded, type Database } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openQueue } from '../../src/db/queue.ts'

/** In memory, without rows. The caller closes it. */
export async function openMigrated(): Promise<Database> {
  const dump = path.join(os.tmpdir(), `broadsheet-tests-${migrationsHash()}.tar`)
  if (!fs.existsSync(dump)) {
    const made = await openEmbedded('memory://')
    await migrate(made.db)
    await (await openQueue(made, null, createLog('silent'))).stop(1000)
    const blob = await made.pglite!.dumpDataDir('none')
    const part = `${dump}.${process.pid}`
    fs.writeFileSync(part, Buffer.from(await blob.arrayBuffer()))
    fs.renameSync(part, dump)
    await made.close()
  }
  return openEmbedded('memory://', { from: new Blob([fs.readFileSync(dump)]) })
}

function migrationsHash(): string {
  const root = path.join(import.meta.dirname, '../..')
  const folder = path.join(root, 'migrations')
  // The lockfile says the version of the queue, which makes its own tables.
  const hash = createHash('sha256').update(fs.readFileSync(path.join(root, 'package-lock.json')))
  for (const name of fs.readdirSync(folder).sort()) hash.update(name).update(fs.readFileSync(path.join(folder, name)))
  return hash.digest('hex').slice(0, 16)
}
