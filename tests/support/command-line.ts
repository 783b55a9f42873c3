// The command line inside a test's own process, on the house's database.

import { createOut } from '../../src/commands/out.ts'
import { runWords } from '../../src/commands/program.ts'
import type { House } from './house.ts'

export interface Said {
  code: number
  stdout: string
  stderr: string
  /** With --json: its objects. */
  lines: () => Record<string, unknown>[]
}

/** `says`: what the person at the terminal answers; null: there is none. */
export async function typed(
  house: Pick<House, 'ctx' | 'database'>,
  words: string[],
  says: boolean | null = null,
): Promise<Said> {
  const text = { stdout: '', stderr: '' }
  const sink = (name: 'stdout' | 'stderr') => ({
    isTty: says !== null,
    isClosed: false,
    columns: 100,
    drained: () => Promise.resolve(),
    write: (more: string) => {
      text[name] += more
      return true
    },
  })
  const code = await runWords(words, {
    out: createOut(sink('stdout'), sink('stderr')),
    cwd: process.cwd(),
    signal: new AbortController().signal,
    isInServer: false,
    runWords,
    config: () => house.ctx.config,
    open: () => Promise.resolve({ ctx: house.ctx, database: house.database } as never),
    confirm: () => Promise.resolve(says === true),
  })
  const lines = () =>
    text.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { code, ...text, lines }
}

/** The fetcher may reach the test's own servers. */
export function allowHosts(house: House, ...hosts: string[]): void {
  house.ctx.config = { ...house.ctx.config, feeds: { ...house.ctx.config.feeds, allowHosts: hosts } }
}
