// The socket under an SMTP connection: bytes out, replies in, one deadline. Knows nothing of commands. Whatever ends it (reset,
// end, timeout, nonsense) ends it once, with a cause, and answers whoever waits with null.

import net from 'node:net'
import tls from 'node:tls'
import { ReplyReader, type ReadReply } from './smtp-reply.ts'

export class SmtpWire {
  #socket: net.Socket
  #reader = new ReplyReader()
  #replies: ReadReply[] = []
  #waiting: ((reply: ReadReply | null) => void) | null = null
  #deadline = Infinity
  #watch: NodeJS.Timeout
  /** null while open. */
  cause: string | null = null

  constructor(socket: net.Socket) {
    this.#socket = socket
    this.#attach(socket)
    this.#watch = setInterval(() => {
      if (performance.now() > this.#deadline) this.close('no answer in time')
    }, 500)
    this.#watch.unref()
  }

  /** The next reply; null: cut off, or no answer in time. One waiter at a time. */
  next(seconds: number): Promise<ReadReply | null> {
    const ready = this.#replies.shift()
    if (ready) return Promise.resolve(ready)
    if (this.cause !== null) return Promise.resolve(null)
    this.#deadline = performance.now() + seconds * 1000
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  write(text: string): void {
    if (this.cause === null) this.#socket.write(text, 'latin1')
  }

  /** The returned function says whether the kernel has taken all of it: false while some bytes are still ours, and for ever when
   * the socket broke before. The bytes must stay as they are until `isFlushed`. */
  writeAll(bytes: Buffer): () => boolean {
    let isTaken = false
    if (this.cause !== null) return () => false
    this.#socket.write(bytes, (error) => {
      isTaken = !error
    })
    // What TLS still holds can't be seen from here: count it as taken.
    const isHidden = this.#socket instanceof tls.TLSSocket
    return () => isTaken || isHidden || this.#socket.writableLength === 0
  }

  get isFlushed(): boolean {
    return this.#socket.writableLength === 0
  }

  /** Goes on in TLS. What the server sent in clear after its go-ahead would be an injection: then it refuses. */
  async secure(options: tls.ConnectionOptions): Promise<void> {
    if (!this.#reader.isEmpty || this.#replies.length) throw new Error('unexpected bytes before TLS')
    const plain = this.#socket
    plain.removeAllListeners('data')
    const secured = tls.connect({ ...options, socket: plain })
    this.#socket = secured
    await new Promise<void>((resolve, reject) => {
      secured.once('secureConnect', resolve)
      secured.once('error', reject)
      secured.once('close', () => reject(new Error('closed during the TLS handshake')))
    })
    this.#attach(secured)
  }

  close(cause: string): void {
    if (this.cause !== null) return
    this.cause = cause
    clearInterval(this.#watch)
    this.#socket.destroy()
    this.#answer(null)
  }

  #attach(socket: net.Socket): void {
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#replies.push(...this.#reader.read(chunk))
      } catch (cause) {
        this.close((cause as Error).message)
        return
      }
      if (this.#waiting && this.#replies.length) this.#answer(this.#replies.shift()!)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => this.close(error.code ?? error.message))
    socket.on('end', () => this.close('closed by the relay'))
    socket.on('close', () => this.close('closed by the relay'))
  }

  #answer(reply: ReadReply | null): void {
    this.#deadline = Infinity
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.(reply)
  }
}
