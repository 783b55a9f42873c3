// `backup`, `restore` and `export --everything`: a whole installation to a file or standard output, and back into an empty
// database.

import { Refusal } from '../../base/errors.ts'
import { systemClock } from '../../base/clock.ts'
import type { Config } from '../../base/config.ts'
import { audit } from '../../access/audit.ts'
import { migrate } from '../../db/migrate.ts'
import { holdSending } from '../../delivery/sending-hold.ts'
import { holdView } from '../../desk/sending-words.ts'
import { linesOfPart, readFile, writeFile } from '../../installation/file.ts'
import { raiseFar } from '../../installation/identity.ts'
import { loadInstallation } from '../../installation/load.ts'
import { type Head, type Part, readInstallation } from '../../installation/stream.ts'
import { bringTo, refuseBusy, refuseLater } from '../../installation/target.ts'
import { HeldByServer, openForFilling } from '../open.ts'
import { resolvePath, type Session } from '../session.ts'
import { rowProgress, type RowProgress } from './progress.ts'

/** The same parts, with progress. */
async function* watched(parts: AsyncIterable<Part>, bar: RowProgress): AsyncGenerator<Part> {
  let head: Head | null = null
  let done = 0
  for await (const part of parts) {
    if ('head' in part) head = part.head
    if ('lines' in part) bar.rows((done += part.lines.length), head!.rows, part.table)
    yield part
  }
}

export async function backup(
  session: Session,
  name: string,
  options: { withSecret?: boolean; json?: boolean },
): Promise<number> {
  const { out, signal } = session
  const file = resolvePath(session, name)
  const { ctx, database } = await session.open()
  const secret = options.withSecret ? ctx.config.secretKeys : null
  const bar = rowProgress(out)
  const read = { secret, signal, onCount: bar.counting }
  const bytes = await readInstallation(database, read, (parts) => writeFile(file, watched(parts, bar)))
  const perSecond = bar.end()
  if (options.json) out.print(JSON.stringify({ event: 'written', file, bytes, secret: secret !== null, perSecond }))
  else {
    out.print(
      `Written: ${file}, ${bytes.toLocaleString('en')} bytes. It holds every address; only its owner can read it.`,
    )
    out.print(
      secret
        ? 'The secret is inside: whoever has the file can make working links.'
        : 'The secret is not inside: keep SECRET_KEY (in the trial DATA_DIR/secret.key) elsewhere, or no link in old mails works.',
    )
  }
  return 0
}

export async function exportEverything(session: Session, options: { anonymous?: boolean }): Promise<number> {
  const { out, signal } = session
  const { database } = await session.open()
  await readInstallation(database, { isAnonymous: options.anonymous ?? false, signal }, async (parts) => {
    for await (const part of parts) {
      out.print(linesOfPart(part).slice(0, -1))
      await out.flush?.()
    }
  })
  return 0
}

export async function restore(
  session: Session,
  name: string,
  options: { yes?: boolean; json?: boolean },
): Promise<number> {
  const { out, signal } = session
  const { head, parts } = await readFile(resolvePath(session, name))
  await refuseLater(head)
  const config = session.config()
  const opened = await openForFilling(config.database.url ?? config.database.dataDir).catch((error: unknown) => {
    throw error instanceof HeldByServer ? stopFirst(error) : error
  })
  const { database } = opened
  const { db } = database
  try {
    await refuseBusy(database)
    await bringTo(db, head.migrations)
    const now = systemClock.now()
    const hold = {
      since: now.toISOString(),
      why: `This installation was restored from a backup of ${head.at}.`,
      knownUntil: head.at,
    }
    const bar = rowProgress(out)
    await loadInstallation(db, head, parts, {
      isFarBeyond: true,
      signal,
      onProgress: (done, { rows }, table) => bar.rows(done, rows, table),
      async finish(trx) {
        await holdSending(trx, hold)
        await raiseFar(trx)
        await audit(trx, {
          at: now,
          actor: 'cli',
          action: 'installation.restored',
          subject: 'installation',
          detail: { from: head.at },
        })
      },
    })
    const perSecond = bar.end()
    const migrated = await migrate(db)
    const secretLine = head.secret ? `SECRET_KEY=${head.secret.join(',')}` : null
    if (options.json)
      out.print(
        JSON.stringify({
          event: 'restored',
          at: head.at,
          rows: head.rows,
          perSecond,
          migrated,
          held: holdView(hold),
          env: secretLine ? [secretLine] : [],
        }),
      )
    else {
      out.print(`Restored: ${head.rows.toLocaleString('en')} rows of ${head.at}.`)
      out.print(`${holdView(hold).text!} Then: sending release --skip-due, or sending release.`)
      sayWhichSecret(session, config, head, secretLine)
    }
    return 0
  } finally {
    await opened.close()
  }
}

function sayWhichSecret({ out }: Session, { secretKeys }: Config, head: Head, line: string | null): void {
  if (head.isAnonymous) out.print('It is an anonymous copy: its people don’t exist.')
  if (!line) out.print('The secret was not inside: links in old mails work only where SECRET_KEY is the old one.')
  else if (!head.secret!.every((key) => secretKeys.includes(key)))
    out.print(`The secret was inside. Put it into .env:\n${line}`)
}

function stopFirst({ control }: HeldByServer): Refusal {
  return new Refusal('conflict', `A server works on the target (process ${control.pid}). Stop it first.`)
}
