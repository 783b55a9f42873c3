// Whose webhooks count: the signatures of Amazon SNS and Mailgun, over posts that are good, altered, old, of another topic or by
// another certificate.

import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import type { FetchResult } from '../../src/articles/safe-fetch.ts'
import { Refusal } from '../../src/base/errors.ts'
import { snsHostOf } from '../../src/base/inbound-ways.ts'
import { verifyMailgun } from '../../src/inbound/mailgun.ts'
import { confirmationUrl, type SnsMessage, verifySns } from '../../src/inbound/sns.ts'
import { SnsCertificates } from '../../src/inbound/sns-certificates.ts'
import { readCertificate } from '../support/tls-relay.ts'
import { certificateUrl, mailgunKey, mailgunPost, snsMessage, topic } from '../support/webhooks.ts'

const now = new Date('2026-03-02T06:00:00Z')
const minutes = (count: number) => new Date(now.getTime() + count * 60_000)
const ourKey = createPublicKey(readCertificate('sns'))
const body = (value: unknown) => Buffer.from(JSON.stringify(value))

async function verified(message: unknown, asked: string[] = []): Promise<SnsMessage> {
  const certificate = async (url: string): Promise<KeyObject> => {
    asked.push(url)
    return ourKey
  }
  return verifySns(body(message), { topics: [topic], now, certificate })
}
const refusal = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code

test('a message of SNS counts with its signature, whatever its kind', async () => {
  const good = snsMessage(now, 'ünïcode\nand lines')
  assert.equal((await verified(good)).Message, 'ünïcode\nand lines')
  assert.equal((await verified(snsMessage(now, 'x', { Subject: 'with a subject' }))).Subject, 'with a subject')
  const confirmation = snsMessage(now, 'You have chosen to subscribe', {
    Type: 'SubscriptionConfirmation',
    Token: '2336412f37',
    SubscribeURL: 'https://elsewhere.example/',
  })
  const read = await verified(confirmation)
  assert.equal(
    confirmationUrl(read),
    `https://sns.eu-west-1.amazonaws.com/?${new URLSearchParams({ Action: 'ConfirmSubscription', TopicArn: topic, Token: '2336412f37' })}`,
  )
})

test('an altered message of SNS does not count, whichever field was altered', async () => {
  const good = snsMessage(now, 'text', { Subject: 'subject' })
  for (const field of ['Message', 'MessageId', 'Subject'] as const)
    await assert.rejects(verified({ ...good, [field]: `${good[field]}x` }), refusal('forbidden'), field)
  await assert.rejects(verified({ ...good, Subject: undefined }), refusal('forbidden'))
  await assert.rejects(verified({ ...good, Timestamp: minutes(1).toISOString() }), refusal('forbidden'))
  await assert.rejects(verified({ ...good, Type: 'UnsubscribeConfirmation' }), refusal('forbidden'))
  await assert.rejects(verified({ ...good, Signature: '' }), refusal('forbidden'))
  await assert.rejects(verified({ ...good, Signature: Buffer.alloc(256, 7).toString('base64') }), refusal('forbidden'))
})

test('for anything but a fresh message of our topic in version 2 no certificate is fetched', async () => {
  const asked: string[] = []
  const refused = async (message: unknown, code: string) => assert.rejects(verified(message, asked), refusal(code))
  await refused(snsMessage(minutes(-5.1), 'old'), 'forbidden')
  await refused(snsMessage(minutes(5.1), 'ahead'), 'forbidden')
  await refused(snsMessage(now, 'x', { TopicArn: `${topic}-of-somebody-else` }), 'forbidden')
  await refused(snsMessage(now, 'x', { SignatureVersion: '1' }), 'forbidden')
  for (const url of [
    certificateUrl.replace('https:', 'http:'),
    'https://sns.eu-west-1.amazonaws.com.elsewhere.example/SimpleNotificationService-1.pem',
    'https://elsewhere.example/SimpleNotificationService-1.pem',
    'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem',
    'https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-1.pem',
    'https://user:password@sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem',
    'https://sns.eu-west-1.amazonaws.com@elsewhere.example/SimpleNotificationService-1.pem',
    'https://sns.eu-west-1.amazonaws.com/a/../../bucket/SimpleNotificationService-1.pem',
    'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem?x=1',
    'https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem',
    'file:///etc/passwd',
    'not an address',
  ])
    await refused(snsMessage(now, 'x', { SigningCertURL: url }), 'forbidden')
  for (const junk of [{}, [], 'text', null, { ...snsMessage(now, 'x'), Type: 'Other' }]) await refused(junk, 'invalid')
  await assert.rejects(
    verifySns(Buffer.from([0xff, 0x00]), { topics: [topic], now, certificate: async () => ourKey }),
    refusal('invalid'),
  )
  assert.deepEqual(asked, [])
})

