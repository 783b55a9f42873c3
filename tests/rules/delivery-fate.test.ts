// What becomes of a delivery, and whether an account adds up: small rules that much hangs on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideFate, fateUnderBrake } from '../../src/delivery/fate.ts'
import type { LeasedDelivery } from '../../src/delivery/lane.ts'
import type { SmtpOutcome } from '../../src/delivery/smtp-dialogue.ts'
import { addsUp, emptyAccount } from '../../src/editions/account.ts'

const rules = { retryHours: 48, uncertain: 'resend', random: 0.5 } as const
const tooOld = { attempt: 20, ageSeconds: 1_000_000, doubts: 1, edition: null }
const deliveryOf = (wasUncertain: boolean) => ({ ...tooOld, wasUncertain }) as LeasedDelivery
const cutOff = { isAccepted: false, reply: null, stage: 'mail' } as unknown as SmtpOutcome

test('an uncertain mail whose repetition is cut off for good stays uncertain; one that never was in doubt has failed', () => {
  assert.equal(decideFate(deliveryOf(true), cutOff, rules).state, 'uncertain')
  assert.equal(decideFate(deliveryOf(false), cutOff, rules).state, 'failed')
})

test('whatever a server answers to the repetition of an uncertain mail, it stays uncertain unless it was accepted', () => {
  const answers = { '550 5.1.1': 'failed', '550 5.0.0': 'failed', '450 4.2.0': 'deferred', '550 5.7.1': 'deferred' }
  for (const [code, ends] of Object.entries(answers)) {
    const reply = { code: Number(code.slice(0, 3)), enhanced: code.slice(4), text: code }
    const outcome = { isAccepted: false, stage: 'rcpt', reply, cause: null } as SmtpOutcome
    for (const wasUncertain of [true, false]) {
      const delivery = { attempt: 0, ageSeconds: 60, doubts: 1, edition: null, lane: 'digest', wasUncertain }
      const after = wasUncertain ? 'uncertain' : ends
      assert.equal(decideFate(delivery as LeasedDelivery, outcome, rules).state, after, code)
      assert.equal(fateUnderBrake(delivery as LeasedDelivery, rules).state, wasUncertain ? 'uncertain' : 'deferred')
      const late = { ...delivery, attempt: 20, ageSeconds: 1_000_000 } as LeasedDelivery
      assert.equal(decideFate(late, outcome, rules).state, wasUncertain ? 'uncertain' : 'failed', code)
      assert.equal(fateUnderBrake(late, rules).state, wasUncertain ? 'uncertain' : 'failed')
    }
  }
  const accepted = { isAccepted: true, stage: 'dot' } as unknown as SmtpOutcome
  assert.equal(decideFate(deliveryOf(true), accepted, rules).state, 'sent')
})

test('an account adds up only with the audience that was planned', () => {
  const account = { ...emptyAccount(3), open: 0, sent: 2, failed: 1 }
  assert.ok(addsUp(account, 3))
  assert.ok(!addsUp(account, 4), 'a delivery was lost')
  assert.ok(!addsUp(account, 2), 'a delivery was added')
  assert.ok(!addsUp({ ...account, sent: 1 }, 3), 'one is in no state')
  assert.ok(!addsUp({ ...account, sent: 1, open: 1 }, 3), 'one is still open')
})
