// One delivery worker in a process of its own, for bench/delivery.ts: configured by the environment, stopped by SIGTERM. Prints a
// line when it is ready and one with what it used when it ends.

import { systemClock } from '../src/base/clock.ts'
import { readConfig } from '../src/base/config.ts'
import { keepHeapFlat } from '../src/base/flat-heap.ts'
import { createLog } from '../src/base/log.ts'
import { openPostgres } from '../src/db/connect.ts'
import { DeliveryWorker } from '../src/delivery/worker.ts'
import { deadAddressesOf } from '../src/subscribers/suppression.ts'
import { benchComposers } from './delivery-mails.ts'

keepHeapFlat()
const config = readConfig(process.env)
const database = openPostgres(config.database.url!, 6)
const worker = new DeliveryWorker({
  database,
  config,
  log: createLog('warn'),
  composers: benchComposers,
  deadAddresses: deadAddressesOf({ config, clock: systemClock }),
})
await worker.start()
console.log('ready')
let mostMegabytes = 0
const watch = setInterval(() => {
  mostMegabytes = Math.max(mostMegabytes, process.memoryUsage.rss() / 1e6)
}, 250)
process.once('SIGTERM', async () => {
  await worker.stop()
  clearInterval(watch)
  const { user, system } = process.cpuUsage()
  console.log(JSON.stringify({ cpuMs: (user + system) / 1000, mostMegabytes: Math.round(mostMegabytes) }))
  await database.close()
})
