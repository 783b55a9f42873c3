// The chore `imports`: reads the uploaded lists that wait for their report, and writes those that were started. One process at a
// time. Safe to kill anywhere: the next run reads the file again and continues after the rows that are written.

import { randomUUID } from 'node:crypto'
import { createWriteStream, promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Refusal } from '../../base/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { Context } from '../../db/context.ts'
import { endLease, holdLease } from '../../db/leases.ts'
import { addressIn } from './addresses.ts'
import { type ListImport, openImport, type Rejected } from './import.ts'
import type { Watch } from './passes.ts'
import { endImport, findImport, type ShownImport, withoutPeople } from './store.ts'

const lease = 'imports'
const leaseSeconds = 60
const everyMs = 2000
/** A file with more rejected rows has another problem. */
const mostRejects = 100_000

export async function runImports(ctx: Context): Promise<void> {
  const holder = randomUUID()
  while (await holdLease(ctx.db, lease, holder, leaseSeconds)) {
    const next = await ctx.db
      .selectFrom('imports')
      .select('id')
      .where('isUploaded', '=', true)
      .where('state', 'in', ['checking', 'running'])
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    if (!next) break
    await work(ctx, holder, (await findImport(ctx.db, next.id))!)
  }
  await endLease(ctx.db, lease, holder)
}

async function work(ctx: Context, holder: string, one: ShownImport): Promise<void> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'broadsheet-import-'))
  try {
    const file = path.join(folder, one.fileName)
    await pipeline(pieces(ctx.db, one.id), createWriteStream(file, { mode: 0o600 }))
    const watch = watchOf(ctx, holder, one)
    const list = await openImport(ctx, file, one.options, watch)
    try {
      await (one.state === 'checking' ? check(ctx, one, list, watch) : write(ctx, one, list, watch))
    } finally {
      list.close()
    }
  } catch (error) {
    if (error instanceof Refusal) await refuse(ctx, one, error.message)
    else if (!(error instanceof GivenUp)) throw error
  } finally {
    await fs.rm(folder, { recursive: true, force: true })
  }
}

async function* pieces(db: Db, importId: number): AsyncGenerator<Buffer> {
  for (let position = 0; ; position++) {
    const piece = await db
      .selectFrom('importPieces')
      .select('bytes')
      .where('importId', '=', importId)
      .where('position', '=', position)
      .executeTakeFirst()
    if (!piece) return
    yield Buffer.from(piece.bytes)
  }
}

class GivenUp extends Error {}

/**
 * Reports the progress at intervals, keeps the lease, and stops the work if an editor cancels it or another process has the lease.
 */
function watchOf(ctx: Context, holder: string, { id, state }: ShownImport): Watch {
  const ending = new AbortController()
  let last = performance.now()
  return {
    signal: ending.signal,
    onProgress({ phase, part }) {
      const now = performance.now()
      if (now - last < everyMs) return
      last = now
      // Reading is the first half, checking the second.
      const whole =
        state === 'running' ? (phase === 'writing' ? part : 0) : phase === 'reading' ? part / 2 : 0.5 + part / 2
      void ctx.db
        .updateTable('imports')
        .set({ part: whole })
        .where('id', '=', id)
        .where('state', '=', state)
        .returning('id')
        .executeTakeFirst()
        .then(async (row) => {
          if (!row || !(await holdLease(ctx.db, lease, holder, leaseSeconds))) ending.abort(new GivenUp())
        })
        .catch((error: unknown) => ctx.log.warn({ err: error, import: id }, 'how far an import is could not be noted'))
    },
  }
}

async function check(ctx: Context, { id }: ShownImport, list: ListImport, watch: Watch): Promise<void> {
  const report = await list.check(watch)
  await ctx.db
    .updateTable('imports')
    .set({ state: 'ready', hash: report.hash, report: JSON.stringify(report), part: 1 })
    .where('id', '=', id)
    .where('state', '=', 'checking')
    .execute()
}

async function refuse(ctx: Context, { id, state }: ShownImport, refusal: string): Promise<void> {
  await ctx.db
    .updateTable('imports')
    .set({ state: 'refused', refusal })
    .where('id', '=', id)
    .where('state', '=', state)
    .execute()
}

async function write(ctx: Context, { id, report }: ShownImport, list: ListImport, watch: Watch): Promise<void> {
  // Left by a run that was killed.
  await ctx.db.deleteFrom('importRejects').where('importId', '=', id).execute()
  const rejects: Rejected[] = []
  const result = await list.write({
    ...watch,
    onRejected: (one) =>
      void (
        rejects.length < mostRejects && rejects.push({ ...one, cells: one.cells.map((cell) => cell.slice(0, 1000)) })
      ),
  })
  for (let at = 0; at < rejects.length; at += 1000)
    await ctx.db
      .insertInto('importRejects')
      .values(rejects.slice(at, at + 1000).map((one) => rowOf(id, one)))
      .execute()
  await ctx.db.deleteFrom('importPieces').where('importId', '=', id).execute()
  await ctx.db
    .updateTable('imports')
    .set({ report: report && JSON.stringify(withoutPeople(report)) })
    .where('id', '=', id)
    .execute()
  await endImport(ctx, id, 'done', result)
}

function rowOf(importId: number, { list, line, reason, cells }: Rejected) {
  const clean = cells.map((cell) => cell.replaceAll('\0', ''))
  const at = list.columns.findIndex(({ reading }) => reading.as === 'field' && reading.field === 'email')
  return {
    importId,
    file: list.name,
    line,
    reason,
    cells: JSON.stringify(clean),
    emailKey: addressIn(clean[at] ?? '')?.key ?? null,
  }
}
