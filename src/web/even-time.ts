// Answers that take the same time whatever is known of an address. The work behind them differs by the address's state, so none is
// sent sooner than 250 ms after its request came in. That is longer than any of this work takes, except under load. An answer whose
// work takes longer comes after 500 ms, 750 ms and so on. For the next two seconds all answers take at least 500 ms, so that under
// load, too, the time doesn't show which of them had more work.

import { setTimeout as pause } from 'node:timers/promises'
import type { Request, RequestHandler } from 'express'
import type { WebContext } from './web-context.ts'

const stepMs = 250
const raisedForMs = 2_000

/** Until then all answers of this process take at least two steps. */
let raisedUntil = 0

const waits = new WeakMap<Request, { startedAt: number; floorMs: number; floor: Promise<void> }>()

/** Comes first in the route, so that the time counts from the request's start. */
export const startEvenly: RequestHandler = (request, _response, next) => {
  const startedAt = performance.now()
  const floorMs = startedAt < raisedUntil ? 2 * stepMs : stepMs
  waits.set(request, { startedAt, floorMs, floor: pause(floorMs) })
  next()
}

/** To be awaited just before the answer. A late answer may show how much work there was, so it is logged. */
export async function answerEvenly({ log }: Pick<WebContext, 'log'>, request: Request): Promise<void> {
  const wait = waits.get(request)
  if (!wait) throw new Error('startEvenly comes first in a route that answers evenly.')
  const workMs = Math.round(performance.now() - wait.startedAt)
  if (workMs >= stepMs) {
    raisedUntil = performance.now() + raisedForMs
    log.warn({ workMs }, 'an answer about an address was late: the server is loaded')
  }
  await wait.floor
  if (workMs >= wait.floorMs) await pause(stepMs - (workMs % stepMs))
}
