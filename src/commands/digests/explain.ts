// `digest explain EMAIL`: why this address did or didn't get each recent edition.

import type { Context } from '../../db/context.ts'
import { explainRecent, whyDue } from '../../desk/explain.ts'
import { findSubscriber, subscriberOf } from '../../subscribers/store.ts'
import type { Out } from '../out.ts'

export async function digestExplain(
  ctx: Context,
  args: { email: string; json?: boolean | undefined },
  out: Out,
): Promise<number> {
  const subscriber = (await findSubscriber(ctx.db, await subscriberOf(ctx.db, args.email)))!
  const due = whyDue(subscriber, ctx.clock.now())
  if (args.json)
    out.print(
      JSON.stringify({
        event: 'subscriber',
        email: subscriber.email,
        status: subscriber.status,
        nextDueAt: subscriber.nextDueAt,
        why: due,
      }),
    )
  else out.print(`${subscriber.email}: ${due}`)

  for (const { edition, delivery, at, why } of await explainRecent(ctx, subscriber)) {
    if (args.json)
      out.print(
        JSON.stringify({
          event: 'edition',
          edition: edition.id,
          kind: edition.kind,
          at,
          state: delivery?.state ?? null,
          reason: delivery?.reason ?? null,
          stories: delivery?.articleIds ?? null,
          why,
        }),
      )
    else out.print(`${at.toISOString()}  edition ${edition.id} (${edition.kind}): ${why}`)
  }
  return 0
}
