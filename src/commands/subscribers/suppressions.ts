// `suppressions list` and `suppressions undo` on the command line. Each returns the exit code.

import { invalid, Refusal } from '../../base/errors.ts'
import type { Out } from '../out.ts'
import type { Context } from '../../db/context.ts'
import {
  checkUndo,
  countSuppressions,
  listSuppressions,
  type SuppressionFilter,
  suppressionReasons,
  undoSuppressions,
} from '../../subscribers/suppression-list.ts'

export interface SuppressionArgs {
  reason?: string
  domain?: string
  from?: string
  to?: string
  json?: boolean
}

const pageSize = 500

export async function suppressionsList(ctx: Context, args: SuppressionArgs, out: Out): Promise<number> {
  const filter = filterOf(args)
  let before: { createdAt: Date; emailHash: string } | undefined
  for (;;) {
    const rows = await listSuppressions(ctx.db, { limit: pageSize, before, filter })
    for (const { emailHash, email, reason, detail, createdAt, domain } of rows)
      out.print(
        args.json
          ? JSON.stringify({ id: emailHash, email, reason, detail, createdAt, domain })
          : `${createdAt.toISOString()}  ${reason.padEnd(12)}  ${email ?? `hash ${emailHash.slice(0, 12)}…`}  ${detail}`,
      )
    await out.flush?.()
    before = rows.at(-1)
    if (rows.length < pageSize) return 0
  }
}

export async function suppressionsUndo(
  ctx: Context,
  args: SuppressionArgs & { yes?: boolean },
  out: Out,
  confirm: (question: string) => Promise<boolean>,
): Promise<number> {
  const filter = filterOf(args)
  checkUndo(filter)
  const fixed = { ...filter, to: filter.to ?? ctx.clock.now() }
  const found = await countSuppressions(ctx.db, fixed)
  if (!args.yes && !(await confirm(`Suppressions to lift: ${found}. Lift them?`)))
    throw new Refusal('conflict', 'Nothing was changed. Say yes at the prompt, or add --yes.')
  const removed = await undoSuppressions(ctx, fixed, 'cli')
  out.print(
    args.json
      ? JSON.stringify({ event: 'undone', removed })
      : `Suppressions lifted: ${removed}. Each subscriber has its former status again.`,
  )
  return 0
}

function filterOf({ reason, domain, from, to }: SuppressionArgs): SuppressionFilter {
  const known = suppressionReasons.find((each) => each === reason)
  if (reason !== undefined && !known) throw invalid('--reason', `must be one of ${suppressionReasons.join(', ')}`)
  return { reason: known, domain, from: timeOf('--from', from), to: timeOf('--to', to) }
}

function timeOf(name: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) throw invalid(name, 'must be a time, such as 2026-03-02T07:00:00Z')
  return at
}
