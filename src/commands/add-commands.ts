// What a file of commands exports, for program.ts.

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
