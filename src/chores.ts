// MAP 2: everything that runs in the background: the name of each chore and its workflow. Each is safe to repeat, because a job
// may run twice. Mails aren't chores: delivery/worker.ts sends them.

import { pollDueFeeds } from './articles/poll.ts'
import type { Context } from './db/context.ts'
import type { JobHandlers } from './db/queue.ts'
import { runTick } from './planning/tick.ts'
import { purgeInboundTokens } from './inbound/webhooks.ts'
import { purgeInbound, runInbound } from './inbound/work.ts'
import { purgeImports } from './subscribers/import/uploads.ts'
import { runImports } from './subscribers/import/work.ts'
import { purgeUnconfirmed } from './subscribers/purge.ts'
import { purgeAccess } from './access/purge.ts'
import { purgeAlerts } from './desk/alerts.ts'
import { purgeIdempotencyKeys } from './web/api/idempotency.ts'

export function chores(ctx: Context): JobHandlers {
  return {
    tick: () => runTick(ctx),
    'poll-feeds': () => pollDueFeeds(ctx),
    inbound: () => runInbound(ctx),
    imports: () => runImports(ctx),
    housekeeping: async () => {
      await purgeUnconfirmed(ctx)
      await purgeAccess(ctx)
      await purgeIdempotencyKeys(ctx)
      await purgeAlerts(ctx)
      await purgeInboundTokens(ctx)
      await purgeInbound(ctx)
      await purgeImports(ctx)
    },
  }
}
