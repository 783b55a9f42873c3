// Messages of Amazon SNS, by which SES reports the end of a mail. Anybody can post to the webhook. So a message counts only with a
// valid signature (version 2, SHA-256) by a certificate of the region's own SNS host, for a topic in the configuration, and while
// it is fresh. https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html

import { type KeyObject, verify, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { Refusal } from '../base/errors.ts'
import { snsHostOf } from '../base/inbound-ways.ts'
import { checkFreshness, parseJson } from './provider-reports.ts'

const text = z.string().max(300_000)
const snsMessage = z.object({
  Type: z.enum(['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation']),
  MessageId: z.string().min(1).max(200),
  TopicArn: z.string().max(400),
  Message: text,
  Timestamp: z.iso.datetime(),
  SignatureVersion: z.string(),
  Signature: z.string().max(4000),
  SigningCertURL: z.string().max(1000),
  Subject: text.nullish(),
  SubscribeURL: text.nullish(),
  Token: z.string().max(4000).nullish(),
})
export type SnsMessage = z.output<typeof snsMessage>

/** The signed fields, in this order. */
const signedFields = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  confirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
} as const

/**
 * Returns the message of a body that SNS has signed, or throws a Refusal. Cheap checks come first: a certificate is fetched only
 * for a fresh message of our topic.
 */
export async function verifySns(
  raw: Uint8Array,
  rules: { topics: readonly string[]; now: Date; certificate: (url: string) => Promise<KeyObject> },
): Promise<SnsMessage> {
  const parsed = snsMessage.safeParse(parseJson(raw))
  if (!parsed.success) throw new Refusal('invalid', 'This is no message of Amazon SNS.')
  const message = parsed.data
  if (message.SignatureVersion !== '2')
    throw new Refusal('forbidden', 'Only signature version 2 is taken: set SignatureVersion of the topic to 2.')
  if (!rules.topics.includes(message.TopicArn))
    throw new Refusal('forbidden', 'This topic is not one of INBOUND_SES_TOPIC.')
  checkFreshness(new Date(message.Timestamp), rules.now)
  const certificate = URL.parse(message.SigningCertURL)
  const isOfAws =
    certificate !== null &&
    certificate.origin === `https://${snsHostOf(message.TopicArn)}` &&
    /^\/SimpleNotificationService-[\w-]{1,100}\.pem$/.test(certificate.pathname) &&
    certificate.href === `${certificate.origin}${certificate.pathname}`
  if (!isOfAws) throw new Refusal('forbidden', 'The certificate is not at the SNS host of the topic’s region.')
  const key = await rules.certificate(certificate.href)
  if (!verify('sha256', stringToSign(message), key, Buffer.from(message.Signature, 'base64')))
    throw new Refusal('forbidden', 'The signature is wrong.')
  return message
}

export function stringToSign(message: SnsMessage): Buffer {
  const fields = message.Type === 'Notification' ? signedFields.Notification : signedFields.confirmation
  return Buffer.from(
    fields
      .map((field) => [field, message[field]] as const)
      .filter(([, value]) => typeof value === 'string')
      .map(([field, value]) => `${field}\n${value}\n`)
      .join(''),
  )
}

/** The address that confirms a subscription to our topic. It is built here, so the message can't choose it. */
export function confirmationUrl(message: SnsMessage): string {
  const query = new URLSearchParams({
    Action: 'ConfirmSubscription',
    TopicArn: message.TopicArn,
    Token: message.Token ?? '',
  })
  return `https://${snsHostOf(message.TopicArn)}/?${query.toString()}`
}

/** The key of a certificate that is valid now. Throws a Refusal. */
export function readSigningKey(pem: Uint8Array, now: Date): { key: KeyObject; validUntil: Date } {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch {
    throw new Refusal('forbidden', 'What is at the address of the certificate is none.')
  }
  if (certificate.validFromDate > now || certificate.validToDate < now)
    throw new Refusal('forbidden', 'The certificate is not valid now.')
  if (certificate.publicKey.asymmetricKeyType !== 'rsa')
    throw new Refusal('forbidden', 'The certificate’s key is not RSA.')
  return { key: certificate.publicKey, validUntil: certificate.validToDate }
}
