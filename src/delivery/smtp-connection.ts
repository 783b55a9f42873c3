// One connection to a relay, after nodemailer has opened it (relay-dial.ts). Our own loop sends the mails, because it knows how
// far each mail came. nodemailer reports "dropped before DATA" and "dropped after the final dot" alike, so a retry would either
// duplicate or lose mails.
//
// A mail has the stage `dot` only once all of it, including the final dot, was handed to the kernel. If the connection is cut
// earlier, the server can't have accepted it.

import type { Relay } from '../base/relay.ts'
import type { Announcements } from './announcements.ts'
import { type Dialled, type DialOptions, dialRelay, ehloName, RelayUnavailable } from './relay-dial.ts'
import { factsOf, type RelayFacts, sizeLimitOf } from './relay-facts.ts'
import {
  type Envelope,
  isAnswered,
  isOutOfStep,
  isPath,
  refused,
  rfcTimeouts,
  type SmtpOutcome,
  type SmtpStage,
  type SmtpTimeouts,
} from './smtp-dialogue.ts'
import type { ReadReply, SmtpReply } from './smtp-reply.ts'
import { SmtpWire } from './smtp-wire.ts'

/** For answers to announced commands: they were sent before we wait for them. */
const announcedSeconds = 10

export interface SendOptions {
  /** Called right before the message is written. false ends the mail, and it is certain that it wasn't accepted. */
  mayWrite?: () => boolean
  /** Called when the message and its dot are written. From now until the answer, the next mail may be announced. */
  written?: () => void
}

const noBytes = Buffer.alloc(0)
const finalDot = Buffer.from('.\r\n')

export class SmtpConnection {
  readonly relay: Relay
  readonly openedAt = performance.now()
  /** How many mails it was given. */
  mails = 0
  #wire: SmtpWire
  #dialled: Dialled
  #timeouts: SmtpTimeouts
  #hello = ''
  #extensions = new Map<string, string>()
  #isMidTransaction = false
  #isAtDot = false
  /** null: it gets no announcements. */
  #announcements: Announcements | null
  #announced: Envelope | null = null
  /** One buffer for all messages of this connection: a new buffer of 30 kB per mail kept the garbage collector busy. */
  #scratch = noBytes

  private constructor(relay: Relay, dialled: Dialled, timeouts: SmtpTimeouts, announcements: Announcements | null) {
    this.relay = relay
    this.#dialled = dialled
    this.#wire = new SmtpWire(dialled.socket, (cause) => this.#closed(cause))
    this.#timeouts = timeouts
    this.#announcements = announcements
  }

  /** Connects, secures and signs in; throws RelayUnavailable. */
  static async open(
    relay: Relay,
    timeouts: SmtpTimeouts = rfcTimeouts,
    options: Pick<DialOptions, 'signal' | 'hear'> & { announcements?: Announcements } = {},
  ): Promise<SmtpConnection> {
    const dialled = await dialRelay(relay, { ...timeouts, ...options })
    const connection = new SmtpConnection(relay, dialled, timeouts, options.announcements ?? null)
    await connection.#greet()
    return connection
  }

  get isOpen(): boolean {
    return this.#wire.cause === null
  }

