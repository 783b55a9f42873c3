// The thread behind parser.ts: a job in, its answer out, one at a time.

import { parentPort } from 'node:worker_threads'
import { type ParseJob, runJob } from './parse-jobs.ts'

/** null: the thread is ready. */
export type ThreadMessage = null | { answer: ReturnType<typeof runJob> } | { failed: string }

function say(message: ThreadMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is a window's, not a thread's
  parentPort!.postMessage(message)
}

parentPort!.on('message', (job: ParseJob) => {
  try {
    say({ answer: runJob(job) })
  } catch (error) {
    say({ failed: error instanceof Error ? error.message : String(error) })
  }
})
say(null)
