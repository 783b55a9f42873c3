// What a command gets besides its arguments. The same command runs in two places: in the process that was started for it, or in
// the running server that holds the embedded database, through its control address (control-server.ts).

import path from 'node:path'
import type { Config } from '../base/config.ts'
import type { Running } from './open.ts'
import type { Out } from './out.ts'

export interface Session {
  out: Out
  /** The caller's folder: paths in arguments are relative to it. */
  cwd: string
  /** Aborted by Ctrl-C, or when the caller has disconnected. */
  signal: AbortSignal
  config(): Config
  /** Opens the database and updates its schema; in a server, the server's own database. */
  open(): Promise<Running>
  /** Asks the person at the terminal. false: no, or there is no person. */
  confirm(question: string): Promise<boolean>
  /** For commands that can't run inside the server: start. */
  isInServer: boolean
  /** Runs any command (program.ts); resolves to its exit code. A server runs the commands of its callers. */
  runWords(words: readonly string[], session: Session): Promise<number>
}

export function resolvePath(session: Session, file: string): string {
  return path.resolve(session.cwd, file)
}
