// The post office of a house: sends everything that is waiting, over real SMTP, into the house's inbox.

import { composersOf } from '../../src/composers.ts'
import { DeliveryWorker } from '../../src/delivery/worker.ts'
import type { House } from './house.ts'

export async function sendWaitingMail(house: House): Promise<void> {
  const worker = new DeliveryWorker({
    database: house.database,
    config: house.config,
    log: house.ctx.log,
    composers: composersOf(house.ctx),
    clock: house.clock,
  })
  await worker.runOnce()
}
