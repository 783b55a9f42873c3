// Signing in by a link that works once: requested on the sign-in page (mailed) or on the command line (printed). The link's GET
// shows a button, and only the POST uses the link, so a mail scanner can't. The response doesn't reveal who is an editor.

import type { Config } from '../base/config.ts'
import { parseEmailAddress } from '../base/email-address.ts'
import { checkToken, signToken } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Editor } from '../db/schema.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { audit } from './audit.ts'
import { findEditorByKey } from './editors.ts'
import { type NewSession, createSession } from './sessions.ts'
import { addressOf } from '../base/addresses.ts'

const mailedMinutes = 30
const printedMinutes = 24 * 60
/** After so many mails in an hour no more are sent: somebody else is typing the editor's address. */
const mailedPerHour = 5

export interface SignInLink {
  id: number
  expiresAt: Date
}

/** The payload of the outbox row of kind `sign-in`: `signInUrl` turns it into a link when the mail is built. */
export interface SignInPayload {
  linkId: number
  expiresAt: string
}

export function signInUrl(config: Config, link: SignInLink): string {
  return addressOf(
    config,
    `/admin/sign-in?token=${signToken(config.secretKeys, 'sign-in', String(link.id), link.expiresAt)}`,
  )
}

/** A link for the terminal. */
export async function addPrintedLink(ctx: Context, editor: Editor): Promise<SignInLink> {
  return ctx.db.transaction().execute((trx) => addLink(trx, editor.id, ctx.clock.now(), printedMinutes))
}

/** Mails a link if the address is an editor's, and returns whether. The sign-in page answers the same in either case. */
export async function requestLink(ctx: Context, email: string): Promise<boolean> {
  const address = parseEmailAddress(email)
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const editor = await findEditorByKey(trx, address?.key ?? '')
    if (!editor || editor.disabledAt) return false
    const { recent } = await trx
      .selectFrom('signInLinks')
      .select((eb) => eb.fn.countAll<number>().as('recent'))
      .where('editorId', '=', editor.id)
      .where('createdAt', '>', new Date(now.getTime() - 3_600_000))
      .executeTakeFirstOrThrow()
    if (recent >= mailedPerHour) return false
    const link = await addLink(trx, editor.id, now, mailedMinutes)
    const payload: SignInPayload = { linkId: link.id, expiresAt: link.expiresAt.toISOString() }
    await addToOutbox(trx, { kind: 'sign-in', recipient: editor.email, payload: { ...payload } })
    return true
  })
}

export type SignInOutcome =
  { outcome: 'signed-in'; editor: Editor; session: NewSession } | { outcome: 'expired' } | { outcome: 'used' }

/** The current state of a link. Changes nothing: for the page with the button. */
export async function checkLink(ctx: Context, token: unknown): Promise<'usable' | 'expired' | 'used'> {
  const check = checkToken(ctx.config.secretKeys, 'sign-in', token, ctx.clock.now())
  if (check.outcome !== 'valid') return 'expired'
  const link = await ctx.db
    .selectFrom('signInLinks')
    .select('usedAt')
    .where('id', '=', Number(check.id))
    .executeTakeFirst()
  return !link ? 'expired' : link.usedAt ? 'used' : 'usable'
}

/** Uses the link. Of two simultaneous POSTs, one succeeds. */
export async function signIn(ctx: Context, token: unknown): Promise<SignInOutcome> {
  const now = ctx.clock.now()
  const check = checkToken(ctx.config.secretKeys, 'sign-in', token, now)
  if (check.outcome !== 'valid') return { outcome: 'expired' }
  return ctx.db.transaction().execute(async (trx) => {
    const link = await trx
      .updateTable('signInLinks')
      .set({ usedAt: now })
      .where('id', '=', Number(check.id))
      .where('usedAt', 'is', null)
      .where('expiresAt', '>', now)
      .returning('editorId')
      .executeTakeFirst()
    if (!link) return { outcome: 'used' }
    const editor = await trx
      .selectFrom('editors')
      .selectAll()
      .where('id', '=', link.editorId)
      .where('disabledAt', 'is', null)
      .executeTakeFirst()
    if (!editor) return { outcome: 'expired' }
    const session = await createSession(trx, editor.id, now)
    const actor = `editor:${editor.id}` as const
    await audit(trx, { at: now, actor, action: 'editor.signed_in', subject: actor })
    return { outcome: 'signed-in', editor, session }
  })
}

async function addLink(trx: Trx, editorId: number, now: Date, minutes: number): Promise<SignInLink> {
  const expiresAt = new Date(now.getTime() + minutes * 60_000)
  await trx
    .deleteFrom('signInLinks')
    .where('editorId', '=', editorId)
    .where('expiresAt', '<', new Date(now.getTime() - 86_400_000))
    .execute()
  return trx
    .insertInto('signInLinks')
    .values({ editorId, createdAt: now, expiresAt })
    .returning(['id', 'expiresAt'])
    .executeTakeFirstOrThrow()
}
