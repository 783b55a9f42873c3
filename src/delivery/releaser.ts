// Releases deliveries that this worker has leased: settled ones, and those that must wait in the database.

import type { Answers } from './answers.ts'
import type { FateRules } from './fate.ts'
import { type GroupCommit, noConnection } from './group-commit.ts'
import type { Settlement } from './statements.ts'
import type { Lane, LeasedDelivery } from './lane.ts'
import type { DeliveryMetrics } from './metrics.ts'
import { heldByBrake, leaseGivenBack } from './settlement.ts'
import type { Traffic } from './traffic.ts'

/** How many single mails under a brake one worker leases at a time, and how long the others wait before they are claimed again. */
const mostBraked = 25
const brakedRestSeconds = 5

export class Releaser {
  #commit: GroupCommit
  #traffic: Traffic
  #metrics: DeliveryMetrics | null
  #answers: Answers
  #rules: Pick<FateRules, 'retryHours'>

  constructor(options: {
    commit: GroupCommit
    traffic: Traffic
    metrics: DeliveryMetrics | null
    answers: Answers
    rules: Pick<FateRules, 'retryHours'>
  }) {
    this.#commit = options.commit
    this.#traffic = options.traffic
    this.#metrics = options.metrics
    this.#answers = options.answers
    this.#rules = options.rules
  }

  /** Gives back the deliveries of a claim whose domain rests, and returns the others. */
  async screen(leased: LeasedDelivery[]): Promise<LeasedDelivery[]> {
    this.#traffic.claimed(leased)
    const parked = this.#traffic.screen(leased)
    if (parked.size) await this.#giveBack([...parked].map(([delivery, seconds]) => ({ delivery, seconds })))
    const open = parked.size ? leased.filter((delivery) => !parked.has(delivery)) : leased
    return this.#hold(open)
  }

  /**
   * For single mails: those that go one at a time under a brake fill at most half of the lane, so that all others can pass them.
   * Returns those that may stay.
   */
  async screenSingle(lane: Lane, leased: LeasedDelivery[]): Promise<LeasedDelivery[]> {
    const answers = this.#answers
    if (!answers.isAnyOn) return leased
    let places = mostBraked - lane.list().filter((delivery) => answers.isBraked(delivery)).length
    const back = new Set(leased.filter((delivery) => answers.isBraked(delivery) && places-- <= 0))
    if (back.size) await this.#giveBack([...back].map((delivery) => ({ delivery, seconds: brakedRestSeconds })))
    return leased.filter((delivery) => !back.has(delivery))
  }

  /** A brake may have been created since they were leased: they wait in the database. */
  async holdBraked(lane: Lane): Promise<void> {
    const isHeld = (delivery: LeasedDelivery) => this.#answers.holds(delivery)
    if (lane.list().some(isHeld) && (await this.#isUpToDate()))
      await this.#settle(lane.takeOut(isHeld).map((delivery) => heldByBrake(delivery, this.#rules)))
  }

  /** Returns the deliveries that no brake holds. */
  async #hold(leased: LeasedDelivery[]): Promise<LeasedDelivery[]> {
    const isHeld = (delivery: LeasedDelivery) => this.#answers.holds(delivery)
    if (!leased.some(isHeld) || !(await this.#isUpToDate())) return leased
    await this.#settle(leased.filter(isHeld).map((delivery) => heldByBrake(delivery, this.#rules)))
    return leased.filter((delivery) => !isHeld(delivery))
  }

  /** This worker's copy of the brakes may be a beat old: an editor may have decided meanwhile. */
  async #isUpToDate(): Promise<boolean> {
    return this.#answers.refresh().then(
      () => true,
      () => false,
    )
  }

  /** A domain that throttles repeatedly rests longer than its deliveries should be leased. */
  async parkSlow(lane: Lane): Promise<void> {
    const parked = this.#traffic.screen(lane.list())
    const out = lane.takeOut((delivery) => parked.has(delivery))
    if (out.length) await this.#giveBack(out.map((delivery) => ({ delivery, seconds: parked.get(delivery)! })))
    lane.nudge()
  }

  async giveBackAll(lane: Lane): Promise<void> {
    const idle = lane.takeOut(() => true)
    if (idle.length) await this.#giveBack(idle.map((delivery) => ({ delivery, seconds: 0 })))
  }

  /** Called after the turn that wrote them. */
  settled(lane: Lane, settlements: readonly Settlement[]): void {
    closeClaims(settlements)
    // To be sent again at once.
    if (settlements.some((each) => each.state === 'uncertain' && each.retryInSeconds === 0)) lane.wake()
    for (const { delivery, reason } of settlements) {
      if (reason) this.#metrics?.skipped(reason)
      this.#traffic.returned(delivery)
      lane.done()
    }
  }

  async #giveBack(idle: readonly { delivery: LeasedDelivery; seconds: number }[]): Promise<void> {
    await this.#settle(idle.map(({ delivery, seconds }) => leaseGivenBack(delivery, seconds)))
  }

  /** Settles in a turn of its own, without a connection. The connections notice a lost lease. */
  async #settle(settlements: readonly Settlement[]): Promise<void> {
    if (!settlements.length) return
    await this.#commit.turn(settlements, noConnection, null).catch(() => {})
    closeClaims(settlements)
  }
}

function closeClaims(settlements: readonly Settlement[]): void {
  for (const { delivery } of settlements) delivery.claim.open--
}
