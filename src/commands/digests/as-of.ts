// `--as-of TIME`: the instant that a run uses as now.

import { sql } from 'kysely'
import { invalid } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'

export function parseInstant(text: string): Date {
  const at = new Date(text)
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(at.getTime()))
    throw invalid('as-of', `${text} is not an instant such as 2026-03-02T07:00:00Z.`)
  return at
}

const mostDaysAhead = 8

/** A typing error in the year would pass every slot until then as missed. */
export async function refuseFar(ctx: Context, asOf: Date): Promise<void> {
  const { rows } = await sql<{ now: Date }>`select now() as now`.execute(ctx.db)
  const days = (asOf.getTime() - rows[0]!.now.getTime()) / 86_400_000
  if (days > mostDaysAhead)
    throw invalid(
      'as-of',
      `${asOf.toISOString()} is ${Math.floor(days)} days ahead, and every slot until then would count as missed. ` +
        `Add --far to do that, or --dry-run or --only EMAIL to try it.`,
    )
}
