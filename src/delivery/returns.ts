// What leaves this worker's hands: deliveries that were settled, and leased ones that had better wait elsewhere.

import { type GroupCommit, noConnection } from './group-commit.ts'
import type { Lane, LeasedDelivery } from './lane.ts'
import type { DeliveryMetrics } from './metrics.ts'
import { leaseGivenBack, type Settlement } from './settlement.ts'
import type { Traffic } from './traffic.ts'

export class Returns {
  #commit: GroupCommit
  #traffic: Traffic
  #metrics: DeliveryMetrics | null

  constructor(commit: GroupCommit, traffic: Traffic, metrics: DeliveryMetrics | null) {
    this.#commit = commit
    this.#traffic = traffic
    this.#metrics = metrics
  }

  /** Of one claim: gives back those whose domain rests, and returns the others. */
  async screen(leased: LeasedDelivery[]): Promise<LeasedDelivery[]> {
    this.#traffic.claimed(leased)
    const parked = this.#traffic.screen(leased)
    if (parked.size) await this.#giveBack([...parked].map(([delivery, seconds]) => ({ delivery, seconds })))
    return parked.size ? leased.filter((delivery) => !parked.has(delivery)) : leased
  }

  /** A domain that throttles again and again rests longer than its deliveries should be held. */
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

  /** After the turn that wrote them. */
  settled(lane: Lane, settlements: readonly Settlement[]): void {
    closeClaims(settlements)
    // To be resent at once.
    if (settlements.some((each) => each.state === 'uncertain' && each.retryInSeconds === 0)) lane.wake()
    for (const { delivery, reason } of settlements) {
      if (reason) this.#metrics?.skipped(reason)
      this.#traffic.returned(delivery)
      lane.done()
    }
  }

  /** In a turn of their own, of no connection. A lost lease is noticed by the connections. */
  async #giveBack(idle: readonly { delivery: LeasedDelivery; seconds: number }[]): Promise<void> {
    const settlements = idle.map(({ delivery, seconds }) => leaseGivenBack(delivery, seconds))
    await this.#commit.turn(settlements, noConnection, null).catch(() => {})
    closeClaims(settlements)
  }
}

function closeClaims(settlements: readonly Settlement[]): void {
  for (const { delivery } of settlements) delivery.claim.open--
}
