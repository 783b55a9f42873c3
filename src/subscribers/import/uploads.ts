// Lists that are uploaded in the console or by the API. The file is stored in pieces in the database, because the worker that
// reads it may run on another machine, and only until the import is done or cancelled. Reading and importing are the chore
// `imports`; in between, an editor decides.

import { sql } from 'kysely'
import { type Actor, audit } from '../../access/audit.ts'
import { Refusal } from '../../base/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { Context } from '../../db/context.ts'
import type { Queue } from '../../db/queue.ts'
import type { EmailAddress } from '../../base/email-address.ts'
import { type ImportOptions, readSourceName } from './import.ts'
import { auditImport, findImport, type ShownImport } from './store.ts'

type Asking = Pick<Context, 'db' | 'clock'> & { queue: Queue }

/** Size of one upload. */
export const mostBytes = 300 * 1024 ** 2
const pieceBytes = 1024 ** 2
/** An undecided upload and rejected rows are personal data, so they aren't kept for long. */
export const keepUploadDays = 2
export const keepRejectsDays = 7

/** Stores the file while it is received. Reading it is a chore. An incomplete upload is deleted. Throws a Refusal. */
export async function receiveUpload(
  ctx: Asking,
  given: { actor: Actor; fileName: string; options: ImportOptions },
  content: AsyncIterable<Buffer>,
): Promise<number> {
  const options = { ...given.options, source: readSourceName(given.options.source) }
  // The chore doesn't find it before it is complete.
  const { id } = await ctx.db
    .insertInto('imports')
    .values({
      createdAt: ctx.clock.now(),
      actor: given.actor,
      source: options.source,
      fileName: plainName(given.fileName),
      state: 'cancelled',
      options: JSON.stringify(options),
      size: 0,
      refusal: null,
      endedAt: null,
      isUploaded: true,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  try {
    const size = await storePieces(ctx.db, id, content)
    if (size === 0) throw new Refusal('invalid', 'The file is empty.', [{ field: 'file', message: 'is empty' }])
    await changeState(ctx, id, { state: 'checking', size })
    return id
  } catch (error) {
    await ctx.db.deleteFrom('imports').where('id', '=', id).execute()
    throw error
  }
}

async function storePieces(db: Db, importId: number, content: AsyncIterable<Buffer>): Promise<number> {
  let size = 0
  let position = 0
  let held: Buffer[] = []
  let heldBytes = 0
  const store = async () => {
    if (heldBytes > 0)
      await db
        .insertInto('importPieces')
        .values({ importId, position: position++, bytes: Buffer.concat(held) })
        .execute()
    held = []
    heldBytes = 0
  }
  for await (const chunk of content) {
    size += chunk.length
    if (size > mostBytes)
      throw new Refusal(
        'too_large',
        'The file is larger than 300 MB. Import it on the command line, where files may have any size.',
      )
    held.push(chunk)
    heldBytes += chunk.length
    if (heldBytes >= pieceBytes) await store()
  }
  await store()
  return size
}

/** Only the name, reduced to characters that every file system allows. */
function plainName(given: string): string {
  const name = given
    .split(/[/\\]/)
    .at(-1)!
    .replaceAll(/[\p{Cc}<>:"|?*]/gu, '')
    .trim()
  return (name.startsWith('.') ? name.slice(1) : name).slice(-120) || 'list.csv'
}

/** Reads the file again with new instructions. */
export async function checkAgain(ctx: Asking, id: number, options: ImportOptions): Promise<void> {
  await must(ctx.db, id, ['ready', 'refused'], 'can’t be read again')
  await changeState(ctx, id, { state: 'checking', options: JSON.stringify(options), refusal: null, report: null })
}

/** The report was confirmed: the chore writes the rows from now on. */
export async function startUpload(ctx: Asking, id: number, actor: Actor): Promise<void> {
  const found = await must(ctx.db, id, ['ready'], 'can’t be started')
  await ctx.db.transaction().execute(async (trx) => {
    const started = await trx
      .updateTable('imports')
      .set({ state: 'running', part: 0 })
      .where('id', '=', id)
      .where('state', '=', 'ready')
      .returning('id')
      .executeTakeFirst()
    if (!started) return
    await auditImport(trx, ctx, actor, id, found.options, found.report!)
    await ctx.queue.enqueue(trx, 'imports', {})
  })
}

/** Nothing is imported, and the file is deleted. */
export async function cancelUpload(ctx: Asking, id: number, actor: Actor): Promise<void> {
  await must(ctx.db, id, ['checking', 'ready', 'refused'], 'can’t be cancelled')
  await ctx.db.transaction().execute(async (trx) => {
    await trx
      .updateTable('imports')
      .set({ state: 'cancelled', report: null, endedAt: ctx.clock.now() })
      .where('id', '=', id)
      .execute()
    await trx.deleteFrom('importPieces').where('importId', '=', id).execute()
    await audit(trx, { at: ctx.clock.now(), actor, action: 'import.cancelled', subject: `import:${id}` })
  })
}

async function must(db: Db, id: number, states: readonly string[], what: string): Promise<ShownImport> {
  const found = await findImport(db, id)
  if (!found) throw new Refusal('not_found', 'There is no such import.')
  if (!found.isUploaded || !states.includes(found.state))
    throw new Refusal('conflict', `This import is ${found.state}, so it ${what}.`)
  return found
}

async function changeState(ctx: Asking, id: number, set: Record<string, unknown>): Promise<void> {
  await ctx.db.transaction().execute(async (trx) => {
    await trx
      .updateTable('imports')
      .set({ part: 0, ...set })
      .where('id', '=', id)
      .execute()
    await ctx.queue.enqueue(trx, 'imports', {})
  })
}

/** In the order of the file, in pages. */
export async function listRejects(db: Db, importId: number, page: { after?: number | undefined; limit: number }) {
  return db
    .selectFrom('importRejects')
    .selectAll()
    .where('importId', '=', importId)
    .where('id', '>', page.after ?? 0)
    .orderBy('id')
    .limit(page.limit)
    .execute()
}

/** For an erasure. */
export async function forgetRejects(db: Db, { key }: Pick<EmailAddress, 'key'>): Promise<void> {
  await db.deleteFrom('importRejects').where('emailKey', '=', key).execute()
}

/** A nightly chore. */
export async function purgeImports({ db, clock }: Pick<Context, 'db' | 'clock'>): Promise<void> {
  const daysAgo = (days: number) => new Date(clock.now().getTime() - days * 86_400_000)
  await db
    .updateTable('imports')
    .set({ state: 'cancelled', report: null, endedAt: clock.now() })
    .where('isUploaded', '=', true)
    .where('state', 'in', ['ready', 'refused'])
    .where('createdAt', '<', daysAgo(keepUploadDays))
    .execute()
  await db
    .deleteFrom('importPieces')
    .where('importId', 'in', (query) =>
      query
        .selectFrom('imports')
        .select('id')
        .where('state', 'in', ['cancelled', 'done'])
        .where('createdAt', '<', daysAgo(1)),
    )
    .execute()
  await db
    .deleteFrom('importRejects')
    .where(
      'importId',
      '=',
      // As an array, its index is used however few uploads there are.
      sql<number>`any(array(select id from imports where created_at < ${daysAgo(keepRejectsDays)}))`,
    )
    .execute()
}
