// Opens a connection to a relay with nodemailer: connects, reads the greeting, starts TLS and signs in. Then nodemailer's
// listeners and its timeout are removed, and smtp-connection.ts uses the socket.
//
// We rely on three properties of nodemailer, which tests/stories/delivery-smtp-connection.test.ts checks: `_socket` is public and
// may be taken once `connect` (and `login`) have called back; `lastServerResponse` is then the answer to EHLO; an unexpected reply
// causes an `error` at the latest one turn of the event loop later.

import type net from 'node:net'
import { TLSSocket } from 'node:tls'
import SMTPConnection, { type SMTPConnectionAuth } from 'nodemailer/lib/smtp-connection'
import type { NodemailerError } from 'nodemailer'
import { isLoopbackHost } from '../base/loopback.ts'
import type { Relay, SignInMechanism } from '../base/relay.ts'
import { chooseMechanism, credentialsOf, prefer } from './relay-sign-in.ts'
import { ReplyReader, type SmtpReply } from './smtp-reply.ts'

/** The connection couldn't be made. That says nothing about any mail. */
export class RelayUnavailable extends Error {
  override name = 'RelayUnavailable'
  readonly reply: SmtpReply | null
  constructor(message: string, reply: SmtpReply | null = null) {
    super(message)
    this.reply = reply
  }
}

export interface DialOptions {
  /** For the connection, the greeting and TLS together. */
  connectSeconds: number
  /** For the sign-in. */
  commandSeconds: number
  /** Aborts the attempt. */
  signal?: AbortSignal | undefined
  /** Receives each line of the dialogue, without secrets. */
  hear?: ((line: string) => void) | undefined
}

export interface Dialled {
  socket: net.Socket
  mechanism: SignInMechanism | null
}

/** Throws RelayUnavailable. Some servers offer PLAIN, refuse it and accept LOGIN: that is tried once, on a new connection. */
export async function dialRelay(relay: Relay, options: DialOptions): Promise<Dialled> {
  const dialling = await connect(relay, options)
  if (relay.user === null) return { socket: await dialling.take(), mechanism: null }
  const { mechanism, other } = await dialling.check(() => chooseMechanism(relay, dialling))
  try {
    return await signIn(dialling, relay, mechanism)
  } catch (cause) {
    if (!other || options.signal?.aborted) throw cause
    const dialled = await signIn(await connect(relay, options), relay, other).catch(() => null)
    if (!dialled) throw cause
    prefer(relay, other)
    return dialled
  }
}

async function signIn(dialling: Dialling, relay: Relay, mechanism: SignInMechanism): Promise<Dialled> {
  await dialling.signIn(credentialsOf(relay, mechanism))
  return { socket: await dialling.take(), mechanism }
}

/** Verified for `required` and smtps. `opportunistic` accepts any certificate, which is still better than no encryption. */
function tlsOptions(relay: Relay) {
  return { rejectUnauthorized: relay.implicitTls || relay.tls === 'required', minVersion: 'TLSv1.2' as const }
}

async function connect(relay: Relay, options: DialOptions): Promise<Dialling> {
  const dialling = new Dialling(relay, options)
  await dialling.connect()
  return dialling
}

/** One attempt. If it fails, its socket is closed. */
class Dialling {
  #relay: Relay
  #smtp: SMTPConnection
  #failed: Promise<never>
  #fail!: (cause: Error) => void
  #deadline: NodeJS.Timeout
  #signal: AbortSignal | undefined
  #abort = () => this.#fail(new Error('stopped'))

