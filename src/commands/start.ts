// `start`: opens the database, starts the role's parts, prints the address, and runs until it is stopped. Then it finishes running
// work and releases the folder.

import { once } from 'node:events'
import { createEditor, listEditors } from '../access/editors.ts'
import { addPrintedLink, signInUrl } from '../access/sign-in.ts'
import { type Role, startApp } from '../app.ts'
import { Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import { HeldByServer, openForServer, type Opened, type OpenOptions } from './open.ts'
import { serveCommands } from './serve-commands.ts'
import type { Session } from './session.ts'
import { addressOf } from '../base/addresses.ts'

export async function start(session: Session, role: Role, options: OpenOptions = {}): Promise<number> {
  if (session.isInServer) throw new Refusal('conflict', 'This server is already running.')
  const config = session.config()
  const { dataDir } = config.database
  const opened = await openForServer(config, options).catch((error: unknown) => {
    if (error instanceof HeldByServer)
      throw new Refusal(
        'conflict',
        `A Broadsheet server already uses ${dataDir} (process ${error.control.pid}). Stop it first, or set another DATA_DIR for this one.`,
      )
    throw error
  })
  try {
    const app = await startApp(opened, role).catch((error: unknown) => {
      throw cannotListen(error as ListenError, config.web.host) ?? error
    })
    // Only the embedded database can't be opened by other processes.
    const control = config.database.url ? null : await serveCommands(dataDir, opened, session.runWords)
    try {
      await sayWhereToLook(session, opened, role)
      if (!session.signal.aborted) await once(session.signal, 'abort')
    } finally {
      const patience = setTimeout(() => session.out.error('Finishing the mails and requests under way …'), 1000)
      await control?.close()
      await app.stop()
      clearTimeout(patience)
    }
  } finally {
    await opened.close()
  }
  return 0
}

interface ListenError extends NodeJS.ErrnoException {
  port?: number
  hostname?: string
}

/** null: the error is about something else. */
function cannotListen({ code, syscall, port, hostname }: ListenError, host: string): Refusal | null {
  if (code === 'EADDRINUSE')
    return new Refusal(
      'unavailable',
      `Port ${port} is in use by another program. Choose another: PORT=${Number(port) + 1} npm start`,
    )
  if (syscall === 'listen' && code === 'EACCES')
    return new Refusal('unavailable', `This user may not listen on port ${port}. Choose one from 1024 on: PORT=3000.`)
  if (syscall === 'listen' || hostname === host)
    return new Refusal('unavailable', `HOST: ${host} is not an address of this machine (${code}).`)
  return null
}

async function sayWhereToLook({ out }: Session, opened: Opened, role: Role): Promise<void> {
  const { ctx, database } = opened
  const { config, log } = ctx
  if (!config.trial) {
    log.info(
      { role, address: role === 'worker' ? undefined : config.web.publicUrl, database: database.kind },
      'started',
    )
    if (role !== 'worker' && (await listEditors(ctx.db)).length === 0)
      log.warn('the console has no editor yet: npm run -s cli -- admin create EMAIL')
    if (database.kind === 'embedded')
      log.warn('the embedded database survives a crash, not a power cut: DATABASE_URL is safer')
    return
  }
  if (role === 'worker') return out.print('The worker is running. Ctrl-C stops it.')
  out.print(`
  ${config.site.name}: the newsletter is running.

  The form     ${addressOf(config, '/')}
  The mailbox  ${addressOf(config, '/mailbox')}
  The console  ${await firstEditorsLink(ctx)}
               (signs in once; a new link: npm run -s cli -- admin create EMAIL)

  ${
    database.kind === 'embedded'
      ? `All data is in ${config.database.dataDir}. The embedded database survives a crash, but not a power cut.`
      : `All data is in Postgres.`
  }
  Ctrl-C stops.
`)
}

/** There is no default password: anyone who sees this terminal may sign in, once. */
async function firstEditorsLink(ctx: Context): Promise<string> {
  const known = (await listEditors(ctx.db)).filter((editor) => editor.disabledAt === null)
  const first = known.toSorted((a, b) => a.id - b.id)[0]
  const editor = first ?? (await createEditor(ctx, { email: 'editor@gazette.example', actor: 'cli' })).editor
  return signInUrl(ctx.config, await addPrintedLink(ctx, editor))
}
