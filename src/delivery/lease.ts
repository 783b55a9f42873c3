// The lease of one registered worker, by its own clock, and what is written with each beat.

import { performance } from 'node:perf_hooks'
import type { Log } from '../base/log.ts'
import type { Db } from '../db/connect.ts'
import { raiseSetting, settledKey } from '../db/settings.ts'
import type { Answers } from './answers.ts'
import type { Claimer } from './claims.ts'
import { beatsPerLease, renewLease } from './leases.ts'
import type { SeenHorizon } from './seen-horizon.ts'

export interface LeaseOptions {
  db: Db
  log: Log
  workerId: number
  leaseSeconds: number
  /** By `performance.now()`, before the worker's row was written. */
  registeredAt: number
  claimer: Claimer
  seen: SeenHorizon
  answers: Answers
  /** Called when the worker's row is gone. */
  lost: () => void
}

export class Lease {
  #options: LeaseOptions
  #until: number
  /** Settled deliveries since the last beat. */
  #settled = 0

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#until = options.registeredAt + options.leaseSeconds * 1000
  }

  settled(count: number): void {
    this.#settled += count
  }

  /** False shortly before the lease expires. One beat of margin, because the database's clock started first. */
  mayWrite(): boolean {
    return performance.now() < this.#until - (this.#options.leaseSeconds * 1000) / beatsPerLease
  }

  /** Renews the lease. false: it is lost. */
  async beat(): Promise<boolean> {
    const { db, log, workerId, leaseSeconds, claimer, seen, answers } = this.#options
    const startedAt = performance.now()
    try {
      const outcome = await claimer.clearDone((done) => renewLease(db, workerId, leaseSeconds, done))
      if (outcome === 'lost') {
        this.#until = 0
        this.#options.lost()
        return false
      }
      this.#until = startedAt + leaseSeconds * 1000
      await this.countSettled()
      await seen.refresh()
      await answers.beat().catch((cause: unknown) => log.warn({ err: cause }, 'answers could not be counted'))
      return true
    } catch (cause) {
      log.warn({ err: cause }, 'the lease of the delivery worker could not be renewed')
      return true
    }
  }

  /** Moves the marker that shows that a restored database is older (installation/marker.ts). */
  async countSettled(): Promise<void> {
    const settled = this.#settled
    this.#settled = 0
    if (settled > 0) await raiseSetting(this.#options.db, settledKey, settled).catch(() => (this.#settled += settled))
  }
}