  constructor(relay: Relay, { connectSeconds, commandSeconds, signal, hear }: DialOptions) {
    this.#relay = relay
    this.#smtp = new SMTPConnection({
      host: relay.host,
      port: relay.port,
      secure: relay.implicitTls,
      requireTLS: !relay.implicitTls && relay.tls === 'required',
      ignoreTLS: relay.tls === 'never',
      name: ehloName(relay),
      tls: tlsOptions(relay),
      connectionTimeout: connectSeconds * 1000,
      greetingTimeout: connectSeconds * 1000,
      socketTimeout: commandSeconds * 1000,
      maxResponseSize: 65_536,
      allowInternalNetworkInterfaces: isLoopbackHost(relay.host),
      ...(hear ? { transactionLog: true, logger: transcript(hear) } : {}),
    })
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.#failed.catch(() => this.#close())
    this.#smtp.on('error', (cause) => this.#fail(cause))
    this.#smtp.on('end', () => this.#fail(new Error('closed by the relay')))
    // A server that sends its answers byte by byte would reset the socket's timeout again and again.
    this.#deadline = setTimeout(
      () => this.#fail(new Error('no answer in time')),
      (connectSeconds + commandSeconds) * 1000,
    )
    this.#signal = signal
    if (signal?.aborted) this.#abort()
    else signal?.addEventListener('abort', this.#abort)
  }

  /** The answer to EHLO, once connected. */
  get hello(): string {
    return this.#smtp.lastServerResponse || ''
  }

  get isSecure(): boolean {
    return this.#smtp._socket instanceof TLSSocket
  }

  connect(): Promise<void> {
    return this.check(
      () => new Promise((resolve, reject) => this.#smtp.connect((cause) => (cause ? reject(cause) : resolve()))),
    )
  }

  signIn(auth: SMTPConnectionAuth): Promise<void> {
    return this.check(
      () => new Promise((resolve, reject) => this.#smtp.login(auth, (cause) => (cause ? reject(cause) : resolve()))),
    )
  }

  /** Runs a step. If it throws, the attempt ends as RelayUnavailable. */
  async check<T>(step: () => T | Promise<T>): Promise<T> {
    try {
      return await Promise.race([this.#failed, step()])
    } catch (cause) {
      this.#close()
      throw toUnavailable(this.#relay, cause as NodemailerError)
    }
  }

  /** The socket without nodemailer's listeners. The caller must listen to it in the same turn of the event loop. */
  async take(): Promise<net.Socket> {
    // By then nodemailer has noticed any unexpected reply, and failed.
    await this.check(() => new Promise((resolve) => setImmediate(resolve)))
    const socket = this.#smtp._socket
    if (!socket) throw new RelayUnavailable(`${this.#relay.name}: closed by the relay`)
    for (const event of ['data', 'end', 'close', 'error', 'timeout']) socket.removeAllListeners(event)
    socket.setTimeout(0)
    this.#smtp._socket = null
    this.#end()
    return socket
  }

  #end(): void {
    clearTimeout(this.#deadline)
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#smtp.removeAllListeners()
    this.#smtp.on('error', () => {})
  }

  #close(): void {
    this.#end()
    const socket = this.#smtp._socket
    this.#smtp.close()
    if (socket) socket.destroy()
  }
}

/** Our name at EHLO. */
export function ehloName(relay: Relay): string {
  return relay.ehloName ?? '[127.0.0.1]'
}

/** One sentence, with the relay's own words. */
function toUnavailable(relay: Relay, cause: NodemailerError): RelayUnavailable {
  if (cause instanceof RelayUnavailable) return cause
  const { command, response } = cause
  if (!response) {
    const step = command?.startsWith('AUTH') ? `sign-in by ${command.slice(5)} failed: ` : ''
    return new RelayUnavailable(`${relay.name}: ${step}${inPlainWords(cause.message)}`)
  }
  const reply = readReply(response)
  const words = reply ? `${reply.code} ${reply.text}` : response.slice(0, 500)
  const what =
    reply && reply.code < 400 && command === 'CONN'
      ? 'the relay said what nobody asked for'
      : whatWasRefused(relay, command ?? '')
  return new RelayUnavailable(`${relay.name}: ${what}: ${words}`, reply)
}

/** OpenSSL's errors contain its error numbers, file and line. */
function inPlainWords(message: string): string {
  const words = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1]
  return words === undefined ? message : `TLS: ${words}`
}

function whatWasRefused(relay: Relay, command: string): string {
  if (command.startsWith('AUTH')) return `the relay refused to sign in "${relay.user}" by ${command.slice(5)}`
  if (command === 'STARTTLS' && relay.tls === 'required')
    return 'the relay refused STARTTLS, and mail must not go in clear'
  if (command === 'EHLO' || command === 'HELO') return `the relay refused ${command} ${ehloName(relay)}`
  return command === 'CONN' ? 'the relay refused the connection' : `the relay refused ${command}`
}

function readReply(response: string): SmtpReply | null {
  try {
    return new ReplyReader().read(Buffer.from(`${response.replaceAll(/\r?\n/g, '\r\n')}\r\n`, 'latin1'))[0] ?? null
  } catch {
    return null
  }
}

/** The part of nodemailer's logger that gets the lines of the dialogue. */
function transcript(hear: (line: string) => void) {
  const log = ({ tnx }: { tnx?: string }, text: unknown) => {
    if (tnx === 'server' || tnx === 'client') hear(`${tnx === 'server' ? '<' : '>'} ${String(text)}`)
  }
  return { trace: log, debug: log, info: log, warn: log, error: log, fatal: log, level: () => {} }
}
