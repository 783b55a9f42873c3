// Who gets in: one-time links, sessions, keys, and the log of it.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createApiKey, findApiKey, revokeApiKey } from '../../src/access/api-keys.ts'
import { listAudit } from '../../src/access/audit.ts'
import { adminCreate, apiKeyCreate } from '../../src/commands/access/editors-and-keys.ts'
import { createEditor, disableEditor } from '../../src/access/editors.ts'
import { allows } from '../../src/access/scopes.ts'
import { endSession, findSessionEditor } from '../../src/access/sessions.ts'
import { addPrintedLink, checkLink, requestLink, signIn, signInUrl } from '../../src/access/sign-in.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Database } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { openMigrated } from '../support/embedded.ts'

let database: Database
let now = new Date('2026-03-06T08:00:00Z')
let ctx: Context
const advance = (hours: number) => (now = new Date(now.getTime() + hours * 3_600_000))

before(async () => {
  database = await openMigrated()
  const config = readConfig({ SECRET_KEY: 'a secret of more than thirty-two characters' })
  ctx = { db: database.db, clock: { now: () => now }, config, log: createLog('silent') }
})
after(() => database.close())
beforeEach(async () => {
  for (const table of ['editors', 'apiKeys', 'auditLog', 'deliveries'] as const)
    await ctx.db.deleteFrom(table).execute()
})

const makeEditor = async (email = 'ada@example.org') => (await createEditor(ctx, { email, actor: 'cli' })).editor
const freshToken = async (email?: string) =>
  new URL(signInUrl(ctx.config, await addPrintedLink(ctx, await makeEditor(email)))).searchParams.get('token')!
const mustSignIn = async () => {
  const result = await signIn(ctx, await freshToken())
  assert.equal(result.outcome, 'signed-in')
  return result.outcome === 'signed-in' ? result : assert.fail()
}

test('a sign-in link works once, and looking at it uses nothing up', async () => {
  const token = await freshToken()
  for (let i = 0; i < 5; i++) assert.equal(await checkLink(ctx, token), 'usable')
  assert.equal((await signIn(ctx, token)).outcome, 'signed-in')
  assert.equal((await signIn(ctx, token)).outcome, 'used')
  assert.equal(await checkLink(ctx, token), 'used')
})

test('two presses of the button at once sign in once', async () => {
  const token = await freshToken()
  const results = await Promise.all([signIn(ctx, token), signIn(ctx, token)])
  assert.deepEqual(results.map((result) => result.outcome).toSorted(), ['signed-in', 'used'])
})

