// The post office of a house: delivery workers with the real composers, over real SMTP.

import { composersOf } from '../../src/composers.ts'
import { DeliveryWorker, type DeliveryWorkerOptions } from '../../src/delivery/worker.ts'
import { deadAddressesOf } from '../../src/subscribers/suppression.ts'
import type { House } from './house.ts'

/** Not started. Its relay is the house's inbox, unless another is given. */
export function openWorker(house: House, options: Partial<DeliveryWorkerOptions> = {}): DeliveryWorker {
  const { database, config, ctx, clock } = house
  const deadAddresses = deadAddressesOf(ctx)
  return new DeliveryWorker({
    database,
    config,
    log: ctx.log,
    composers: composersOf(ctx),
    deadAddresses,
    clock,
    ...options,
  })
}

/** Sends everything that is waiting into the house's inbox. */
export async function sendWaitingMail(house: House): Promise<void> {
  await openWorker(house).runOnce()
}
