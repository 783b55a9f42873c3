// One connection to a relay: EHLO, STARTTLS, AUTH PLAIN and LOGIN, PIPELINING, SIZE. Its reason to be: it knows how far each mail
// came. nodemailer reports "dropped before DATA" and "dropped after the final dot" alike, so a retry either doubles or loses.
//
// The surprise: a mail has the stage `dot` only once the whole of it, final dot included, was handed to the kernel. Cut off
// earlier, the server can't have taken it.

import net from 'node:net'
import { hostname } from 'node:os'
import tls from 'node:tls'
import type { Relay } from '../base/relay.ts'
import type { ReadReply, SmtpReply } from './smtp-reply.ts'
import { SmtpWire } from './smtp-wire.ts'

export type SmtpStage = 'mail' | 'rcpt' | 'data' | 'body' | 'dot'

/** How a dialogue ended. `reply` null: cut off or timed out there, without an answer; `cause` says by what. */
export interface SmtpOutcome {
  isAccepted: boolean
  stage: SmtpStage
  reply: SmtpReply | null
  cause: string | null
}

export interface SmtpTimeouts {
  connectSeconds: number
  commandSeconds: number
  /** After the dot. Less than RFC 5321's ten minutes makes duplicates. */
  dotSeconds: number
}

export const rfcTimeouts: SmtpTimeouts = { connectSeconds: 30, commandSeconds: 300, dotSeconds: 600 }

/** The connection couldn't be made: says nothing about any mail. */
export class RelayUnavailable extends Error {
  override name = 'RelayUnavailable'
  readonly reply: SmtpReply | null
  constructor(message: string, reply: SmtpReply | null = null) {
    super(message)
    this.reply = reply
  }
}

const noBytes = Buffer.alloc(0)
const finalDot = Buffer.from('.\r\n')

export function sizeOf(parts: readonly Buffer[]): number {
  let size = 0
  for (const part of parts) size += part.length
  return size
}

export class SmtpConnection {
  readonly relay: Relay
  readonly openedAt = performance.now()
  lastUsedAt = performance.now()
  /** Mails that it was given. */
  mails = 0
  #wire: SmtpWire
  #timeouts: SmtpTimeouts
  #extensions = new Map<string, string>()
  #isMidTransaction = false
  /** Every message of this connection, one after the other: a new one of 30 kB a mail kept the collector busy. */
  #scratch = noBytes

  private constructor(relay: Relay, wire: SmtpWire, timeouts: SmtpTimeouts) {
    this.relay = relay
    this.#wire = wire
    this.#timeouts = timeouts
  }

  /** Connects, secures and signs in; throws RelayUnavailable. */
  static async open(relay: Relay, timeouts: SmtpTimeouts = rfcTimeouts): Promise<SmtpConnection> {
    const address = { host: relay.host, port: relay.port }
    const socket = relay.implicitTls ? tls.connect({ ...address, ...tlsOptions(relay) }) : net.connect(address)
    socket.setNoDelay(true)
    const connection = new SmtpConnection(relay, new SmtpWire(socket), timeouts)
    try {
      await connection.#greet()
      return connection
    } catch (cause) {
      const why = connection.#wire.cause
      connection.close('closed')
      if (cause instanceof RelayUnavailable) throw cause
      throw new RelayUnavailable(`${relay.name}: ${why ?? (cause as Error).message}`)
    }
  }

  get isOpen(): boolean {
    return this.#wire.cause === null
  }