test('an expired, altered or foreign link signs nobody in', async () => {
  const token = await freshToken()
  for (const bad of ['', 'x', `9${token}`, token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A'), undefined])
    assert.equal((await signIn(ctx, bad)).outcome, 'expired')
  advance(25)
  assert.equal((await signIn(ctx, token)).outcome, 'expired')
})

test('a session ends when idle, after two weeks however busy, at sign-out', async () => {
  const idle = (await mustSignIn()).session.token
  advance(11)
  assert.ok(await findSessionEditor(ctx.db, idle, now))
  advance(11)
  assert.ok(await findSessionEditor(ctx.db, idle, now))
  advance(13)
  assert.equal(await findSessionEditor(ctx.db, idle, now), undefined)

  const busy = (await mustSignIn()).session.token
  for (let hours = 0; hours < 14 * 24 - 8; hours += 8) {
    advance(8)
    assert.ok(await findSessionEditor(ctx.db, busy, now))
  }
  advance(8)
  assert.equal(await findSessionEditor(ctx.db, busy, now), undefined)

  const left = (await mustSignIn()).session.token
  await endSession(ctx.db, left)
  assert.equal(await findSessionEditor(ctx.db, left, now), undefined)
})

test('the database holds no session token, link or key in clear', async () => {
  const { session } = await mustSignIn()
  const { key } = await createApiKey(ctx, { name: 'site', scope: 'all', actor: 'cli' })
  const dump = JSON.stringify([
    await ctx.db.selectFrom('signInSessions').selectAll().execute(),
    await ctx.db.selectFrom('apiKeys').selectAll().execute(),
    await ctx.db.selectFrom('auditLog').selectAll().execute(),
  ])
  assert.ok(!dump.includes(session.token))
  assert.ok(!dump.includes(key))
})

test('a disabled editor is out at once, everywhere', async () => {
  const { editor, session } = await mustSignIn()
  const openLink = await freshToken()
  await disableEditor(ctx, { id: editor.id, actor: 'cli' })
  assert.equal(await findSessionEditor(ctx.db, session.token, now), undefined)
  assert.notEqual((await signIn(ctx, openLink)).outcome, 'signed-in')
  await requestLink(ctx, editor.email)
  assert.equal((await ctx.db.selectFrom('deliveries').select('id').execute()).length, 0)
  await assert.rejects(disableEditor(ctx, { id: editor.id, actor: `editor:${editor.id}` }), /cannot disable yourself/)
})

test('a link is mailed to editors only, and not without end', async () => {
  await makeEditor()
  for (const email of ['ADA@example.org', 'mallory@example.org', 'not an address', '']) await requestLink(ctx, email)
  const mails = await ctx.db.selectFrom('deliveries').selectAll().execute()
  assert.deepEqual(
    mails.map(({ kind, lane, recipient }) => ({ kind, lane, recipient })),
    [{ kind: 'sign-in', lane: 'transactional', recipient: 'ada@example.org' }],
  )
  assert.ok(!JSON.stringify(mails[0]!.payload).includes('token'))
  for (let i = 0; i < 20; i++) await requestLink(ctx, 'ada@example.org')
  assert.equal((await ctx.db.selectFrom('deliveries').select('id').execute()).length, 5)
})

test('a key works until it is revoked or expires', async () => {
  const { key, apiKey } = await createApiKey(ctx, { name: 'site', scope: 'read, articles', actor: 'cli' })
  assert.equal((await findApiKey(ctx.db, key, now))?.id, apiKey.id)
  assert.equal(apiKey.scope, 'read,articles')
  await revokeApiKey(ctx, { id: apiKey.id, actor: 'cli' })
  assert.equal(await findApiKey(ctx.db, key, now), undefined)
  const brief = await createApiKey(ctx, { name: 'b', scope: 'all', expiresAt: advance(1), actor: 'cli' }).catch(
    () => null,
  )
  assert.equal(brief, null)
  const soon = new Date(now.getTime() + 3_600_000)
  const dated = await createApiKey(ctx, { name: 'b', scope: 'all', expiresAt: soon, actor: 'cli' })
  assert.ok(await findApiKey(ctx.db, dated.key, now))
  advance(2)
  assert.equal(await findApiKey(ctx.db, dated.key, now), undefined)
  await assert.rejects(createApiKey(ctx, { name: 'c', scope: 'root', actor: 'cli' }), /root is no scope/)
})

test('a scope allows what it names and nothing else', () => {
  assert.ok(allows('all', 'editions', 'POST'))
  assert.ok(allows('read,articles', 'articles', 'POST'))
  assert.ok(allows('read', 'subscribers', 'GET'))
  assert.ok(!allows('read', 'articles', 'POST'))
  assert.ok(!allows('articles', 'subscribers', 'GET'))
  assert.ok(!allows('articles', 'all', 'POST'))
})

test('the commands print a link and a key, and each is in the audit log', async () => {
  const lines: string[] = []
  const out = { print: (line: string) => lines.push(line) }
  assert.equal(await adminCreate(ctx, { email: 'ada@example.org' }, out), 0)
  assert.match(lines.at(-1)!, /^http:\/\/127\.0\.0\.1:3000\/admin\/sign-in\?token=/)
  assert.equal(await adminCreate(ctx, { email: 'Ada@example.org', json: true }, out), 0)
  const again = JSON.parse(lines.at(-1)!) as { outcome: string; link: string }
  assert.equal(again.outcome, 'exists')
  assert.equal((await signIn(ctx, new URL(again.link).searchParams.get('token'))).outcome, 'signed-in')
  assert.equal(await apiKeyCreate(ctx, { name: 'site', json: true }, out), 0)
  const made = JSON.parse(lines.at(-1)!) as { key: string }
  assert.ok(await findApiKey(ctx.db, made.key, now))
  assert.deepEqual(
    (await listAudit(ctx.db, { limit: 10 })).map((line) => line.action),
    ['api_key.created', 'editor.signed_in', 'editor.created'],
  )
})
