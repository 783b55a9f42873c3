// The command line: all commands and their functions. Each function is in its area's folder and doesn't know commander; here are
// only names, options and help. The same table is used by cli.ts and, if a server holds the embedded database, by that server.

import { Command, CommanderError } from 'commander'
import type { Does, Work } from './add-commands.ts'
import { ConfigError } from '../base/config.ts'
import { Refusal } from '../base/errors.ts'
import { isOutage } from '../db/outage.ts'
import { HeldByServer } from './open.ts'
import { OutputClosed } from './out.ts'
import type { Session } from './session.ts'
import { accessCommands } from './access.ts'
import { articleCommands } from './articles.ts'
import { digestCommands } from './digests.ts'
import { inboundCommands } from './inbound.ts'
import { installationCommands } from './installation.ts'
import { operatorCommands } from './operator.ts'
import { sendingCommands } from './sending.ts'
import { subscriberCommands } from './subscribers.ts'

/** Runs the command. Resolves to the exit code. Rejects only with HeldByServer. */
export async function runWords(words: readonly string[], session: Session): Promise<number> {
  const { out } = session
  let exit = 0
  /** Stores the exit code of the command that ran. */
  const does =
    <Args extends unknown[]>(work: Work<Args>) =>
    async (...args: Args): Promise<void> => {
      exit = await work(...args)
    }
  const program = buildProgram(session, does)
  try {
    await program.parseAsync([...words], { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof HeldByServer) throw error
    return sayWhatWentWrong(error, session)
  } finally {
    if (out.isTty) out.progress('')
  }
}

/** Every command with its arguments, options and help. Also the source of docs/cli.md. */
export function buildProgram(session: Session, does: Does): Command {
  const { out } = session
  const program = new Command('broadsheet')
    .description('The newsletter of a news site.')
    .showHelpAfterError('(add --help for help)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => out.print(text.trimEnd()),
      writeErr: (text) => out.error(text.trimEnd()),
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
    })
  for (const add of [
    operatorCommands,
    installationCommands,
    articleCommands,
    subscriberCommands,
    digestCommands,
    sendingCommands,
    inboundCommands,
    accessCommands,
  ])
    add(program, session, does)
  inheritSettings(program)
  return program
}

/** Subcommands must throw instead of exiting too: an exit would end the server. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command)
    inheritSettings(child)
  }
}

function sayWhatWentWrong(error: unknown, { out, signal }: Session): number {
  if (error instanceof OutputClosed) return 0
  if (signal.aborted) {
    out.error('Interrupted.')
    return 130
  }
  // Commander has already printed its own message.
  if (error instanceof CommanderError) return error.exitCode
  if (error instanceof Refusal || error instanceof ConfigError) {
    out.error(error.message)
    return 1
  }
  const { code, message } = error as NodeJS.ErrnoException
  // data_corrupted, index_corrupted
  if (code === 'XX001' || code === 'XX002')
    out.error(`A file of the database is damaged (${message}). Restore a backup, or a copy of its whole folder.`)
  else if (code === '53100')
    out.error(`There is no space left for the database (${message}). Free some and start again.`)
  else if (isOutage(error) || code === '28P01' || code === '3D000')
    out.error(
      `The database is unavailable: ${message || code}. Check DATABASE_URL, and the log and disk of the database server.`,
    )
  else out.error(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return 1
}
