// Rows of the fault matrix. Each runs as many rounds as asked for (FAULT_ROUNDS, 1 in npm test) within its time (FAULT_ROW_SECONDS),
// with a database of its own on a Postgres that keeps fsync on. The seed of each round is printed; FAULT_SEED begins with that one.
// What each row lost and doubled goes to the file FAULT_REPORT, for the table at the end.

import { appendFileSync } from 'node:fs'
import { it } from 'node:test'
import { FaultWorld, type FaultWorldOptions, openFaultDatabase, seededRandom } from './fault-world.ts'
import type { RestartablePostgres } from './restartable-postgres.ts'
import { seedOf } from './seed.ts'

export const rounds = Number(process.env['FAULT_ROUNDS'] ?? 1)
export const isLong = rounds > 1
const rowSeconds = Number(process.env['FAULT_ROW_SECONDS'] ?? 0) || Infinity
const firstSeed = seedOf('FAULT_SEED')
/** A round that takes longer stands still: that is a failure too. */
const roundSeconds = 90

/** What a round found: how many mails came twice. */
export interface Found {
  doubled: number
  words?: string
}

export interface RowOptions extends FaultWorldOptions {
  /** Also in npm test. */
  isShort?: boolean
}

export interface ReportLine {
  row: string
  rounds: number
  seeds: string
  doubled: number
  mostDoubled: number
  failed: string[]
}

export function makeRow(postgres: RestartablePostgres | null, whyNot = 'no Postgres found') {
  return (name: string, options: RowOptions, run: (world: FaultWorld) => Promise<Found | void>): void => {
    const skip = !postgres ? whyNot : options.isShort || isLong ? false : 'only in npm run test:faults'
    it(name, { skip }, async (test) => {
      const at = await openFaultDatabase(postgres!.url)
      const end = performance.now() + rowSeconds * 1000
      const line: ReportLine = { row: name, rounds: 0, seeds: '', doubled: 0, mostDoubled: 0, failed: [] }
      for (; line.rounds < rounds && performance.now() < end; line.rounds++) {
        const seed = firstSeed + line.rounds
        line.seeds = `${firstSeed}–${seed}`
        const world = new FaultWorld(at, options, seededRandom(seed))
        try {
          await world.open()
          const { doubled = 0, words = 'as it should be' } = (await within(roundSeconds, run(world))) ?? {}
          line.doubled += doubled
          line.mostDoubled = Math.max(line.mostDoubled, doubled)
          test.diagnostic(`seed ${seed}: doubled ${doubled}, ${words}`)
        } catch (cause) {
          line.failed.push(`FAULT_SEED=${seed}: ${(cause as Error).message}`)
        } finally {
          await world.close()
        }
      }
      await at.database.close()
      if (process.env['FAULT_REPORT']) appendFileSync(process.env['FAULT_REPORT'], `${JSON.stringify(line)}\n`)
      if (line.failed.length)
        throw new Error(`${line.failed.length} of ${line.rounds} rounds: ${line.failed.join('\n')}`)
    })
  }
}

async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${seconds} seconds`)), seconds * 1000)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
