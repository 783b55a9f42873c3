import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { confirmUrl, preferencesUrl, readLink, unsubscribeUrl } from '../../src/subscribers/links.ts'

const now = new Date('2026-03-06T07:00:00Z')
const trial = readConfig({})
const config = { web: { ...trial.web, publicUrl: 'https://news.example' }, secretKeys: ['k'.repeat(32)] }
const tokenOf = (url: string) => new URL(url).searchParams.get('token')
const later = (days: number) => new Date(now.getTime() + days * 86_400_000)

test('a confirmation link is good for seven days', () => {
  const token = tokenOf(confirmUrl(config, 12, now))
  assert.deepEqual(readLink(config, 'confirm', token, later(6.9)), { outcome: 'valid', id: 12 })
  assert.deepEqual(readLink(config, 'confirm', token, later(7.1)), { outcome: 'expired', id: 12 })
})

test('an unsubscribe link from ten years ago still works', () => {
  const token = tokenOf(unsubscribeUrl(config, 7))
  assert.deepEqual(readLink(config, 'unsubscribe', token, later(3650)), { outcome: 'valid', id: 7 })
})

test('a link opens only the door it was made for', () => {
  for (const url of [confirmUrl(config, 7, now), preferencesUrl(config, 7, now)])
    assert.deepEqual(readLink(config, 'unsubscribe', tokenOf(url), now), { outcome: 'forged' })
})

test('links signed before a key rotation keep working', () => {
  const token = tokenOf(unsubscribeUrl(config, 7))
  const rotated = { ...config, secretKeys: ['n'.repeat(32), ...config.secretKeys] }
  assert.equal(readLink(rotated, 'unsubscribe', token, now).outcome, 'valid')
  assert.equal(readLink({ ...config, secretKeys: ['n'.repeat(32)] }, 'unsubscribe', token, now).outcome, 'forged')
})

test('the unsubscribe address stays short enough for one header line', () => {
  assert.ok(unsubscribeUrl(config, 1_000_000).length <= 76)
})
