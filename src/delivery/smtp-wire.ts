// The socket of an SMTP connection: bytes out, replies in, one deadline. It doesn't know the commands. Every end (reset, end,
// timeout, invalid data, an unexpected reply) ends it once, with a cause. Replies that came before can still be read.

import type net from 'node:net'
import tls from 'node:tls'
import { ReplyReader, type ReadReply } from './smtp-reply.ts'

export class SmtpWire {
  #socket: net.Socket
  #reader = new ReplyReader()
  #replies: ReadReply[] = []
  /** Replies that are still to come. */
  #expected = 0
  #waiting: ((reply: ReadReply | null) => void) | null = null
  #deadline = Infinity
  #watch: NodeJS.Timeout
  /** Bytes written after the last message. */
  #behind = 0
  /** null while open. */
  cause: string | null = null

  #closed: (cause: string) => void

  /** A connected socket that nobody else listens to. `closed` is called once. */
  constructor(socket: net.Socket, closed: (cause: string) => void) {
    this.#socket = socket
    this.#closed = closed
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => this.close(error.code ?? error.message))
    socket.on('end', () => this.close('closed by the relay'))
    socket.on('close', () => this.close('closed by the relay'))
    this.#watch = setInterval(() => {
      if (performance.now() > this.#deadline) this.close('no answer in time')
    }, 500)
    this.#watch.unref()
  }

  /** The next reply; null: cut off, or no answer in time. One caller at a time. */
  next(seconds: number): Promise<ReadReply | null> {
    const ready = this.#replies.shift()
    if (ready) return Promise.resolve(ready)
    if (this.cause !== null) return Promise.resolve(null)
    this.#deadline = performance.now() + seconds * 1000
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  /** Commands, each of which gets a reply. */
  write(commands: readonly string[]): void {
    if (this.cause !== null) return
    const text = `${commands.join('\r\n')}\r\n`
    this.#expected += commands.length
    this.#behind += text.length
    this.#socket.write(text, 'latin1')
  }

  /**
   * Writes a message with its final dot, which gets one reply. The returned function says whether the kernel has accepted all of
   * it: false while some bytes are still here, and forever if the socket broke before. The bytes must not change until
   * `isFlushed`.
   */
  writeMessage(bytes: Buffer): () => boolean {
    let isTaken = false
    if (this.cause !== null) return () => false
    this.#expected++
    this.#behind = 0
    this.#socket.write(bytes, (error) => {
      isTaken = !error
    })
    // The bytes that TLS still holds can't be seen from here: they count as accepted by the kernel.
    const isHidden = this.#socket instanceof tls.TLSSocket
    return () => isTaken || isHidden || this.#socket.writableLength <= this.#behind
  }

  get isFlushed(): boolean {
    return this.#socket.writableLength === 0
  }

  close(cause: string): void {
    if (this.cause !== null) return
    this.cause = cause
    clearInterval(this.#watch)
    this.#socket.destroy()
    this.#closed(cause)
    this.#answer(null)
  }

  #read(chunk: Buffer): void {
    let trouble: string | null = null
    try {
      for (const reply of this.#reader.read(chunk)) {
        if (this.#expected === 0) {
          trouble ??= `the relay said what nobody asked for: ${reply.code} ${reply.text}`
          break
        }
        this.#expected--
        this.#replies.push(reply)
      }
    } catch (cause) {
      trouble = (cause as Error).message
    }
    if (this.#waiting && this.#replies.length) this.#answer(this.#replies.shift()!)
    if (trouble !== null) this.close(trouble)
  }

  #answer(reply: ReadReply | null): void {
    this.#deadline = Infinity
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.(reply)
  }
}
