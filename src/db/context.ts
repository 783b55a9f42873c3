// What a workflow is given: small on purpose. Whoever wants more passes that thing.

import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { Db } from './connect.ts'

export interface Context {
  db: Db
  clock: Clock
  config: Config
  log: Log
}
