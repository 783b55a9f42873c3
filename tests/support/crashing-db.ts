// A database handle that dies after some statements, as a process does that is killed: the transaction it is in is rolled back,
// what was committed before stays.

import type { KyselyPlugin } from 'kysely'
import type { Db } from '../../src/db/connect.ts'

export class Crash extends Error {}

export function crashingAfter(db: Db, statements: number): Db {
  // Whoever is killed does nothing more: every statement after that fails too.
  let left = statements
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      if (left-- <= 0) throw new Crash(`killed after ${statements} statements`)
      return node
    },
    transformResult: async ({ result }) => result,
  }
  return db.withPlugin(plugin)
}
