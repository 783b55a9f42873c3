import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { signToken } from '../../src/base/tokens.ts'
import {
  confirmUrl,
  editionOfLink,
  holderFor,
  preferencesUrl,
  readDigestLink,
  readLink,
  unsubscribeUrl,
  viewDigestUrl,
} from '../../src/subscribers/links.ts'

const now = new Date('2026-03-06T07:00:00Z')
const trial = readConfig({})
const config = { web: { ...trial.web, publicUrl: 'https://news.example' }, secretKeys: ['k'.repeat(32)] }
const tokenOf = (url: string) => new URL(url).searchParams.get('token')
const later = (days: number) => new Date(now.getTime() + days * 86_400_000)

test('a confirmation link is good for seven days', () => {
  const token = tokenOf(confirmUrl(config, 12, now))
  assert.partialDeepStrictEqual(readLink(config, 'confirm', token, later(6.9)), { outcome: 'valid', id: 12 })
  assert.partialDeepStrictEqual(readLink(config, 'confirm', token, later(7.1)), { outcome: 'expired', id: 12 })
})

test('an unsubscribe link from ten years ago still works', () => {
  const token = tokenOf(unsubscribeUrl(config, 7))
  assert.partialDeepStrictEqual(readLink(config, 'unsubscribe', token, later(3650)), { outcome: 'valid', id: 7 })
})

test('a link works only for the purpose it was made for', () => {
  for (const url of [confirmUrl(config, 7, now), preferencesUrl(config, { id: 7, generation: 0 }, now)])
    assert.deepEqual(readLink(config, 'unsubscribe', tokenOf(url), now), { outcome: 'forged' })
})

test('a preferences link carries its generation; one from before generations is of the first', () => {
  const token = tokenOf(preferencesUrl(config, { id: 7, generation: 3 }, now))
  assert.partialDeepStrictEqual(readLink(config, 'preferences', token, now), { id: 7, generation: 3 })
  const old = signToken(config.secretKeys, 'preferences', '7', later(90))
  assert.partialDeepStrictEqual(readLink(config, 'preferences', old, now), { outcome: 'valid', id: 7, generation: 0 })
})

test('a mail to a former address carries a link that has ended', () => {
  const moved = { id: 7, generation: 2, email: 'ada@new.example' }
  assert.deepEqual(holderFor(moved, 'ada@new.example'), { id: 7, generation: 2 })
  assert.deepEqual(holderFor(moved, 'ada@old.example'), { id: 7, generation: 0 })
})

test('a link to one’s own digest names subscriber, generation and edition, and opens nothing else', () => {
  const url = viewDigestUrl(config, { id: 7, generation: 3 }, 41)
  assert.ok(url.startsWith('https://news.example/digest?token='), url)
  const token = tokenOf(url)!
  assert.deepEqual(readDigestLink(config, `${token}).`, later(3650)), { subscriberId: 7, generation: 3, editionId: 41 })
  for (const purpose of ['preferences', 'unsubscribe', 'resubscribe'] as const)
    assert.deepEqual(readLink(config, purpose, token, now), { outcome: 'forged' })
  for (const other of [
    token.replace('7-3-41', '7-3-42'),
    tokenOf(preferencesUrl(config, { id: 7, generation: 3 }, now)),
    signToken(config.secretKeys, 'view', '7-3', null),
    undefined,
  ])
    assert.equal(readDigestLink(config, other, now), null)
})

test('what is copied along behind a link is ignored, and what is missing isn’t', () => {
  const token = tokenOf(unsubscribeUrl(config, 7))!
  for (const trail of [
    '.',
    ',',
    '>',
    ')',
    ';',
    ']',
    "'",
    '"',
    '”',
    '…',
    '  ',
    '\r\n',
    '%2E',
    '%22)',
    '&gt;',
    '_',
    '*',
    ').,',
  ])
    assert.partialDeepStrictEqual(
      readLink(config, 'unsubscribe', token + trail, now),
      { outcome: 'valid', id: 7 },
      trail,
    )
  assert.equal(readLink(config, 'unsubscribe', ` ${token}`, now).outcome, 'valid')
  for (const other of [
    token.slice(0, -1),
    `${token}A`,
    `${token}.A`,
    `x${token}`,
    token.replace('.', ','),
    `${token}.1`,
  ])
    assert.equal(readLink(config, 'unsubscribe', other, now).outcome, 'forged', other)
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

test('an unsubscribe link names its edition, and any other text in its place names none', () => {
  const url = unsubscribeUrl(config, 7, 12)
  assert.partialDeepStrictEqual(readLink(config, 'unsubscribe', tokenOf(url), now), { outcome: 'valid', id: 7 })
  assert.equal(editionOfLink(new URL(url).searchParams.get('e')), 12)
  for (const trail of ['.', ')', '>', '"', '…', ' ', '\r\n', '%2E', '&gt;', ').,'])
    assert.equal(editionOfLink(`12${trail}`), 12, trail)
  for (const given of [undefined, null, '', 'x', '-1', '12a', '1e3', '1'.repeat(16), ['12'], { 0: '12' }, 12])
    assert.equal(editionOfLink(given), null, String(given))
  assert.equal(new URL(unsubscribeUrl(config, 7)).searchParams.get('e'), null)
})
