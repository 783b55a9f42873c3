// Reading once for everyone who asks at the same moment. Nothing is kept: whoever asks later reads anew, so no page is ever stale.

import type { Db } from '../../db/connect.ts'

export function sharedRead<T>(load: (db: Db) => Promise<T>): (db: Db) => Promise<T> {
  const underWay = new WeakMap<Db, Promise<T>>()
  return (db) => {
    let loading = underWay.get(db)
    if (!loading) {
      loading = load(db).finally(() => underWay.delete(db))
      underWay.set(db, loading)
    }
    return loading
  }
}
