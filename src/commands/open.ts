// How a command comes to the database: Postgres directly, the embedded one under its folder's lock. When a running server holds
// the folder, `HeldByServer` tells the command line to hand its words over to that server.

import { setTimeout as pause } from 'node:timers/promises'
import type { Config } from '../base/config.ts'
import type { Relay } from '../base/relay.ts'
import { systemClock } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import { openEmbedded, openPostgres, type Database } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { lockFolder } from '../db/lock.ts'
import { migrate } from '../db/migrate.ts'
import { completeConfig } from '../trial/trial-config.ts'
import { type ControlAddress, isAnswering, readControlFile } from './control.ts'

export interface Running {
  ctx: Context
  database: Database
  /** What sends mail goes through, where that isn't the configuration's: the trial's mailbox. */
  relays?: readonly Relay[]
  /** Names of the migrations that were applied when it was opened. */
  migrated: readonly string[]
}

export class HeldByServer extends Error {
  override name = 'HeldByServer'
  readonly control: ControlAddress
  constructor(control: ControlAddress) {
    super('A running server holds the data folder.')
    this.control = control
  }
}

export interface Opened extends Running {
  close(): Promise<void>
}

/** For a command: a few connections, and a log that doesn't get between the lines of its output. */
export function openForCommand(config: Config): Promise<Opened> {
  return open(config, Math.min(config.database.pool, 4), config.logLevel === 'info' ? 'warn' : config.logLevel)
}

/** For a server. Throws HeldByServer when one runs on this folder already. */
export function openForServer(config: Config): Promise<Opened> {
  return open(config, config.database.pool, config.logLevel)
}

async function open(config: Config, connections: number, logLevel: string): Promise<Opened> {
  const release = config.database.url ? null : await holdFolder(config.database.dataDir)
  const complete = completeConfig(config)
  const database = config.database.url
    ? openPostgres(config.database.url, connections)
    : await openEmbedded(`${config.database.dataDir}/database`)
  const close = async () => {
    await database.close()
    await release?.()
  }
  try {
    const migrated = await migrate(database.db)
    const ctx = { db: database.db, clock: systemClock, config: complete, log: createLog(logLevel) }
    return { ctx, database, migrated, close }
  } catch (cause) {
    await close()
    throw cause
  }
}

/** Waits some seconds for a holder that is starting, or stopping. */
export async function holdFolder(folder: string): Promise<() => Promise<void>> {
  for (let tries = 0; ; tries++) {
    const release = await lockFolder(folder)
    if (release) return release
    const control = readControlFile(folder)
    if (control && (await isAnswering(control))) throw new HeldByServer(control)
    if (tries === 16)
      throw new Refusal(
        'unavailable',
        `Another process holds ${folder} and doesn’t answer. Try again if it is still starting. Two processes can’t share an embedded database.`,
      )
    await pause(500)
  }
}
