// Receives mail to BOUNCE_DOMAIN by SMTP or LMTP, on one port. Only addresses with our MAC are accepted, so nobody can fill the
// database with other mail. A mail is accepted once it is committed. Of several workers, the first that can bind the port listens,
// and another takes over when it ends.

import { setTimeout as pause } from 'node:timers/promises'
import { SMTPServer, type SMTPServerAddress, type SMTPServerSession } from 'smtp-server'
import type { Context } from '../db/context.ts'
import { readOurAddress } from './our-addresses.ts'
import { storeInbound } from './store.ts'

const mostBytes = 10 * 1024 * 1024
const mostConnections = 50
const idleMs = 60_000
/** The time to finish current sessions at the end. */
const closeMs = 3000
const bindEveryMs = 5000

export interface Listener {
  /** null while another process listens. */
  readonly port: number | null
  /** Accepts no more connections, and finishes current sessions. */
  close(): Promise<void>
}

/** Resolves after the first attempt to bind. */
export async function startListener(ctx: Context, at: { host: string; port: number }): Promise<Listener> {
  const ended = new AbortController()
  let server: SMTPServer | null = null
  const first = Promise.withResolvers<void>()
  const binding = (async () => {
    let isTold = false
    while (!server && !ended.signal.aborted) {
      const attempt = openServer(ctx)
      try {
        await bind(attempt, at)
        server = attempt
        ctx.log.info({ host: at.host, port: portOf(attempt) }, 'listening for returned mail')
      } catch (error) {
        if (!isTold)
          ctx.log[codeOf(error) === 'EADDRINUSE' ? 'info' : 'error']({ ...at, code: codeOf(error) }, cannotBind)
        isTold = true
      }
      first.resolve()
      if (!server) await pause(bindEveryMs, undefined, { signal: ended.signal, ref: false }).catch(() => {})
    }
  })()
  await first.promise
  return {
    get port() {
      return server && portOf(server)
    },
    async close() {
      ended.abort()
      await binding
      const bound = server
      if (bound) await new Promise<void>((resolve) => bound.close(() => resolve()))
    },
  }
}

const cannotBind = 'can’t listen for returned mail yet: another process does, or the address isn’t ours; trying again'

function openServer(ctx: Context): SMTPServer {
  const server = new SMTPServer({
    name: ctx.config.mail.bounceDomain!,
    banner: 'Broadsheet',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: mostBytes,
    maxClients: mostConnections,
    socketTimeout: idleMs,
    closeTimeout: closeMs,
    onConnect(session, done) {
      speakLmtp(server, session)
      done()
    },
    onRcptTo(address, session, done) {
      done(refusalOf(ctx, address, session))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => {
        if (!stream.sizeExceeded) chunks.push(chunk)
      })
      stream.once('error', done)
      stream.once('end', () => {
        if (stream.sizeExceeded) return done(reply(552, 'it is larger than 10 MB'))
        void take(ctx, session, Buffer.concat(chunks)).then(done)
      })
    },
  })
  server.on('error', (error) =>
    ctx.log.debug({ code: codeOf(error) }, 'a connection that hands over returned mail failed'),
  )
  return server
}

/** The server library speaks one protocol at a time; the first command shows which one is meant. */
function speakLmtp(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections as Iterable<Record<string, unknown>>)
    if (connection.id === session.id) connection.handler_LHLO = connection.handler_EHLO
}

const isLmtp = (session: SMTPServerSession) => session.openingCommand === 'LHLO'

function refusalOf(ctx: Context, { address }: SMTPServerAddress, session: SMTPServerSession): Error | null {
  if (!readOurAddress(ctx.config, address)) return reply(550, '5.1.1 no such address here')
  // LMTP needs an answer per recipient; a report has one recipient.
  return isLmtp(session) && session.envelope.rcptTo.length > 0 ? reply(452, '4.5.3 one recipient at a time') : null
}

/** null: the mail is committed, for each recipient. */
async function take(ctx: Context, session: SMTPServerSession, raw: Buffer): Promise<Error | null> {
  try {
    for (const { address } of session.envelope.rcptTo)
      await storeInbound(ctx.db, { source: 'listener', envelopeTo: address, raw, receivedAt: ctx.clock.now() })
    return null
  } catch (error) {
    ctx.log.error({ code: codeOf(error) }, 'a returned mail could not be stored; its sender tries again')
    return reply(451, '4.3.0 it could not be stored; try again later')
  }
}

const reply = (responseCode: number, text: string): Error => Object.assign(new Error(text), { responseCode })
const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code

function bind(server: SMTPServer, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
}

function portOf(server: SMTPServer): number | null {
  const address = server.server.address()
  return typeof address === 'object' ? (address?.port ?? null) : null
}
