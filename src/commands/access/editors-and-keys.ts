// `admin …` and `api-key …` on the command line. Each returns the exit code.

import { Refusal } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'
import { createApiKey, listApiKeys, revokeApiKey } from '../../access/api-keys.ts'
import { createEditor, disableEditor, findEditorByKey, listEditors } from '../../access/editors.ts'
import { addPrintedLink, signInUrl } from '../../access/sign-in.ts'

interface Out {
  print(line: string): void
}

/** A new one-time link, also for an existing editor. */
export async function adminCreate(ctx: Context, args: { email: string; json?: boolean }, out: Out): Promise<number> {
  const { outcome, editor } = await createEditor(ctx, { email: args.email, actor: 'cli' })
  const link = await addPrintedLink(ctx, editor)
  const url = signInUrl(ctx.config, link)
  if (args.json) {
    out.print(JSON.stringify({ email: editor.email, outcome, link: url, expiresAt: link.expiresAt.toISOString() }))
    return 0
  }
  out.print(
    `${editor.email} ${outcome === 'exists' ? 'is already an editor' : 'is now an editor'}. To sign in, open this link. It works once:`,
  )
  out.print(url)
  return 0
}

export async function adminList(ctx: Context, args: { json?: boolean }, out: Out): Promise<number> {
  for (const editor of await listEditors(ctx.db)) {
    const { id, email, createdAt, disabledAt, lastSeenAt } = editor
    if (args.json) out.print(JSON.stringify({ id, email, createdAt, disabledAt, lastSeenAt }))
    else out.print(`${email}${disabledAt ? '  disabled' : ''}`)
  }
  return 0
}

/** Ends all sessions of the editor. `admin create` lets them sign in again. */
export async function adminDisable(ctx: Context, args: { email: string }, out: Out): Promise<number> {
  const editor = await findEditorByKey(ctx.db, args.email.trim().toLowerCase())
  if (!editor) throw new Refusal('not_found', `${args.email} is not an editor.`)
  await disableEditor(ctx, { id: editor.id, actor: 'cli' })
  out.print(`${editor.email} can no longer sign in.`)
  return 0
}

export async function apiKeyCreate(
  ctx: Context,
  args: { name: string; scope?: string; days?: number; json?: boolean },
  out: Out,
): Promise<number> {
  const expiresAt = args.days ? new Date(ctx.clock.now().getTime() + args.days * 86_400_000) : null
  const { key, apiKey } = await createApiKey(ctx, {
    name: args.name,
    scope: args.scope ?? 'all',
    expiresAt,
    actor: 'cli',
  })
  if (args.json) out.print(JSON.stringify({ key, id: apiKey.id, name: apiKey.name, scope: apiKey.scope }))
  else {
    out.print(`Key ${apiKey.name} (${apiKey.scope}). It is shown only once:`)
    out.print(key)
  }
  return 0
}

export async function apiKeyList(ctx: Context, args: { json?: boolean }, out: Out): Promise<number> {
  for (const { keyHash: _, ...key } of await listApiKeys(ctx.db)) {
    const state = key.revokedAt ? 'revoked' : key.expiresAt && key.expiresAt <= ctx.clock.now() ? 'expired' : 'good'
    if (args.json) out.print(JSON.stringify({ ...key, state }))
    else out.print(`${String(key.id).padStart(4)}  ${key.prefix}…  ${key.scope.padEnd(10)}  ${state}  ${key.name}`)
  }
  return 0
}

export async function apiKeyRevoke(ctx: Context, args: { id: number }, out: Out): Promise<number> {
  await revokeApiKey(ctx, { id: args.id, actor: 'cli' })
  out.print(`API key ${args.id} no longer works.`)
  return 0
}
