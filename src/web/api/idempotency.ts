// `Idempotency-Key` on POST: the first answer is stored for a day and returned for the same request, so a client may repeat a POST
// whose answer it never received. A key is claimed before the work begins: of two simultaneous requests, one works and the other
// is refused.
//
// If the process dies in between, nobody knows whether the work was done. Such a key stays refused, and the caller must check
// first.

import { createHash } from 'node:crypto'
import type { Request } from 'express'
import { z } from 'zod'
import { Refusal } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'

/** The header in the document. */
export const idempotencyKey = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'has 1 to 200 visible ASCII characters')
    .optional()
    .meta({ description: 'Repeat the request with the same key, and it is done once and answered alike, for a day.' }),
})

const keptMs = 86_400_000

export interface Answer {
  status: number
  body: unknown
  isReplayed: boolean
}

/** Does the work, or returns the stored answer of the same request. A refusal changed nothing, so its key is free again. */
export async function answerOnce(
  ctx: Context,
  call: { request: Request; actor: { apiKeyId: number }; key: string | undefined },
  status: number,
  work: () => Promise<unknown>,
): Promise<Answer> {
  const { key } = call
  if (key === undefined) return { status, body: await work(), isReplayed: false }
  const { apiKeyId } = call.actor
  const asked = JSON.stringify([call.request.baseUrl + call.request.url, call.request.body ?? null])
  const requestHash = createHash('sha256').update(asked).digest('hex')
  const first = await claim(ctx, { apiKeyId, key, requestHash })
  if (first) return replay(first, requestHash)

  const kept = ctx.db.updateTable('idempotencyKeys').where('apiKeyId', '=', apiKeyId).where('key', '=', key)
  try {
    const body = await work()
    await kept.set({ status, body: body === undefined ? null : JSON.stringify(body) }).execute()
    return { status, body, isReplayed: false }
  } catch (error) {
    await ctx.db
      .deleteFrom('idempotencyKeys')
      .where('apiKeyId', '=', apiKeyId)
      .where('key', '=', key)
      .where('status', 'is', null)
      .execute()
    throw error
  }
}

/** A nightly chore: deletes keys whose day is over. Safe to repeat. */
export async function purgeIdempotencyKeys({ db, clock }: Context): Promise<void> {
  await db
    .deleteFrom('idempotencyKeys')
    .where('createdAt', '<', new Date(clock.now().getTime() - keptMs))
    .execute()
}

interface Kept {
  requestHash: string
  status: number | null
  body: unknown
  createdAt: Date
}

/** undefined: the key is ours now. Otherwise what the earlier request stored. */
async function claim(
  ctx: Context,
  row: { apiKeyId: number; key: string; requestHash: string },
): Promise<Kept | undefined> {
  const createdAt = ctx.clock.now()
  const claimed = await ctx.db
    .insertInto('idempotencyKeys')
    .values({ ...row, createdAt })
    .onConflict((conflict) =>
      conflict
        .columns(['apiKeyId', 'key'])
        .doUpdateSet({ requestHash: row.requestHash, createdAt, status: null, body: null })
        .where('idempotencyKeys.createdAt', '<', new Date(createdAt.getTime() - keptMs)),
    )
    .returning('key')
    .executeTakeFirst()
  if (claimed) return undefined
  return ctx.db
    .selectFrom('idempotencyKeys')
    .select(['requestHash', 'status', 'body', 'createdAt'])
    .where('apiKeyId', '=', row.apiKeyId)
    .where('key', '=', row.key)
    .executeTakeFirst()
}

function replay(first: Kept, requestHash: string): Answer {
  if (first.requestHash !== requestHash)
    throw new Refusal('conflict', 'This Idempotency-Key was used with another request. Use a new one.', [
      { field: 'Idempotency-Key', message: 'was used with another request' },
    ])
  if (first.status === null)
    throw new Refusal(
      'conflict',
      `A request with this Idempotency-Key began at ${first.createdAt.toISOString()}; its outcome isn't known.`,
    )
  return { status: first.status, body: first.body, isReplayed: true }
}
