// How a command opens the database: Postgres directly, the embedded one with its folder's lock. If a running server holds the
// folder, `HeldByServer` tells the command line to send its arguments to that server.

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
import { findMovedMark, movedRefusal } from '../installation/moved-mark.ts'
import { noticeRestore } from '../installation/marker.ts'
import { completeConfig } from '../trial/trial-config.ts'
import { type ControlAddress, isAnswering, readControlFile } from './control.ts'

export interface Running {
  ctx: Context
  database: Database
  /** Relays for sending, if they aren't the configured ones: the trial's mailbox. */
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

export interface OpenOptions {
  /** Allow a folder whose data was moved elsewhere. */
  evenThoughMoved?: boolean
  /** How long to wait for a holder that is starting or stopping. */
  patienceSeconds?: number
}

/** For a command: few connections, and a log that doesn't mix with its output. */
export function openForCommand(config: Config, options: OpenOptions = {}): Promise<Opened> {
  const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel
  return open(config, Math.min(config.database.pool, 4), logLevel, options)
}

/** For a server. Throws HeldByServer if one already runs on this folder. */
export function openForServer(config: Config, options: OpenOptions = {}): Promise<Opened> {
  return open(config, config.database.pool, config.logLevel, options)
}

/**
 * A database that should be empty: nothing is created or recorded in it. A Postgres by its URL, otherwise the folder of the
 * embedded one. Throws HeldByServer if a server runs on the folder.
 */
export async function openForFilling(url: string): Promise<{ database: Database; close(): Promise<void> }> {
  const isUrl = isPostgresUrl(url)
  const release = isUrl ? null : await holdFolder(url)
  const close = async () => {
    await database?.close()
    await release?.()
  }
  let database: Database | null = null
  try {
    database = isUrl
      ? openPostgres(url, 2, { idleTransactionMs: 0, name: 'broadsheet installation' })
      : await openEmbedded(`${url}/database`)
    return { database, close }
  } catch (cause) {
    await close()
    throw cause
  }
}

export const isPostgresUrl = (text: string): boolean => /^postgres(ql)?:\/\//i.test(text)

async function open(config: Config, connections: number, logLevel: string, options: OpenOptions): Promise<Opened> {
  const { dataDir } = config.database
  const release = config.database.url ? null : await holdFolder(dataDir, options.patienceSeconds)
  const mark = config.database.url ? null : findMovedMark(dataDir)
  if (mark && !options.evenThoughMoved) {
    await release?.()
    throw movedRefusal(dataDir, mark)
  }
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
    const log = createLog(logLevel)
    const why = await noticeRestore(database, config.database.dataDir, systemClock.now())
    if (why) log.warn(`${why} No mail is sent until sending is released.`)
    const ctx = { db: database.db, clock: systemClock, config: complete, log }
    return { ctx, database, migrated, close }
  } catch (cause) {
    await close()
    throw cause
  }
}

/** Waits some seconds for a holder that is starting or stopping. */
export async function holdFolder(folder: string, patienceSeconds = 8): Promise<() => Promise<void>> {
  for (let tries = 0; ; tries++) {
    const release = await lockFolder(folder)
    if (release) return release
    const control = readControlFile(folder)
    if (control && (await isAnswering(control))) throw new HeldByServer(control)
    if (tries === 2 * patienceSeconds)
      throw new Refusal(
        'unavailable',
        `Another process holds ${folder} and doesn’t answer. Try again if it is still starting. Two processes can’t share an embedded database.`,
      )
    await pause(500)
  }
}
