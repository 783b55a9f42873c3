// What a command is given beside its arguments. The same command runs in two places: in the process that was started for it, or
// in the running server that holds the embedded database and was asked over its control address (control-server.ts).

import path from 'node:path'
import type { Config } from '../base/config.ts'
import type { Running } from './open.ts'
import type { Out } from './out.ts'

export interface Session {
  out: Out
  /** Where the caller stands: paths in arguments are relative to it. */
  cwd: string
  /** Aborted by Ctrl-C, or when the caller has gone. */
  signal: AbortSignal
  config(): Config
  /** Opens the database and brings its schema up; in a server, the server's own. */
  open(): Promise<Running>
  /** Asks the person at the terminal. false: no, or nobody there to ask. */
  confirm(question: string): Promise<boolean>
  /** A command that makes no sense inside the server: start. */
  isInServer: boolean
  /** Runs any command (program.ts); resolves to its exit code. A server runs what callers send. */
  runWords(words: readonly string[], session: Session): Promise<number>
}

export function resolvePath(session: Session, file: string): string {
  return path.resolve(session.cwd, file)
}
