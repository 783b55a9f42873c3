// Everything that strangers write is parsed in a thread of its own, one document at a time, with a deadline and a memory limit: a
// document made to stop its parser costs that document and nothing else. The thread is started when it is first needed and stays;
// one that is stopped over a document is replaced for the next. It keeps no process alive unless it has something to read.
//
// An area that reads documents has a file that is the thread, which calls answerJobs, and one that holds a ParserThread.

import { parentPort, Worker } from 'node:worker_threads'

/** null: the thread is ready. */
type ThreadMessage = null | { answer: unknown } | { failed: string }

export interface ParserLimits {
  /** Of one document, from when the thread is handed it. */
  deadlineMs: number
  heapMb: number
}

/** An honest document of 10 MB takes less than a second of an idle core, and fewer than 200 MB. */
const usualLimits: ParserLimits = { deadlineMs: 20_000, heapMb: 256 }
const startMs = 30_000

export const stopReasons = ['deadline', 'memory', 'crash'] as const
type StopReason = (typeof stopReasons)[number]

/** A document that the thread did not survive: a sentence for editors. */
export class Unreadable extends Error {
  override name = 'Unreadable'
}

/** The process ends. The document has nothing to do with it. */
export class ParserClosed extends Error {
  override name = 'ParserClosed'
}

interface Waiting<Job> {
  job: Job
  options: JobOptions
  resolve: (answer: never) => void
  reject: (cause: unknown) => void
}

interface JobOptions {
  /** Runs when the job's turn has come, and what it throws is thrown. */
  before?: (() => Promise<unknown>) | undefined
  /** Goes before those that wait. */
  isShort?: boolean
  /** Memory that the thread takes over. */
  transfer?: readonly ArrayBuffer[]
}

type Outcome = { message: ThreadMessage } | { ended: StopReason | 'closed' }

export class ParserThread<Job> {
  /** How often the thread had to be replaced. */
  readonly stopped: Record<StopReason, number> = { deadline: 0, memory: 0, crash: 0 }
  readonly #file: URL
  readonly #limits: ParserLimits
  #queue: Waiting<Job>[] = []
  #isBusy = false
  #thread: Thread<Job> | null = null

  constructor(file: URL, limits: Partial<ParserLimits> = {}) {
    this.#file = file
    this.#limits = { ...usualLimits, ...limits }
  }

  /** Throws Unreadable on account of the document. */
  run<Answer>(job: Job, options: JobOptions = {}): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const waiting = { job, options, resolve, reject }
      if (options.isShort) this.#queue.unshift(waiting)
      else this.#queue.push(waiting)
      void this.#work()
    })
  }

  /** Ends the thread and fails what it is reading; the next document starts a new one. Safe to repeat. */
  close(): void {
    for (const { reject } of this.#queue.splice(0)) reject(new ParserClosed())
    this.#thread?.end('closed')
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    for (let waiting = this.#queue.shift(); waiting; waiting = this.#queue.shift()) {
      try {
        await waiting.options.before?.()
        waiting.resolve((await this.#answerTo(waiting)) as never)
      } catch (cause) {
        waiting.reject(cause)
      }
    }
    this.#thread?.worker.unref()
    this.#isBusy = false
  }

  async #answerTo({ job, options }: Waiting<Job>): Promise<unknown> {
    const { deadlineMs, heapMb } = this.#limits
    if (!this.#thread || this.#thread.hasEnded) {
      this.#thread = new Thread(this.#file, heapMb)
      const start = await this.#thread.exchange(startMs)
      if ('ended' in start)
        throw start.ended === 'closed' ? new ParserClosed() : new Error('The parser could not be started.')
    }
    this.#thread.worker.ref()
    const outcome = await this.#thread.exchange(deadlineMs, { job, transfer: options.transfer ?? [] })
    if ('message' in outcome) {
      const { message } = outcome
      if (message && 'failed' in message)
        throw new Unreadable('It can’t be read: it is broken in a way that our parser doesn’t know.', {
          cause: message.failed,
        })
      return message?.answer
    }
    if (outcome.ended === 'closed') throw new ParserClosed()
    this.stopped[outcome.ended]++
    throw new Unreadable(
      {
        deadline: `Reading it took longer than ${deadlineMs / 1000} s.`,
        memory: `Reading it took more than ${heapMb} MB of memory.`,
        crash: 'The parser stopped while it was reading it.',
      }[outcome.ended],
    )
  }
}

/** One thread, from its start to its end. */
class Thread<Job> {
  readonly worker: Worker
  hasEnded = false
  #settle: ((outcome: Outcome) => void) | null = null

  constructor(file: URL, heapMb: number) {
    this.worker = new Worker(file, {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 32 },
    })
    this.worker.on('message', (message: ThreadMessage) => this.#settle?.({ message }))
    this.worker.on('error', (error: NodeJS.ErrnoException) =>
      this.end(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'crash'),
    )
    this.worker.on('exit', () => this.end('crash'))
  }

  /** Hands it a job, or waits for its start, and answers with what comes of it. */
  async exchange(withinMs: number, handed?: { job: Job; transfer: readonly ArrayBuffer[] }): Promise<Outcome> {
    // When this process itself was busy, the answer may lie there: it is read before time is called.
    const timer = setTimeout(() => setImmediate(() => this.#settle === settle && this.end('deadline')), withinMs)
    let settle: (outcome: Outcome) => void
    const outcome = await new Promise<Outcome>((resolve) => {
      this.#settle = settle = resolve
      if (!handed) return
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is a window's, not a thread's
      this.worker.postMessage(handed.job, handed.transfer)
    })
    this.#settle = null
    clearTimeout(timer)
    return outcome
  }

  end(ended: StopReason | 'closed'): void {
    if (this.hasEnded) return
    this.hasEnded = true
    void this.worker.terminate()
    this.#settle?.({ ended })
  }
}

/** The other side: takes jobs in the thread that this is called in, one at a time. */
export function answerJobs<Job>(runJob: (job: Job) => unknown): void {
  const say = (message: ThreadMessage): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is a window's, not a thread's
    parentPort!.postMessage(message)
  }
  parentPort!.on('message', async (job: Job) => {
    try {
      say({ answer: await runJob(job) })
    } catch (error) {
      say({ failed: error instanceof Error ? error.message : String(error) })
    }
  })
  say(null)
}

/** Bytes that share their memory with others (small Buffers do) can't be handed over. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}
