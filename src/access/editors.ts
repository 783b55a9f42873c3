// The people who sign in to the console. There are no passwords: an editor gets a link, by mail or from the command line, that
// works once. Disabling an editor ends every session and every open link in the same transaction.

import { parseEmailAddress } from '../base/email-address.ts'
import { Refusal, invalid } from '../base/errors.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Editor } from '../db/schema.ts'
import { type Actor, audit } from './audit.ts'

/** The editor with that address, created or enabled again if necessary. Safe to repeat. */
export async function createEditor(
  ctx: Context,
  input: { email: string; actor: Actor },
): Promise<{ outcome: 'created' | 'enabled' | 'exists'; editor: Editor }> {
  const address = parseEmailAddress(input.email)
  if (!address) throw invalid('email', `${JSON.stringify(input.email.slice(0, 80))} is not an e-mail address.`)
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const inserted = await trx
      .insertInto('editors')
      .values({ email: address.email, emailKey: address.key, createdAt: now })
      .onConflict((conflict) => conflict.column('emailKey').doNothing())
      .returningAll()
      .executeTakeFirst()
    const log = (action: string, editor: Editor) =>
      audit(trx, { at: now, actor: input.actor, action, subject: `editor:${editor.id}` })
    if (inserted) {
      await log('editor.created', inserted)
      return { outcome: 'created', editor: inserted }
    }
    const known = (await findEditorByKey(trx, address.key))!
    if (!known.disabledAt) return { outcome: 'exists', editor: known }
    await trx.updateTable('editors').set({ disabledAt: null }).where('id', '=', known.id).execute()
    await log('editor.enabled', known)
    return { outcome: 'enabled', editor: { ...known, disabledAt: null } }
  })
}

/** Ends all sessions. Editors can't disable themselves, so a console always has an editor. */
export async function disableEditor(ctx: Context, input: { id: number; actor: Actor }): Promise<void> {
  if (input.actor === `editor:${input.id}`) throw new Refusal('conflict', 'You cannot disable yourself.')
  const now = ctx.clock.now()
  await ctx.db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('editors')
      .set({ disabledAt: now })
      .where('id', '=', input.id)
      .where('disabledAt', 'is', null)
      .executeTakeFirst()
    await endAccess(trx, input.id)
    if (numUpdatedRows)
      await audit(trx, { at: now, actor: input.actor, action: 'editor.disabled', subject: `editor:${input.id}` })
  })
}

export async function listEditors(db: Db): Promise<(Editor & { lastSeenAt: Date | null })[]> {
  return db
    .selectFrom('editors')
    .selectAll('editors')
    .select((eb) =>
      eb
        .selectFrom('signInSessions')
        .whereRef('signInSessions.editorId', '=', 'editors.id')
        .select((sessions) => sessions.fn.max('lastSeenAt').as('at'))
        .as('lastSeenAt'),
    )
    .orderBy('emailKey')
    .execute()
}

export async function findEditorByKey(db: Db, emailKey: string): Promise<Editor | undefined> {
  return db.selectFrom('editors').selectAll().where('emailKey', '=', emailKey).executeTakeFirst()
}

async function endAccess(trx: Trx, editorId: number): Promise<void> {
  await trx.deleteFrom('signInSessions').where('editorId', '=', editorId).execute()
  await trx.deleteFrom('signInLinks').where('editorId', '=', editorId).execute()
}