  /** One mail to one recipient; never throws. `message` is dot-stuffed and ends in CRLF, the final dot is added. `mayWrite` is
   * asked right before the message is written: false gives the mail up, certain that it wasn't taken. */
  async send(
    from: string,
    to: string,
    message: readonly Buffer[],
    mayWrite: () => boolean = () => true,
  ): Promise<SmtpOutcome> {
    this.mails++
    this.lastUsedAt = performance.now()
    const limit = Number(this.#extensions.get('SIZE') ?? 0)
    const bytes = sizeOf(message)
    if (limit && bytes > limit) return refused('mail', 552, '5.3.4', `the relay takes at most ${limit} bytes a mail`)
    if (!isPath(from) || !isPath(to)) return refused('rcpt', 553, '5.1.3', 'not an address that SMTP can carry')
    const size = this.#extensions.has('SIZE') ? ` SIZE=${bytes}` : ''
    const commands = [`MAIL FROM:<${from}>${size}`, `RCPT TO:<${to}>`, 'DATA']
    if (this.#isMidTransaction) commands.unshift('RSET')
    const [mail, rcpt, data] = (await this.#exchange(commands)).slice(-3)
    this.#isMidTransaction = true
    const isEarlyRefusal = (mail?.code ?? 600) >= 300 || (rcpt?.code ?? 600) >= 300
    // A server may answer 354 although it refused the recipient: it then waits for a message, which must be empty (RFC 2920).
    if (isEarlyRefusal && data?.code === 354) await this.#exchange(['.'])
    if ((mail?.code ?? 600) >= 300) return this.#failed('mail', mail ?? null)
    if ((rcpt?.code ?? 600) >= 300) return this.#failed('rcpt', rcpt ?? null)
    if (data?.code !== 354) return this.#failed('data', data ?? null)
    if (!mayWrite()) {
      this.close('given up')
      return this.#failed('data', null)
    }
    const isTaken = this.#wire.writeAll(this.#join(message, bytes))
    const reply = await this.#wire.next(this.#timeouts.dotSeconds)
    // An answer that came before all was sent: what is still to be written must not be written over.
    if (!this.#wire.isFlushed) this.#scratch = noBytes
    this.lastUsedAt = performance.now()
    if (!reply) return this.#failed(isTaken() ? 'dot' : 'body', null)
    this.#isMidTransaction = false
    if (reply.code >= 300) return this.#failed('dot', reply)
    return { isAccepted: true, stage: 'dot', reply, cause: null }
  }

  /** Says goodbye without waiting for the answer. */
  quit(): void {
    this.#wire.write('QUIT\r\n')
    setImmediate(() => this.close('quit'))
  }

  close(cause: string): void {
    this.#wire.close(cause)
  }

  #join(message: readonly Buffer[], bytes: number): Buffer {
    const size = bytes + finalDot.length
    if (this.#scratch.length < size) this.#scratch = Buffer.allocUnsafeSlow(Math.ceil(size / 16_384) * 16_384)
    let at = 0
    for (const part of message) {
      this.#scratch.set(part, at)
      at += part.length
    }
    this.#scratch.set(finalDot, at)
    return this.#scratch.subarray(0, size)
  }

  #failed(stage: SmtpStage, reply: SmtpReply | null): SmtpOutcome {
    if (reply?.code === 421) this.close('the relay closed the connection')
    return { isAccepted: false, stage, reply, cause: reply ? null : this.#wire.cause }
  }

  /** One reply per command, null from where it was cut off. Without PIPELINING it stops at the first refusal. */
  async #exchange(commands: readonly string[]): Promise<(ReadReply | null)[]> {
    const replies: (ReadReply | null)[] = []
    if (this.#extensions.has('PIPELINING')) {
      this.#wire.write(commands.map((command) => `${command}\r\n`).join(''))
      for (const _ of commands) replies.push(await this.#wire.next(this.#timeouts.commandSeconds))
      return replies
    }
    for (const command of commands) {
      const last = replies.at(-1)
      if (last === null || (last && last.code >= 400)) {
        replies.push(last)
        continue
      }
      this.#wire.write(`${command}\r\n`)
      replies.push(await this.#wire.next(this.#timeouts.commandSeconds))
    }
    return replies
  }

  async #greet(): Promise<void> {
    expect('the greeting', 220, await this.#wire.next(this.#timeouts.connectSeconds))
    await this.#hello()
    const { relay } = this
    if (!relay.implicitTls && relay.tls !== 'never') {
      if (this.#extensions.has('STARTTLS')) {
        expect('STARTTLS', 220, (await this.#exchange(['STARTTLS']))[0])
        await this.#wire.secure(tlsOptions(relay))
        await this.#hello()
      } else if (relay.tls === 'required')
        throw new RelayUnavailable(`${relay.name} doesn't offer STARTTLS, and mail must not go in clear`)
    }
    if (relay.user !== null) await this.#signIn(relay.user, relay.password ?? '')
  }

  async #hello(): Promise<void> {
    const name = /^[a-zA-Z0-9.-]+$/.test(hostname()) ? hostname() : 'localhost'
    this.#extensions.clear()
    const [reply] = await this.#exchange([`EHLO ${name}`])
    if (reply && reply.code >= 500) {
      expect('HELO', 250, (await this.#exchange([`HELO ${name}`]))[0])
      return
    }
    for (const line of expect('EHLO', 250, reply).lines.slice(1)) {
      const [key, ...values] = line.slice(4).trim().toUpperCase().split(/[ =]/)
      this.#extensions.set(key!, values.join(' '))
    }
  }

  async #signIn(user: string, password: string): Promise<void> {
    const methods = this.#extensions.get('AUTH')?.split(' ') ?? []
    const encode = (text: string) => Buffer.from(text).toString('base64')
    if (methods.includes('PLAIN') || !methods.includes('LOGIN')) {
      const [reply] = await this.#exchange([`AUTH PLAIN ${encode(`\0${user}\0${password}`)}`])
      expect('the user name and password', 235, reply)
      return
    }
    expect('AUTH LOGIN', 334, (await this.#exchange(['AUTH LOGIN']))[0])
    expect('the user name', 334, (await this.#exchange([encode(user)]))[0])
    expect('the user name and password', 235, (await this.#exchange([encode(password)]))[0])
  }
}

/** Verified for `required` and smtps; `opportunistic` takes any certificate, which is still better than clear. */
function tlsOptions(relay: Relay): tls.ConnectionOptions {
  return {
    ...(net.isIP(relay.host) ? { host: relay.host } : { servername: relay.host }),
    rejectUnauthorized: relay.implicitTls || relay.tls === 'required',
    minVersion: 'TLSv1.2',
  }
}

function expect<R extends SmtpReply>(what: string, code: number, reply: R | null | undefined): R {
  if (!reply) throw new Error(`no answer to ${what}`)
  if (reply.code !== code) throw new RelayUnavailable(`${what} was refused: ${reply.code} ${reply.text}`, reply)
  return reply
}

function refused(stage: SmtpStage, code: number, enhanced: string, text: string): SmtpOutcome {
  return { isAccepted: false, stage, reply: { code, enhanced, text }, cause: null }
}

/** Nothing that could end the command or the angle brackets. */
function isPath(address: string): boolean {
  return /^[\x21-\x3b\x3d\x3f-\x7e]*$/.test(address) && address.length <= 254
}
