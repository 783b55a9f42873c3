// What the pages and the API are given: a workflow's context, and the few running parts that a request may touch.

import type { Registry } from 'prom-client'
import type { FetchResult } from '../articles/safe-fetch.ts'
import type { Database } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Queue } from '../db/queue.ts'
import type { Mailbox } from '../trial/mailbox.ts'

export interface WebContext extends Context {
  database: Database
  queue: Queue
  /** What /metrics shows beside what it reads from the database; default: nothing more. */
  registry?: Registry
  /** The trial's own. */
  mailbox?: Mailbox | null
  /** Asks the SNS hosts of AWS; default: the guarded fetcher. */
  fetchFromSns?: (url: string) => Promise<FetchResult>
}
