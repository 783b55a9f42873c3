import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Lane, type LeasedDelivery } from '../../src/delivery/lane.ts'
import { plainComposers, quietLog } from '../support/sending.ts'

const leased = (id: number): LeasedDelivery => ({
  id,
  kind: 'digest',
  lane: 'digest',
  editionId: 1,
  subscriberId: id,
  recipient: `reader${id}@a.example`,
  domain: 'a.example',
  due: 1,
  attempt: 0,
  articleIds: null,
  payload: null,
  claim: { id: 1, open: 1 },
  edition: null,
  wasUncertain: false,
  doubts: 0,
  messageId: null,
  ageSeconds: 0,
})

test('what a claim brings is kept while others are taken out', async () => {
  const claims = [[leased(1), leased(2)], [leased(3)], []]
  let screened = () => {}
  const lane = new Lane({
    log: quietLog,
    composers: plainComposers(),
    capacity: 10,
    claim: async () => claims.shift()!,
    // The second claim is looked at for a while, as when some of it is given back.
    screen: (found) =>
      found[0]!.id === 3
        ? new Promise((resolve) => {
            screened = () => resolve(found)
          })
        : Promise.resolve(found),
  })
  const first = lane.wait()
  assert.equal(await first, true)
  assert.equal(lane.takeNow()!.delivery.id, 1)
  await nextTurn()
  assert.deepEqual(
    lane.takeOut(() => true).map(({ id }) => id),
    [2],
  )
  screened()
  await nextTurn()
  assert.equal(lane.takeNow()?.delivery.id, 3)
})
