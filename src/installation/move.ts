// Copies an installation into another database. From the embedded database to Postgres it is a move: the target continues where
// the source stopped, and the source is marked. In any other direction, and without the people, it is a copy, which sends nothing
// until an operator releases it.

import { randomUUID } from 'node:crypto'
import { Refusal } from '../base/errors.ts'
import type { Database, Db } from '../db/connect.ts'
import { migrate } from '../db/migrate.ts'
import { findSetting, setSetting } from '../db/settings.ts'
import { holdSending } from '../delivery/sending-hold.ts'
import { findIdentity, setIdentity } from './identity.ts'
import { type LoadOptions, loadInstallation } from './load.ts'
import { readShape, tallyTable } from './shape.ts'
import { type Head, type Part, readInstallation, type ReadOptions } from './stream.ts'
import { listFilled, refuseUnlessEmpty } from './target.ts'

/** In the target's settings: which installation was moved to it. */
const arrivedKey = 'moved_here'
interface Arrived {
  installation: string
  at: string
}

export interface CopyOptions extends Pick<ReadOptions, 'isAnonymous' | 'signal' | 'onCount'> {
  /** A move; false: a copy. */
  isMove: boolean
  now: Date
  onProgress: LoadOptions['onProgress']
}

/** All or nothing. The target's schema is updated first; the source's must be up to date. Returns how many rows were copied. */
export async function copyInstallation(source: Database, target: Database, options: CopyOptions): Promise<number> {
  await refuseUnlessEmpty(target.db, await readShape(target.db))
  await migrate(target.db)
  const { isMove, now } = options
  return readInstallation(source, options, async (stream) => {
    const { head, parts } = await headOf(stream)
    const { end } = await loadInstallation(target.db, head, parts, {
      ...options,
      isFarBeyond: !isMove,
      async finish(trx) {
        if (isMove) {
          const arrived: Arrived = { installation: head.installation, at: now.toISOString() }
          return setSetting(trx, arrivedKey, arrived)
        }
        await setIdentity(trx, { id: randomUUID(), database: null })
        await holdSending(trx, {
          since: now.toISOString(),
          why: `This is ${options.isAnonymous ? 'an anonymous' : 'a'} copy of another installation, made at ${head.at}.`,
          knownUntil: null,
        })
      },
    })
    return Object.values(end.tables).reduce((sum, { rows }) => sum + rows, 0)
  })
}

async function headOf(stream: AsyncIterable<Part>): Promise<{ head: Head; parts: AsyncIterable<Part> }> {
  const parts = stream[Symbol.asyncIterator]()
  const first = await parts.next()
  if (first.done || !('head' in first.value)) throw new Error('A stream of an installation begins with its head.')
  return { head: first.value.head, parts: { [Symbol.asyncIterator]: () => parts } }
}

/** Whether the target contains what was moved from this source. `used`: it has been used since. */
export async function hasArrived(source: Db, target: Db): Promise<'no' | 'used' | 'unused'> {
  const arrived = await arrivedAt(target)
  if (arrived?.installation !== (await findIdentity(source)).id) return 'no'
  for (const table of await readShape(source)) {
    // Every start writes settings, on both sides.
    if (table.name === 'settings') continue
    const [was, is] = [await tallyTable(source, table), await tallyTable(target, table)]
    if (was.rows !== is.rows || was.sum !== is.sum) return 'used'
  }
  return 'unused'
}

/** Which installation was moved to this database. */
export async function arrivedAt(target: Db): Promise<Arrived | null> {
  const shape = await readShape(target)
  if (!shape.some(({ name }) => name === 'settings')) return null
  return (await findSetting<Arrived>(target, arrivedKey)) ?? null
}

/** The check before a move stops a server: the target must be empty, or filled by a move. */
export async function refuseTarget(target: Db): Promise<void> {
  const shape = await readShape(target)
  if ((await listFilled(target, shape)).length && (await arrivedAt(target))) return
  await refuseUnlessEmpty(target, shape)
}

export function usedSince(to: string): Refusal {
  return new Refusal(
    'conflict',
    `${to} holds this installation since an earlier move, and one of the two has been used since: nothing was changed.`,
  )
}
