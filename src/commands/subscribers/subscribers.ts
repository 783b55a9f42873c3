// `subscribers export` and `subscribers erase` on the command line. Each returns the exit code.

import type { Out } from '../out.ts'
import { parseEmailAddress } from '../../base/email-address.ts'
import { invalid } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'
import { subscriberStatuses } from '../../db/schema.ts'
import { eraseAddress } from '../../subscribers/erase.ts'
import { exportCsv, streamSubscribers } from '../../subscribers/export.ts'

/** CSV, or one JSON object per line. */
export async function subscribersExport(
  ctx: Context,
  args: { json?: boolean; status?: string },
  out: Out,
  signal?: AbortSignal,
): Promise<number> {
  const status = subscriberStatuses.find((each) => each === args.status) ?? null
  if (args.status !== undefined && !status)
    throw invalid('--status', `--status must be one of ${subscriberStatuses.join(', ')}`)
  let written = 0
  const note = (count: number) => out.progress(`${(written += count).toLocaleString('en')} subscribers`)
  if (args.json)
    for await (const page of streamSubscribers(ctx.db, status)) {
      for (const one of page) out.print(JSON.stringify(one))
      note(page.length)
      await out.flush?.()
      signal?.throwIfAborted()
    }
  else {
    const risky: string[] = []
    for await (const { text, count, formulas } of exportCsv(ctx.db, status)) {
      out.print(text)
      note(count)
      risky.push(...formulas)
      await out.flush?.()
      signal?.throwIfAborted()
    }
    if (risky.length > 0)
      out.error(
        `${risky.length} addresses begin with a character that a spreadsheet takes for a formula; they stand as they are: ${risky.slice(0, 10).join(', ')}${risky.length > 10 ? ', …' : ''}`,
      )
  }
  out.progress('')
  return 0
}

/** Also for an address that never signed up: it is suppressed. */
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
        ? 'Erased. Only a keyed hash of the address stays, on the suppression list.'
        : 'This address was unknown. It is now on the suppression list, as a keyed hash.',
    )
  return 0
}
