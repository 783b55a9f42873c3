// Connects the control address with the commands: they run in the server's process, with its database and its configuration.

import { Refusal } from '../base/errors.ts'
import { type ControlServer, startControlServer } from './control-server.ts'
import type { Running } from './open.ts'
import type { Session } from './session.ts'

/** For the process that holds the embedded database. Close it before the database. */
export async function serveCommands(
  dataDir: string,
  running: Running,
  runWords: Session['runWords'],
): Promise<ControlServer> {
  return startControlServer(dataDir, async (call, out, signal) => {
    const session: Session = {
      out,
      cwd: call.cwd,
      signal,
      isInServer: true,
      runWords,
      config: () => running.ctx.config,
      open: () => Promise.resolve(running),
      confirm: () => Promise.resolve(call.isConfirmed),
    }
    try {
      return await runWords(call.words, session)
    } catch (error) {
      if (!(error instanceof Refusal)) running.ctx.log.error({ err: error }, 'a command failed')
      out.error(error instanceof Error ? error.message : String(error))
      return 1
    }
  })
}
