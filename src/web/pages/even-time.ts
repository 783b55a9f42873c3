// Answers that take the same time whatever is known of an address. The work behind them differs by the address's state, so none is
// sent sooner than 250 ms after its request came in. That is longer than any of this work takes, except under load. Then the answer
// comes after 500 ms, 750 ms and so on.

import { setTimeout as pause } from 'node:timers/promises'
import type { Request, RequestHandler } from 'express'
import type { WebContext } from '../web-context.ts'

const answerMs = 250

const waits = new WeakMap<Request, { startedAt: number; floor: Promise<void> }>()

/** Comes first in the route, so that the time counts from the request's start. */
export const startEvenly: RequestHandler = (request, _response, next) => {
  waits.set(request, { startedAt: performance.now(), floor: pause(answerMs) })
  next()
}

/** To be awaited just before the answer. A late answer may show how much work there was, so it is logged. */
export async function answerEvenly({ log }: Pick<WebContext, 'log'>, request: Request): Promise<void> {
  const wait = waits.get(request)
  if (!wait) throw new Error('startEvenly comes first in a route that answers evenly.')
  const workMs = Math.round(performance.now() - wait.startedAt)
  await wait.floor
  if (workMs < answerMs) return
  log.warn({ workMs, answerMs }, 'an answer about an address was late: the server is loaded')
  await pause(answerMs - (workMs % answerMs))
}
