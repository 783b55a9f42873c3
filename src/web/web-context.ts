// What pages and API get: a workflow's context, and the few running parts that a request may use.

import type { Registry } from 'prom-client'
import type { FetchResult } from '../articles/safe-fetch.ts'
import type { Database } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Queue } from '../db/queue.ts'
import type { Mailbox } from '../trial/mailbox.ts'

export interface WebContext extends Context {
  database: Database
  queue: Queue
  /** What /metrics shows besides values from the database; default: nothing. */
  registry?: Registry
  /** The trial's mailbox. */
  mailbox?: Mailbox | null
  /** Requests AWS's SNS hosts; default: the guarded fetcher. */
  fetchFromSns?: (url: string) => Promise<FetchResult>
}
