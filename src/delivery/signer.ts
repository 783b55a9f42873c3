// Signs in threads of our own. libuv's pool signs as fast, but wakes a thread for each signature, and on two busy cores every
// wake-up delays the main thread (measured: 2,200 mails a second with the pool, 2,500 to 2,800 with a thread that gets batches).
// Without keys no thread is started.

import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/**
 * The number of each key, and the text to sign as Latin-1. A string is cheaper to pass to a thread than a slice of a pooled
 * Buffer, which copies the whole pool, and than an object.
 */
export type SignRequests = [keys: number[], data: string[]]

interface Waiting {
  key: number
  data: string
  resolve: (signature: string) => void
}

interface Thread {
  worker: Worker
  /** Batches that it has not answered, in order. */
  batches: Waiting[][]
}

/**
 * One core is left to the main thread, which also signs if the threads can't keep up. With one thread per core, two workers on two
 * cores sent 1,900 mails a second, so 2,040 (medians of four alternating rounds, which overlap).
 */
const mostThreads = 4
/** A batch wakes two threads, whatever its size. Two batches at a time, so that the thread is never idle between them. */
const batchSize = 32
const batchesPerThread = 2
/** If more than this waits for the threads, the main thread signs too. */
const longQueue = 16

export class Signer {
  #keys: readonly KeyObject[]
  #algorithms: readonly ('rsa' | 'ed25519')[]
  #threads: Thread[] = []
  #queue: Waiting[] = []
  #isClosed = false
  #isHelping = false

  /** Keys are PEM. */
  constructor(pems: readonly string[]) {
    this.#keys = pems.map((pem) => createPrivateKey(pem))
    this.#algorithms = this.#keys.map((key) => (key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ed25519'))
    if (!pems.length) return
    for (let i = 0; i < Math.min(mostThreads, Math.max(1, availableParallelism() - 1)); i++) {
      const worker = new Worker(new URL('./signer-thread.ts', import.meta.url), {
        workerData: pems,
        execArgv: [],
        // The thread keeps no data. Without this limit it would use 30 MB.
        resourceLimits: { maxYoungGenerationSizeMb: 4 },
      })
      const thread: Thread = { worker, batches: [] }
      worker.unref()
      worker.on('message', (signatures: string[]) => {
        for (const [n, waiting] of (thread.batches.shift() ?? []).entries()) waiting.resolve(signatures[n]!)
        this.#dispatch()
      })
      worker.on('error', () => this.#dropped(thread))
      worker.on('exit', () => this.#dropped(thread))
      this.#threads.push(thread)
    }
  }

  /** The signature in base64. */
  sign(key: number, data: string): Promise<string> {
    return new Promise((resolve) => {
      this.#queue.push({ key, data, resolve })
      this.#dispatch()
    })
  }

  algorithmOf(key: number): 'rsa' | 'ed25519' {
    return this.#algorithms[key]!
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#threads.map((thread) => thread.worker.terminate()))
  }

  #dispatch(): void {
    if (!this.#threads.length) for (const waiting of this.#queue.splice(0)) this.#signHere(waiting)
    for (let round = 0; round < batchesPerThread; round++)
      for (const thread of this.#threads) {
        if (!this.#queue.length) return
        if (thread.batches.length > round) continue
        const batch = this.#queue.splice(0, batchSize)
        thread.batches.push(batch)
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is a window's, not a thread's
        thread.worker.postMessage([batch.map(({ key }) => key), batch.map(({ data }) => data)] satisfies SignRequests)
      }
    this.#considerHelping()
  }

  /** Signs once per turn of the event loop, so that network events come first. */
  #considerHelping(): void {
    if (this.#isHelping || this.#queue.length <= longQueue) return
    this.#isHelping = true
    setImmediate(() => {
      this.#isHelping = false
      if (this.#queue.length) this.#signHere(this.#queue.shift()!)
      this.#considerHelping()
    })
  }

  /** The work of a thread that ended goes to the other threads, or to the main thread. */
  #dropped(thread: Thread): void {
    this.#threads = this.#threads.filter((each) => each !== thread)
    this.#queue.unshift(...thread.batches.splice(0).flat())
    if (!this.#isClosed || this.#queue.length) this.#dispatch()
  }

  #signHere({ key, data, resolve }: Waiting): void {
    resolve(signWith(this.#keys[key]!, data))
  }
}

/** rsa-sha256 (RFC 6376), or ed25519 over the sha256 (RFC 8463). */
export function signWith(key: KeyObject, data: string): string {
  const bytes = Buffer.from(data, 'latin1')
  const signature =
    key.asymmetricKeyType === 'rsa'
      ? sign('sha256', bytes, key)
      : sign(null, createHash('sha256').update(bytes).digest(), key)
  return signature.toString('base64')
}
