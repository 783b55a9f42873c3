// `inbound retry`: gives mails that five attempts couldn't apply five more.

import { invalid } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'
import { retryFailed } from '../../inbound/retry.ts'
import type { Out } from '../out.ts'

export async function inboundRetry(
  ctx: Context,
  { id, json }: { id: string | undefined; json?: boolean | undefined },
  out: Out,
): Promise<number> {
  if (id !== undefined && !/^[1-9]\d{0,14}$/.test(id)) throw invalid('id', `ID must be a whole number, not ${id}.`)
  const retried = await retryFailed(ctx, { id: id === undefined ? undefined : Number(id), actor: 'cli' })
  if (json) out.print(JSON.stringify({ retried }))
  else if (retried === 0) out.print('No mail has failed, or its text is deleted.')
  else out.print(`${retried} ${retried === 1 ? 'mail is' : 'mails are'} retried by the worker.`)
  return 0
}
