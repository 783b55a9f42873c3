// The terminal's side of a command: the process's streams, signals and exit code. If a running server holds the embedded database,
// the arguments are sent to that server, which runs the same command and returns its output.

import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { type Config, readConfig } from '../base/config.ts'
import { callServer } from './control.ts'
import { HeldByServer, openForCommand, type Opened } from './open.ts'
import { createOut, processSink } from './out.ts'
import { runWords } from './program.ts'
import type { Session } from './session.ts'

const interrupted = new AbortController()
const stdout = processSink(process.stdout, interrupted.signal)
const stderr = processSink(process.stderr, interrupted.signal)
const out = createOut(stdout, stderr)
let interruptedAt = 0

let config: Config | undefined
let opened: Opened | undefined
let isConfirmed = false

const session: Session = {
  out,
  cwd: process.cwd(),
  signal: interrupted.signal,
  isInServer: false,
  runWords,
  config: () => (config ??= readConfig(environment())),
  open: async () => (opened ??= await openForCommand(session.config())),
  async confirm(question) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) return false
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    const answer = await lines.question(`${question} (yes/no) `, { signal: interrupted.signal }).catch(() => '')
    lines.close()
    isConfirmed = /^y(es)?$/i.test(answer.trim())
    return isConfirmed
  },
}

/** The process's environment, plus a .env file in the current folder. */
function environment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env')
  return process.env
}

/** After the signal. By then a worker has given up what is on the wire (delivery/worker.ts). */
const mostSeconds = 28

/** Runs the command and sets the process's exit code. */
export async function runFromTerminal(words: readonly string[]): Promise<void> {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt)
  try {
    process.exitCode = await run(words)
  } catch (error) {
    if (!interrupted.signal.aborted) out.error(error instanceof Error ? error.message : String(error))
    process.exitCode = stdout.isClosed ? 0 : interrupted.signal.aborted ? 130 : 1
  }
  // Nothing that would keep the process alive, such as a reader who has stopped reading, is waited for.
  if (interrupted.signal.aborted) process.exit()
}

/**
 * The first signal asks the command to end, and starts a time limit; later ones have no effect. Under npm, one Ctrl-C arrives
 * twice: from the terminal, and from npm right after.
 */
function interrupt(): void {
  const now = performance.now()
  if (!interrupted.signal.aborted) {
    interruptedAt = now
    interrupted.abort()
    setTimeout(() => process.exit(130), mostSeconds * 1000).unref()
  } else if (now - interruptedAt > 1000) process.exit(130)
}

async function run(words: readonly string[]): Promise<number> {
  try {
    return await runWords(words, session)
  } catch (error) {
    if (!(error instanceof HeldByServer)) throw error
    const call = {
      words: [...words],
      cwd: session.cwd,
      isTty: stderr.isTty,
      columns: stderr.columns,
      isConfirmed,
    }
    return await callServer(
      error.control,
      call,
      {
        stdout: (text) => {
          if (stdout.isClosed) interrupted.abort()
          else if (!stdout.write(text)) return stdout.drained()
        },
        stderr: (text) => void stderr.write(text),
      },
      interrupted.signal,
    )
  } finally {
    await opened?.close()
  }
}