  get facts(): RelayFacts {
    return factsOf(this.relay, this.#dialled, { hello: this.#hello, extensions: this.#extensions })
  }

  /**
   * Sends one mail; never throws. `message` is dot-stuffed and ends in CRLF. The final dot is added here. An announced envelope
   * must be passed as the same object.
   */
  async send(envelope: Envelope, message: readonly Buffer[], options: SendOptions = {}): Promise<SmtpOutcome> {
    const refusal = this.#refusalOf(envelope)
    if (refusal) return refusal
    if (this.#announced && this.#announced !== envelope) this.close('another mail was announced')
    // The connection ended while this mail was being named.
    if (!this.isOpen) return this.#untouched('mail')
    this.mails++
    const isAnnounced = this.#announced !== null
    const [mail, rcpt, data] = isAnnounced ? await this.#announcedReplies() : await this.#envelope(envelope)
    this.#isMidTransaction = true
    if (isAnnounced && !isAnswered(mail, rcpt, data)) return this.#untouched('data')
    if (isOutOfStep(mail, rcpt, data)) {
      this.#wire.close('the relay answered out of step')
      return this.#untouched('data')
    }
    if (isAnnounced) this.#announcements?.answered()
    this.#announced = null
    const isEarlyRefusal = (mail?.code ?? 600) >= 300 || (rcpt?.code ?? 600) >= 300
    // A server may answer 354 although it refused the recipient. It then waits for a message, which must be empty (RFC 2920).
    if (isEarlyRefusal && data?.code === 354) await this.#exchange(['.'])
    if ((mail?.code ?? 600) >= 300) return this.#failed('mail', mail ?? null)
    if ((rcpt?.code ?? 600) >= 300) return this.#failed('rcpt', rcpt ?? null)
    if (data?.code !== 354) return this.#failed('data', data ?? null)
    if (options.mayWrite?.() === false) {
      this.close('given up')
      return this.#failed('data', null)
    }
    const isTaken = this.#wire.writeMessage(this.#join(message, envelope.bytes))
    this.#isAtDot = true
    options.written?.()
    const reply = await this.#wire.next(this.#timeouts.dotSeconds)
    this.#isAtDot = false
    // The answer came before everything was sent: the buffer still contains unsent bytes and must not be reused.
    if (!this.#wire.isFlushed) this.#scratch = noBytes
    if (!reply) return this.#failed(isTaken() ? 'dot' : 'body', null)
    this.#isMidTransaction = false
    if (reply.code >= 300) return this.#failed('dot', reply)
    return { isAccepted: true, stage: 'dot', reply, cause: null }
  }

  /**
   * Writes the next mail's MAIL, RCPT and DATA behind the dot that waits for its answer. false: not possible now. Only closing the
   * connection takes it back, because the relay then waits for a message.
   */
  announce(envelope: Envelope): boolean {
    if (!this.#isAtDot || this.#announced || !this.isOpen || !this.#extensions.has('PIPELINING')) return false
    if (this.#refusalOf(envelope) || !this.#announcements?.begin()) return false
    this.#announced = envelope
    this.#wire.write(this.#commandsOf(envelope))
    return true
  }

  /** Says goodbye without waiting for the answer. */
  quit(): void {
    if (this.#announced) return this.close('the announced mail was taken back')
    this.#wire.write(['QUIT'])
    setImmediate(() => this.close('quit'))
  }

  close(cause: string): void {
    if (this.#announced) this.#announcements?.withdrawn()
    this.#announced = null
    this.#wire.close(cause)
  }

  #closed(cause: string): void {
    if (this.#announced) this.#announcements?.failed(cause)
    this.#announced = null
  }

  /** Refusals that need no relay. */
  #refusalOf({ from, to, bytes }: Envelope): SmtpOutcome | null {
    const limit = sizeLimitOf(this.#extensions)
    if (limit && bytes > limit) return refused('mail', 552, '5.3.4', `the relay takes at most ${limit} bytes a mail`)
    if (!isPath(from) || !isPath(to)) return refused('rcpt', 553, '5.1.3', 'not an address that SMTP can carry')
    return null
  }

  #commandsOf({ from, to, bytes }: Envelope): string[] {
    const size = this.#extensions.has('SIZE') ? ` SIZE=${bytes}` : ''
    return [`MAIL FROM:<${from}>${size}`, `RCPT TO:<${to}>`, 'DATA']
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

  #untouched(stage: SmtpStage): SmtpOutcome {
    return { isAccepted: false, stage, reply: null, cause: this.#wire.cause, isUntouched: true }
  }

  async #envelope(envelope: Envelope): Promise<(ReadReply | null | undefined)[]> {
    const commands = this.#commandsOf(envelope)
    if (this.#isMidTransaction) commands.unshift('RSET')
    return (await this.#exchange(commands)).slice(-3)
  }

  async #announcedReplies(): Promise<(ReadReply | null)[]> {
    const seconds = Math.min(announcedSeconds, this.#timeouts.commandSeconds)
    return [await this.#wire.next(seconds), await this.#wire.next(seconds), await this.#wire.next(seconds)]
  }

  /** One reply per command, null from the point where it was cut off. Without PIPELINING it stops at the first refusal. */
  async #exchange(commands: readonly string[]): Promise<(ReadReply | null)[]> {
    const replies: (ReadReply | null)[] = []
    if (this.#extensions.has('PIPELINING')) {
      this.#wire.write(commands)
      for (const _ of commands) replies.push(await this.#wire.next(this.#timeouts.commandSeconds))
      return replies
    }
    for (const command of commands) {
      const last = replies.at(-1)
      if (last === null || (last && last.code >= 400)) {
        replies.push(last)
        continue
      }
      this.#wire.write([command])
      replies.push(await this.#wire.next(this.#timeouts.commandSeconds))
    }
    return replies
  }

  /**
   * Says EHLO again, in our own loop, to read the relay's extensions from its answer and not from nodemailer's private fields. A
   * server that knows only HELO has answered nodemailer's, and has no extensions.
   */
  async #greet(): Promise<void> {
    const { relay } = this
    const [reply] = await this.#exchange([`EHLO ${ehloName(relay)}`])
    if (!reply) throw new RelayUnavailable(`${relay.name}: ${this.#wire.cause ?? 'no answer to EHLO'}`)
    if (reply.code >= 500) return
    if (reply.code !== 250) {
      this.close('EHLO was refused')
      throw new RelayUnavailable(`${relay.name}: the relay refused EHLO: ${reply.code} ${reply.text}`, reply)
    }
    this.#hello = reply.lines[0]!.slice(4)
    for (const line of reply.lines.slice(1)) {
      const [key, ...values] = line.slice(4).trim().toUpperCase().split(/[ =]/)
      this.#extensions.set(key!, values.join(' '))
    }
  }
}
