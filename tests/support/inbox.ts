// A real SMTP server on loopback that keeps what it accepted: what subscribers would have received.

import { SMTPServer } from 'smtp-server'
import PostalMime, { type Email } from 'postal-mime'

export interface ReceivedMail {
  to: string
  /** Envelope sender. */
  returnPath: string
  raw: Buffer
  /** Parsed: subject, html, text, headers. */
  mail: Email
}

export class Inbox {
  readonly received: ReceivedMail[] = []
  /** Addresses that are told to come again later. */
  readonly greylisted = new Set<string>()
  readonly #server: SMTPServer
  #port = 0
  constructor() {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onRcptTo: ({ address }, _session, done) =>
        done(this.greylisted.has(address) ? Object.assign(new Error('come again later'), { responseCode: 450 }) : null),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const raw = Buffer.concat(chunks)
          const { mailFrom, rcptTo } = session.envelope
          void PostalMime.parse(raw).then((mail) => {
            this.received.push({
              to: rcptTo[0]!.address,
              returnPath: mailFrom ? mailFrom.address : '',
              raw,
              mail,
            })
            done()
          }, done)
        })
      },
    })
    this.#server.on('error', () => {})
  }
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.#port = (this.#server.server.address() as { port: number }).port
  }
  /** What to give as SMTP_URL. */
  get url(): string {
    return `smtp://127.0.0.1:${this.#port}?tls=never`
  }
  to(address: string): ReceivedMail[] {
    return this.received.filter((mail) => mail.to === address)
  }
  /** The newest mail to an address whose subject matches; throws when there is none. */
  last(address: string, subject: RegExp = /./): ReceivedMail {
    const found = this.to(address).findLast(({ mail }) => subject.test(mail.subject ?? ''))
    if (!found)
      throw new Error(
        `no mail to ${address} with ${subject}; subjects: ${this.to(address)
          .map((m) => m.mail.subject)
          .join(' | ')}`,
      )
    return found
  }
  clear(): void {
    this.received.length = 0
  }
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

/** The first link in a mail's HTML whose path matches, as path and query, ready for the house's web. */
export function linkIn(mail: Email, path: RegExp): string {
  for (const [, href] of (mail.html ?? '').matchAll(/href="([^"]+)"/g)) {
    const url = new URL(href!.replaceAll('&amp;', '&'), 'http://127.0.0.1')
    if (path.test(url.pathname)) return url.pathname + url.search
  }
  throw new Error(`no link like ${path} in "${mail.subject}"`)
}
