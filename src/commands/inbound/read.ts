// `inbound read`: reads returned mails from files, as the listener would, for operators who receive them in another way, and
// prints the effects.

import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Out } from '../out.ts'
import type { Context } from '../../db/context.ts'
import { fingerprintOf, storeInbound } from '../../inbound/store.ts'
import { runInbound } from '../../inbound/work.ts'

/** Exit code 1 if a file couldn't be read or its mail couldn't be applied; the others are still applied. */
export async function inboundRead(
  ctx: Context,
  { files, json, resolve }: { files: readonly string[]; json?: boolean | undefined; resolve: (file: string) => string },
  out: Out,
): Promise<number> {
  let exit = 0
  for (const file of files) {
    const result = await readOne(ctx, resolve(file)).catch((cause: unknown) => ({ problem: (cause as Error).message }))
    if (result.problem !== null) exit = 1
    if (json) out.print(JSON.stringify({ file, ...result }))
    else out.print(`${file}: ${inWords(result)}`)
  }
  return exit
}

interface Result {
  /** false: the same mail was read before. */
  isNew: boolean
  kind: string | null
  problem: string | null
  reports: {
    recipient: string | null
    status: string | null
    class: string
    delivery: number | null
    proof: string | null
    effect: string
  }[]
}

async function readOne(ctx: Context, file: string): Promise<Result> {
  const mail = { source: 'command', envelopeTo: null, raw: await readFile(file), receivedAt: ctx.clock.now() } as const
  const isNew = (await storeInbound(ctx.db, mail)) === 'stored'
  await runInbound(ctx)
  const fingerprint = fingerprintOf(mail)
  for (;;) {
    const event = await ctx.db
      .selectFrom('inboundEvents')
      .select(['id', 'kind', 'problem', 'appliedAt'])
      .where('fingerprint', '=', fingerprint)
      .executeTakeFirstOrThrow()
    // A worker may have claimed it first.
    if (!event.appliedAt && event.problem === null) {
      await pause(200)
      continue
    }
    const reports = await ctx.db
      .selectFrom('inboundReports')
      .select(['recipient', 'status', 'class', 'deliveryId as delivery', 'proof', 'effect'])
      .where('eventId', '=', event.id)
      .orderBy('id')
      .execute()
    return { isNew, kind: event.kind, problem: event.appliedAt ? null : event.problem, reports }
  }
}

function inWords(result: Result | { problem: string }): string {
  if (result.problem !== null) return result.problem
  const { kind, isNew, reports } = result as Result
  const said = reports.map(
    ({ recipient, class: what, delivery, effect }) =>
      `${recipient ?? 'no address'}: ${what}, ${delivery === null ? 'no delivery of ours' : `delivery ${delivery}`}, ${effect}`,
  )
  return [isNew ? (kind ?? 'unknown') : `${kind ?? 'unknown'}, processed before`, ...said].join('\n  ')
}
