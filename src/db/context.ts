// What a workflow is given, kept small on purpose. A workflow that needs more takes it as a parameter.

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
