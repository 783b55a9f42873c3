// Posts as Amazon SNS and Mailgun make them, signed with keys of the tests.

import { createHmac, sign } from 'node:crypto'
import { type SnsMessage, stringToSign } from '../../src/inbound/sns.ts'
import { readCertificate } from './tls-relay.ts'

export const topic = 'arn:aws:sns:eu-west-1:123456789012:bounces'
export const certificateUrl = 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem'
export const mailgunKey = 'key-of-the-tests'

/** A message of SNS; `changes` are signed with it. */
export function snsMessage(at: Date, message: unknown, changes: Partial<SnsMessage> = {}): SnsMessage {
  const unsigned: SnsMessage = {
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: topic,
    Message: typeof message === 'string' ? message : JSON.stringify(message),
    Timestamp: at.toISOString(),
    SignatureVersion: '2',
    Signature: '',
    SigningCertURL: certificateUrl,
    ...changes,
  }
  return {
    ...unsigned,
    Signature: sign('sha256', stringToSign(unsigned), readCertificate('sns-key')).toString('base64'),
  }
}

/** As SES publishes it. `mail` adds to what it says of our mail. */
export function sesBounce(
  recipient: string,
  options: { type?: string; subType?: string; diagnostic?: string; status?: string; mail?: object } = {},
): object {
  const { type = 'Permanent', subType = 'General', diagnostic, status } = options
  return {
    notificationType: 'Bounce',
    bounce: {
      feedbackId: '00000137860315fd',
      bounceType: type,
      bounceSubType: subType,
      bouncedRecipients: [{ emailAddress: recipient, action: 'failed', status, diagnosticCode: diagnostic }],
      timestamp: '2026-03-02T06:00:00.000Z',
      reportingMTA: 'dsn; a8-70.smtp-out.amazonses.com',
    },
    mail: {
      timestamp: '2026-03-02T05:59:00.000Z',
      source: 'digest@news.example',
      messageId: '00000137860315fd-34208509-5b74-41f3-95c5-22c1edc3c924-000000',
      destination: [recipient],
      ...options.mail,
    },
  }
}

/** A webhook of Mailgun. */
export function mailgunPost(at: Date, event: object, token = 'a'.repeat(50)) {
  const timestamp = String(Math.floor(at.getTime() / 1000))
  const signature = createHmac('sha256', mailgunKey)
    .update(timestamp + token)
    .digest('hex')
  return { signature: { timestamp, token, signature }, 'event-data': event }
}

export function mailgunFailure(id: string, recipient: string, changes: object = {}): object {
  return {
    id,
    event: 'failed',
    severity: 'permanent',
    reason: 'bounce',
    recipient,
    timestamp: 1772431200.123456,
    'delivery-status': {
      code: 550,
      message: "5.1.1 The email account that you tried to reach doesn't exist",
      'enhanced-code': '5.1.1',
      'bounce-type': 'hard',
    },
    message: {
      headers: { to: recipient, 'message-id': '20260302060000.1.ABC@news.example', from: 'digest@news.example' },
    },
    envelope: { sender: 'digest@news.example', transport: 'smtp', targets: recipient },
    ...changes,
  }
}
