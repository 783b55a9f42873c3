// `digest run --dry-run`: who would get which digest, why, and how large each mail would be. Reads in batches and changes nothing:
// the edition exists only in memory.

import type { Out } from '../out.ts'
import type { Context } from '../../db/context.ts'
import { everythingDue, frequencies, frequencyBits } from '../../db/schema.ts'
import { reckon } from '../../calendar/cadence.ts'
import { composeDigest, listReaders } from '../../digests/compose.ts'
import { openNextEdition } from '../../digests/next.ts'
import { scheduleOf } from '../../calendar/schedules.ts'
import { categoryIdsOf } from '../../articles/store.ts'

export interface DryRunArgs {
  only: number | undefined
  manual: boolean
  categories: readonly string[] | undefined
  json: boolean | undefined
  signal?: AbortSignal | undefined
}

const batchSize = 500

export async function dryRun(ctx: Context, args: DryRunArgs, out: Out): Promise<number> {
  const now = ctx.clock.now()
  const next = await openNextEdition(ctx)
  const onlyCategories = args.categories?.length ? await categoryIdsOf(ctx.db, args.categories) : null
  const edition = { ...next, onlyCategories }
  let mails = 0
  let bytes = 0
  let without = 0
  for (let last = 0; ;) {
    const batch = await dueBatch(ctx, args, now, last)
    if (batch.length === 0) break
    last = batch.at(-1)!.id
    const readers = await listReaders(
      ctx.db,
      batch.map(({ id }) => id),
    )
    args.signal?.throwIfAborted()
    for (const subscriber of batch) {
      const { due, why } = whatIsDue(ctx, subscriber, args.manual, now)
      const delivery = { recipient: subscriber.email, due, articleIds: null }
      const composed = due ? composeDigest(ctx, edition, readers.get(subscriber.id)!, delivery, now) : null
      if (composed?.outcome === 'mail') {
        mails++
        bytes += composed.mail.htmlBytes
      } else without++
      say(out, args, { email: subscriber.email, why, composed })
    }
    await out.flush?.()
  }
  if (!args.json)
    out.print(
      `${mails} mails, ${without} subscribers with nothing new` +
        (mails > 0 ? `, ${Math.round(bytes / mails).toLocaleString('en')} bytes of HTML on average.` : '.'),
    )
  return 0
}

function say(
  out: Out,
  args: DryRunArgs,
  line: { email: string; why: string; composed: ReturnType<typeof composeDigest> | null },
): void {
  const { email, why, composed } = line
  if (composed?.outcome === 'mail') {
    const { mail, record } = composed
    const bytes = mail.body.reduce((sum, part) => sum + part.length, 0)
    const stories = record?.articleIds ?? []
    const told = { event: 'would-send', email, why, subject: mail.subject, stories, htmlBytes: mail.htmlBytes, bytes }
    if (args.json) out.print(JSON.stringify(told))
    else
      out.print(
        `${email}  ${why}: ${stories.length} stories, ${mail.htmlBytes.toLocaleString('en')} bytes. ${mail.subject}`,
      )
    return
  }
  const reason = composed ? composed.reason : 'missed'
  if (args.json) out.print(JSON.stringify({ event: 'would-skip', email, why, reason }))
  else out.print(`${email}  ${why}: ${reason.replace('_', ' ')}`)
}

async function dueBatch(ctx: Context, args: DryRunArgs, now: Date, after: number) {
  let query = ctx.db
    .selectFrom('subscribers')
    .innerJoin('dueTimes', 'dueTimes.subscriberId', 'subscribers.id')
    .select(['id', 'email', 'nextDueAt', 'carriedDue'])
    .select(['timezone', 'sendHour', 'weeklyDay', 'monthlyDay', 'frequencies'])
    .where('status', '=', 'active')
    .where('id', '>', after)
    .where((eb) => eb.or([eb('pausedUntil', 'is', null), eb('pausedUntil', '<=', now)]))
    .orderBy('id')
    .limit(batchSize)
  query = args.manual ? query.where('frequencies', '<>', 0) : query.where('nextDueAt', '<=', now)
  if (args.only !== undefined) query = query.where('id', '=', args.only)
  return query.execute()
}

function whatIsDue(
  ctx: Context,
  subscriber: Awaited<ReturnType<typeof dueBatch>>[number],
  manual: boolean,
  now: Date,
): { due: number; why: string } {
  if (manual) return { due: everythingDue, why: 'manual' }
  const schedule = scheduleOf(subscriber, ctx.config.digest)
  const found = reckon(schedule, subscriber.nextDueAt, now, ctx.config.digest.graceHours * 3_600_000)
  if (!found.slot)
    return { due: 0, why: `the slot of ${subscriber.nextDueAt.toISOString()} is older than DIGEST_GRACE_HOURS` }
  const due = found.due | (subscriber.carriedDue & subscriber.frequencies)
  const names = frequencies.filter((name) => frequencyBits[name] & due)
  return { due, why: `${names.join(' and ')} due since ${found.slot.toISOString()}` }
}
