// What a file of commands exports, for program.ts.

import { once } from 'node:events'
import { type Command, InvalidArgumentError } from 'commander'
import type { Session } from './session.ts'

/** A command's work: resolves to its exit code. */
export type Work<Args extends unknown[]> = (...args: Args) => Promise<number>

/** Wraps a command's work in the function that commander calls. */
export type Does = <Args extends unknown[]>(work: Work<Args>) => (...args: Args) => Promise<void>

export type AddCommands = (program: Command, session: Session, does: Does) => void

/** For options that take a whole number, at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < least)
      throw new InvalidArgumentError(`Must be a whole number, ${least} or more.`)
    return Number(text)
  }
}

/**
 * The work's result. Rejects as soon as the signal aborts. The work isn't told, so this is only for work that may be cut off
 * anywhere.
 */
export async function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const ended = new AbortController()
  const aborted = once(signal, 'abort', { signal: ended.signal }).then(() => Promise.reject(signal.reason as Error))
  return Promise.race([work, aborted]).finally(() => ended.abort())
}
