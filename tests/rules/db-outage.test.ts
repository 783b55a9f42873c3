import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOutage } from '../../src/db/outage.ts'

const failing = (message: string, more: object = {}) => Object.assign(new Error(message), more)

test('a database that is stopped, full or out of reach is an outage; a wrong statement is a bug', () => {
  for (const code of ['53100', '53300', '57P01', '57P03', '58030', '08006', '25006'])
    assert.equal(isOutage(failing('no', { code })), true, code)
  for (const code of ['42601', '23505', '22P02', '40P01', '08P01', '57014'])
    assert.equal(isOutage(failing('no', { code })), false, code)
  assert.equal(isOutage(failing('connect ECONNREFUSED', { code: 'ECONNREFUSED', syscall: 'connect' })), true)
  assert.equal(isOutage(failing('Connection terminated unexpectedly')), true)
  assert.equal(isOutage(failing('no such file', { code: 'ENOENT', syscall: 'open' })), false)
  assert.equal(isOutage(new TypeError('x is undefined')), false)
})