test('messages of four to six minutes: within five they count', async () => {
  await verified(snsMessage(minutes(-4.9), 'x'))
  await verified(snsMessage(minutes(4.9), 'x'))
})

test('the host of a topic is that of its region and partition', () => {
  const hosts = {
    'arn:aws:sns:us-east-1:123456789012:a': 'sns.us-east-1.amazonaws.com',
    'arn:aws-us-gov:sns:us-gov-west-1:123456789012:a': 'sns.us-gov-west-1.amazonaws.com',
    'arn:aws-cn:sns:cn-north-1:123456789012:a': 'sns.cn-north-1.amazonaws.com.cn',
    'arn:aws:sns:elsewhere.example/:123456789012:a': null,
    'arn:aws:sqs:us-east-1:123456789012:a': null,
  }
  for (const [arn, host] of Object.entries(hosts)) assert.equal(snsHostOf(arn), host)
})

test('a certificate is fetched once, and only a valid one of RSA counts', async () => {
  const asked: string[] = []
  let answer: FetchResult = fetched(200, readCertificate('sns'))
  const certificates = new SnsCertificates(async (url) => {
    asked.push(url)
    return answer.outcome === 'fetched' ? { ...answer, url: answer.url || url } : answer
  })
  for (let i = 0; i < 3; i++) assert.equal((await certificates.get(certificateUrl, now)).asymmetricKeyType, 'rsa')
  assert.deepEqual(asked, [certificateUrl])
  const other = (n: number) => certificates.get(certificateUrl.replace('.pem', `${n}.pem`), now)
  for (const [n, [status, bytes, code]] of (
    [
      [200, readCertificate('trusted'), 'forbidden'],
      [200, Buffer.from('<html>'), 'forbidden'],
      [404, Buffer.from('no'), 'forbidden'],
      [503, Buffer.from('no'), 'unavailable'],
    ] as const
  ).entries()) {
    answer = fetched(status, bytes)
    await assert.rejects(other(n), refusal(code))
  }
  answer = fetched(200, readCertificate('sns'), 'https://elsewhere.example/redirected')
  await assert.rejects(other(5), refusal('forbidden'))
  answer = { outcome: 'failed', reason: 'The connection was refused.' }
  await assert.rejects(other(6), refusal('unavailable'))
  answer = fetched(200, readCertificate('sns'))
  await assert.rejects(
    certificates.get(certificateUrl.replace('.pem', 'x.pem'), new Date('2127-01-01')),
    refusal('forbidden'),
  )
})

test('invented addresses of certificates cause few requests', async () => {
  let asked = 0
  const certificates = new SnsCertificates(async (url) => {
    asked++
    return { ...fetched(404, Buffer.from('')), url }
  })
  for (let i = 0; i < 100; i++) await assert.rejects(certificates.get(certificateUrl.replace('.pem', `${i}.pem`), now))
  assert.equal(asked, 10)
  await assert.rejects(certificates.get(certificateUrl, minutes(2)))
  assert.equal(asked, 11)
})

test('a webhook of Mailgun counts with its signature, for five minutes', () => {
  const rules = { signingKey: mailgunKey, now }
  const good = mailgunPost(now, { id: 'e1', event: 'failed' })
  assert.deepEqual(verifyMailgun(body(good), rules).event, { id: 'e1', event: 'failed' })
  const { signature } = good
  const other = (changes: object) => body({ ...good, signature: { ...signature, ...changes } })
  const later = String(Number(signature.timestamp) + 1)
  for (const changes of [{ token: 'b' }, { timestamp: later }, { signature: '0'.repeat(64) }])
    assert.throws(() => verifyMailgun(other(changes), rules), refusal('forbidden'))
  assert.throws(() => verifyMailgun(body(good), { ...rules, signingKey: 'another' }), refusal('forbidden'))
  for (const at of [minutes(-5.1), minutes(5.1)])
    assert.throws(() => verifyMailgun(body(mailgunPost(at, { id: 'e', event: 'failed' })), rules), refusal('forbidden'))
  for (const junk of [{}, [], null, { signature }, { ...good, signature: { ...signature, signature: 'short' } }])
    assert.throws(() => verifyMailgun(body(junk), rules), refusal('invalid'))
})

function fetched(status: number, bytes: Uint8Array, url = ''): FetchResult {
  return { outcome: 'fetched', status, url, permanentUrl: null, headers: {}, bytes }
}
