// `move --to postgres://…`: moves the embedded installation to Postgres, in one command that may be repeated until it succeeds.
// `move --to DIR`, and every other direction: a copy, which sends nothing before `sending release`.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../base/clock.ts'
import { Refusal } from '../../base/errors.ts'
import type { Database } from '../../db/connect.ts'
import {
  arrivedAt,
  copyInstallation,
  type CopyOptions,
  hasArrived,
  refuseTarget,
  usedSince,
} from '../../installation/move.ts'
import { findMovedMark, markMoved, movedRefusal } from '../../installation/moved-mark.ts'
import { refuseBusy } from '../../installation/target.ts'
import { HeldByServer, isPostgresUrl, openForCommand, openForFilling, type Opened } from '../open.ts'
import { resolvePath, type Session } from '../session.ts'
import { rowProgress } from './progress.ts'

export interface MoveArgs {
  to: string
  anonymous?: boolean
  evenThoughMoved?: boolean
  json?: boolean
}

export async function move(session: Session, args: MoveArgs): Promise<number> {
  const isMove = !session.config().database.url && isPostgresUrl(args.to) && !args.anonymous
  if (!isMove) return copy(session, args)
  const { database: own } = session.config()
  const to = placeOf(args.to)
  const target = await openForFilling(args.to)
  try {
    const mark = findMovedMark(own.dataDir)
    if (mark && !args.evenThoughMoved) {
      if ((await arrivedAt(target.database.db))?.installation !== mark.installation)
        throw movedRefusal(own.dataDir, mark)
      return report(session, args, { to, rows: 0, perSecond: 0 })
    }
    await refuseBusy(target.database)
    await refuseTarget(target.database.db)
    const source = await takeOver(session)
    try {
      const found = await hasArrived(source.database.db, target.database.db)
      if (found === 'used') throw usedSince(to)
      const done =
        found === 'unused'
          ? { rows: 0, perSecond: 0 }
          : await run(session, source.database, target.database, { isMove })
      const { installation } = (await arrivedAt(target.database.db))!
      markMoved(own.dataDir, { to, at: systemClock.now().toISOString(), installation })
      return report(session, args, { to, ...done })
    } finally {
      await source.close()
    }
  } finally {
    await target.close()
  }
}

async function copy(session: Session, args: MoveArgs): Promise<number> {
  const isAnonymous = args.anonymous ?? false
  const { out } = session
  const to = isPostgresUrl(args.to) ? args.to : resolvePath(session, args.to)
  if (!isPostgresUrl(args.to)) refuseFolder(session, to)
  const { database } = await session.open()
  const target = await openForFilling(to)
  try {
    await refuseBusy(target.database)
    const { rows, perSecond } = await run(session, database, target.database, { isMove: false, isAnonymous })
    const place = placeOf(to)
    if (args.json) out.print(JSON.stringify({ event: 'copied', to: place, rows, perSecond, isAnonymous }))
    else {
      out.print(
        `Copied ${rows.toLocaleString('en')} rows to ${place}, ${perSecond.toLocaleString('en')} a second; ${isAnonymous ? 'counts agree' : 'counts and checksums agree'}.`,
      )
      out.print(
        `${isAnonymous ? 'People, keys and what they wrote are replaced. ' : ''}The source is as it was. In the copy sending is held until sending release.`,
      )
    }
    return 0
  } finally {
    await target.close()
  }
}

function refuseFolder(session: Session, folder: string): void {
  const { url, dataDir } = session.config().database
  if (url === null && path.resolve(dataDir) === folder)
    throw new Refusal('invalid', `${folder} is where this installation is. Name another folder, or postgres://…`)
  const mark = findMovedMark(folder)
  if (mark)
    throw new Refusal(
      'conflict',
      `${folder} still holds the database that was moved to ${mark.to} on ${mark.at}. Name a new folder.`,
    )
}

async function run(
  session: Session,
  source: Database,
  target: Database,
  how: Pick<CopyOptions, 'isMove' | 'isAnonymous'>,
): Promise<{ rows: number; perSecond: number }> {
  const bar = rowProgress(session.out)
  const rows = await copyInstallation(source, target, {
    ...how,
    now: systemClock.now(),
    signal: session.signal,
    onCount: bar.counting,
    onProgress: (done, head, table) => bar.rows(done, head.rows, table),
  })
  return { rows, perSecond: bar.end() }
}

/** The embedded database for this process alone. A server that holds it is asked to end, and first settles what is on the wire. */
async function takeOver(session: Session): Promise<Opened> {
  const config = session.config()
  let asked = 0
  for (;;) {
    session.signal.throwIfAborted()
    try {
      return await openForCommand(config, { evenThoughMoved: true, patienceSeconds: 40 })
    } catch (error) {
      if (!(error instanceof HeldByServer)) throw error
      const { pid } = error.control
      if (asked !== pid) {
        asked = pid
        session.out.error(
          `The server on ${config.database.dataDir} (process ${pid}) is asked to end. It settles what is on the wire first.`,
        )
        process.kill(pid, 'SIGTERM')
      }
      await pause(100, undefined, { signal: session.signal })
    }
  }
}

function report(
  session: Session,
  args: MoveArgs,
  { to, rows, perSecond }: { to: string; rows: number; perSecond: number },
): number {
  const { out } = session
  const secrets = secretsOf(session).join(',')
  const env = [`DATABASE_URL=${args.to}`, ...(secrets ? [`SECRET_KEY=${secrets}`] : [])]
  if (args.json) out.print(JSON.stringify({ event: 'moved', to, rows, perSecond, env }))
  else {
    const { dataDir } = session.config().database
    out.print(
      rows
        ? `Moved ${rows.toLocaleString('en')} rows to ${to}, ${perSecond.toLocaleString('en')} a second; counts and checksums agree.`
        : `Everything is at ${to} already.`,
    )
    out.print(`${dataDir} stays as it was, and is marked. These lines belong into .env:\n\n${env.join('\n')}\n`)
  }
  return 0
}

/** The current keys, and the trial's key: links in mails that were sent continue to work. */
function secretsOf(session: Session): string[] {
  const { secretKeys, database } = session.config()
  let ofFolder: string[] = []
  try {
    ofFolder = [readFileSync(path.join(database.dataDir, 'secret.key'), 'utf8').trim()]
  } catch {
    // The trial was never started here.
  }
  return [...new Set([...secretKeys, ...ofFolder])]
}

/** Without user and password. */
function placeOf(target: string): string {
  if (!isPostgresUrl(target)) return target
  const url = new URL(target)
  return `postgres://${url.host}${url.pathname}`
}
