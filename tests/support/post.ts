// The post office of a house: sends everything that is waiting, over real SMTP, into the house's inbox.

import type { Composers, Composer } from '../../src/delivery/composer.ts'
import { DeliveryWorker } from '../../src/delivery/worker.ts'
import { transactionalComposers } from '../../src/mails/transactional.ts'
import type { House } from './house.ts'

/** Mail of the transactional lane only: digests need the whole program. */
export async function sendWaitingMail(house: House): Promise<void> {
  const none: Composer = { prepare: async () => () => ({ outcome: 'skip', reason: 'cancelled' }) }
  const composers: Composers = { ...transactionalComposers(house.ctx), test: none, digest: none, announcement: none }
  const worker = new DeliveryWorker({
    database: house.database,
    config: house.config,
    log: house.ctx.log,
    composers,
    clock: house.clock,
  })
  await worker.runOnce()
}
