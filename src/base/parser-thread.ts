// All input from strangers is parsed in a thread of its own, one document at a time, with a deadline and a memory limit. So a
// malicious document costs only itself. The thread is started when it is first needed and stays. If it is stopped because of a
// document, a new one is started for the next. It keeps no process alive unless it is reading.
//
// An area that reads documents has one file that is the thread, which calls answerJobs, and one that has a ParserThread.

import { parentPort, Worker } from 'node:worker_threads'

/** null: the thread is ready. */
type ThreadMessage = null | { answer: unknown } | { failed: string }

export interface ParserLimits {
  /** For one document, from when it is passed to the thread. */
  deadlineMs: number
  heapMb: number
}

/** An honest document of 10 MB takes less than a second of an idle core, and less than 200 MB. */
const usualLimits: ParserLimits = { deadlineMs: 20_000, heapMb: 256 }
const startMs = 30_000

export const stopReasons = ['deadline', 'memory', 'crash'] as const
type StopReason = (typeof stopReasons)[number]

/** The thread didn't survive the document: a sentence for editors. */
export class Unreadable extends Error {
  override name = 'Unreadable'
}

/** The process ends. The document isn't the reason. */
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
  /** Runs when the job's turn has come. Its errors are passed on. */
  before?: (() => Promise<unknown>) | undefined
  /** Runs before the jobs that wait. */
  isShort?: boolean
  /** Memory that is transferred to the thread. */
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

  /** Throws Unreadable because of the document. */
  run<Answer>(job: Job, options: JobOptions = {}): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const waiting = { job, options, resolve, reject }
      if (options.isShort) this.#queue.unshift(waiting)
      else this.#queue.push(waiting)
      void this.#work()
    })
  }

  /** Ends the thread and fails the job that it runs. The next document starts a new thread. Safe to repeat. */
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

  /** Passes it a job (or waits for its start), and returns the result. */
  async exchange(withinMs: number, handed?: { job: Job; transfer: readonly ArrayBuffer[] }): Promise<Outcome> {
    // If this process was busy, the answer may have arrived already: it is read before the deadline counts.
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

/** The other side: runs jobs in the current thread, one at a time. */
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

/** Bytes that share their memory with others (as small Buffers do) can't be transferred. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}
