// `subscribers …` on the command line. Each returns the exit code.

import { statSync } from 'node:fs'
import type { Out } from '../commands/out.ts'
import { parseEmailAddress } from '../base/email-address.ts'
import { invalid } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import { isFrequency } from './choices.ts'
import { eraseAddress } from './erase.ts'
import { exportCsv, streamSubscribers } from './export.ts'
import { importSubscribers } from './import.ts'

/** 0: at least one line was taken, or there was none to reject; 1: nothing could be taken. */
export async function subscribersImport(
  ctx: Context,
  args: { file: string; dryRun?: boolean; frequency?: string; json?: boolean },
  out: Out,
): Promise<number> {
  const { frequency = null } = args
  if (frequency !== null && !isFrequency(frequency)) throw invalid('--frequency', 'must be daily, weekly or monthly')
  let size: number
  try {
    size = statSync(args.file).size
  } catch (cause) {
    throw invalid('FILE', `can't read ${args.file} (${(cause as NodeJS.ErrnoException).code})`)
  }
  const result = await importSubscribers(ctx, {
    file: args.file,
    isDryRun: args.dryRun ?? false,
    frequency,
    onRejected: ({ line, reason }) =>
      out.print(args.json ? JSON.stringify({ event: 'rejected', line, reason }) : `line ${line}: ${reason}`),
    onProgress: (read, bytes) =>
      out.progress(`${bar(bytes / Math.max(1, size))} ${read.toLocaleString('en')} lines read`),
  })
  out.progress('')
  const event = args.dryRun ? 'would-import' : 'imported'
  if (args.json) out.print(JSON.stringify({ event, ...result }))
  else
    out.print(
      `${result.imported} ${args.dryRun ? 'would be imported' : 'imported'}, ${result.rejected} rejected, of ${result.read} lines.`,
    )
  return result.imported > 0 || result.rejected === 0 ? 0 : 1
}

/** CSV, or one JSON object a line. */
export async function subscribersExport(ctx: Context, args: { json?: boolean }, out: Out): Promise<number> {
  let written = 0
  const note = (count: number) => out.progress(`${(written += count).toLocaleString('en')} subscribers`)
  if (args.json)
    for await (const page of streamSubscribers(ctx.db)) {
      for (const one of page) out.print(JSON.stringify(one))
      note(page.length)
      await out.flush?.()
    }
  else
    for await (const { text, count } of exportCsv(ctx.db)) {
      out.print(text)
      note(count)
      await out.flush?.()
    }
  out.progress('')
  return 0
}

/** Also for an address that never signed up: it is kept from being mailed. */
export async function subscribersErase(
  ctx: Context,
  args: { email: string; json?: boolean },
  out: Out,
): Promise<number> {
  const address = parseEmailAddress(args.email)
  if (!address) throw invalid('EMAIL', 'is not an e-mail address')
  const { wasKnown } = await eraseAddress(ctx, address)
  if (args.json) out.print(JSON.stringify({ event: 'erased', wasKnown }))
  else
    out.print(
      wasKnown
        ? 'Erased. Only a keyed fingerprint of the address stays, on the suppression list.'
        : 'Nothing was known of this address. It is on the suppression list now, as a keyed fingerprint.',
    )
  return 0
}

function bar(part: number): string {
  const full = Math.round(Math.min(1, part) * 24)
  return `${'█'.repeat(full)}${'░'.repeat(24 - full)} ${Math.round(Math.min(1, part) * 100)} %`
}
