// An editor's session: a random token in a cookie, its hash in the database, so a copy of the database can't be used to sign in.
// It ends after 12 idle hours, after 14 days in any case, at sign-out, and when the editor is disabled.
//
// Its last use is recorded at most every five minutes, also by a GET: that only extends a session that a POST has begun.

import { hashSecret, randomSecret } from '../base/tokens.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Editor } from '../db/schema.ts'

const idleHours = 12
const absoluteDays = 14
const noteEveryMinutes = 5

export interface NewSession {
  token: string
  expiresAt: Date
}

export async function createSession(trx: Trx, editorId: number, now: Date): Promise<NewSession> {
  const token = randomSecret()
  const expiresAt = new Date(now.getTime() + absoluteDays * 86_400_000)
  await trx.deleteFrom('signInSessions').where('expiresAt', '<=', now).execute()
  await trx
    .insertInto('signInSessions')
    .values({ tokenHash: hashSecret(token), editorId, createdAt: now, lastSeenAt: now, expiresAt })
    .execute()
  return { token, expiresAt }
}

/** The editor of a valid session. */
export async function findSessionEditor(db: Db, token: string, now: Date): Promise<Editor | undefined> {
  const tokenHash = hashSecret(token)
  const found = await db
    .selectFrom('signInSessions')
    .innerJoin('editors', 'editors.id', 'signInSessions.editorId')
    .selectAll('editors')
    .select('signInSessions.lastSeenAt')
    .where('tokenHash', '=', tokenHash)
    .where('signInSessions.expiresAt', '>', now)
    .where('signInSessions.lastSeenAt', '>', new Date(now.getTime() - idleHours * 3_600_000))
    .where('editors.disabledAt', 'is', null)
    .executeTakeFirst()
  if (!found) return undefined
  const { lastSeenAt, ...editor } = found
  if (now.getTime() - lastSeenAt.getTime() > noteEveryMinutes * 60_000)
    await db.updateTable('signInSessions').set({ lastSeenAt: now }).where('tokenHash', '=', tokenHash).execute()
  return editor
}

/** Safe to repeat, and for an unknown token. */
export async function endSession(db: Db, token: string): Promise<void> {
  await db.deleteFrom('signInSessions').where('tokenHash', '=', hashSecret(token)).execute()
}
