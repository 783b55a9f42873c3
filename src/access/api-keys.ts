// Keys for programs. A key is shown once, when it is created. Its hash and its first characters are stored, to identify keys.

import type { ApiKey } from '../db/schema.ts'
import { Refusal, invalid } from '../base/errors.ts'
import { hashSecret, randomSecret } from '../base/tokens.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { type Actor, audit } from './audit.ts'
import { parseScopes } from './scopes.ts'

/** Lets secret scanners find leaked keys. */
const mark = 'bsk_'
const prefixLength = mark.length + 6
const noteEveryMs = 60_000

export async function createApiKey(
  ctx: Context,
  input: { name: string; scope: string; expiresAt?: Date | null; actor: Actor },
): Promise<{ key: string; apiKey: ApiKey }> {
  const now = ctx.clock.now()
  const name = input.name.trim()
  if (!name || name.length > 80) throw invalid('name', 'A name of 1 to 80 characters tells this key from others.')
  if (input.expiresAt && input.expiresAt <= now) throw invalid('expiresAt', 'The key would already have expired.')
  const scope = parseScopes(input.scope)
  const key = mark + randomSecret()
  const apiKey = await ctx.db.transaction().execute(async (trx) => {
    const row = await trx
      .insertInto('apiKeys')
      .values({
        name,
        prefix: key.slice(0, prefixLength),
        keyHash: hashSecret(key),
        scope,
        createdAt: now,
        expiresAt: input.expiresAt ?? null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    const detail = { name, scope }
    await audit(trx, { at: now, actor: input.actor, action: 'api_key.created', subject: `api-key:${row.id}`, detail })
    return row
  })
  return { key, apiKey }
}

/** Takes effect at the next request. Safe to repeat. */
export async function revokeApiKey(ctx: Context, input: { id: number; actor: Actor }): Promise<void> {
  const now = ctx.clock.now()
  await ctx.db.transaction().execute(async (trx) => {
    const known = await trx
      .selectFrom('apiKeys')
      .select('revokedAt')
      .where('id', '=', input.id)
      .forUpdate()
      .executeTakeFirst()
    if (!known) throw new Refusal('not_found', `There is no API key ${input.id}.`)
    if (known.revokedAt) return
    await trx.updateTable('apiKeys').set({ revokedAt: now }).where('id', '=', input.id).execute()
    await audit(trx, { at: now, actor: input.actor, action: 'api_key.revoked', subject: `api-key:${input.id}` })
  })
}

/** Newest first, including revoked ones. */
export async function listApiKeys(db: Db): Promise<ApiKey[]> {
  return db.selectFrom('apiKeys').selectAll().orderBy('id', 'desc').execute()
}

/** The presented key, if it is valid now. Records its use, at most once a minute. */
export async function findApiKey(db: Db, key: string, now: Date): Promise<ApiKey | undefined> {
  const found = await db
    .selectFrom('apiKeys')
    .selectAll()
    .where('keyHash', '=', hashSecret(key))
    .where('revokedAt', 'is', null)
    .where((eb) => eb.or([eb('expiresAt', 'is', null), eb('expiresAt', '>', now)]))
    .executeTakeFirst()
  if (found && now.getTime() - (found.lastUsedAt?.getTime() ?? 0) > noteEveryMs)
    await db.updateTable('apiKeys').set({ lastUsedAt: now }).where('id', '=', found.id).execute()
  return found
}
