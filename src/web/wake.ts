// After a trigger: look now instead of at the next minute. Losing this wake-up costs a minute, nothing else.

import type { WebContext } from './web-context.ts'

export async function wakeTick(web: WebContext): Promise<void> {
  await web.db.transaction().execute((trx) => web.queue.enqueue(trx, 'tick', {}, 'triggered'))
}
