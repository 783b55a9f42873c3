// The program, driven by words instead of requests: `npm run -s cli -- --help`. With the embedded database in the hands of a
// running server the words go to that server, which runs the same command and sends its output back.

import { createInterface } from 'node:readline/promises'
import { type Config, readConfig } from './base/config.ts'
import { callServer } from './commands/control.ts'
import { HeldByServer, openForCommand, type Opened } from './commands/open.ts'
import { createOut, processSink } from './commands/out.ts'
import { runWords } from './commands/program.ts'
import type { Session } from './commands/session.ts'

const words = process.argv.slice(2)
const stdout = processSink(process.stdout)
const stderr = processSink(process.stderr)
const out = createOut(stdout, stderr)
const interrupted = new AbortController()
let interruptions = 0
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    interrupted.abort()
    // The first asks the command to end well, the second doesn't ask.
    if (++interruptions > 1) process.exit(130)
  })

let config: Config | undefined
let opened: Opened | undefined
let isConfirmed = false

const session: Session = {
  out,
  cwd: process.cwd(),
  signal: interrupted.signal,
  isInServer: false,
  config: () => (config ??= readConfig(process.env)),
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

async function main(): Promise<number> {
  try {
    return await runWords(words, session)
  } catch (error) {
    if (!(error instanceof HeldByServer)) throw error
    const call = { words, cwd: session.cwd, isTty: stderr.isTty, columns: stderr.columns, isConfirmed }
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

try {
  process.exitCode = await main()
} catch (error) {
  if (!interrupted.signal.aborted) out.error(error instanceof Error ? error.message : String(error))
  process.exitCode = stdout.isClosed ? 0 : interrupted.signal.aborted ? 130 : 1
}
