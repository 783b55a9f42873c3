// The trial's SMTP server: real SMTP on its own loopback port, so that the mailer works as outside the trial. Mails go into the
// mailbox and nowhere else.

import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { Relay } from '../base/relay.ts'
import type { Log } from '../base/log.ts'
import type { Mailbox } from './mailbox.ts'

export interface MailboxServer {
  /** The mailer's only relay. */
  relay: Relay
  close(): Promise<void>
}

export async function startMailboxServer(mailbox: Mailbox, log: Log): Promise<MailboxServer> {
  const server = new SMTPServer({
    name: 'mailbox.localhost',
    banner: 'Broadsheet development mailbox',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    // The mailer closes its own connections. Others are cut after a second.
    closeTimeout: 1000,
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', callback)
      stream.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const recipients = session.envelope.rcptTo.map((recipient) => recipient.address)
        Promise.all(recipients.map((recipient) => mailbox.add(bytes, recipient, new Date()))).then(
          (messages) => callback(null, `Kept as ${messages[0]?.id}`),
          (cause: unknown) => {
            log.error({ err: cause }, 'the development mailbox could not keep a mail')
            callback(Object.assign(new Error('The mailbox could not keep it'), { responseCode: 451 }))
          },
        )
      })
    },
  })
  server.on('error', (error) => log.warn({ err: error }, 'a connection to the development mailbox failed'))
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
  const { port } = server.server.address() as AddressInfo
  return {
    relay: {
      name: 'development mailbox',
      host: '127.0.0.1',
      port,
      implicitTls: false,
      tls: 'never',
      user: null,
      password: null,
      weight: 1,
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
