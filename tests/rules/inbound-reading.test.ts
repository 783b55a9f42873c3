import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InboundReader } from '../../src/inbound/reader.ts'

const own = { addresses: ['news@paper.example'], bounceDomain: 'bounces.paper.example' }
const reader = new InboundReader()

test('a delivery status tells recipient, status and reason, and which delivery came back', async () => {
  const mail = [
    'From: MAILER-DAEMON@mx.example',
    'To: b-3f-abcdefghijklmnopqrst@bounces.paper.example',
    'Message-ID: <1@mx.example>',
    'Subject: Undelivered Mail Returned to Sender',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="=_1"',
    '',
    '--=_1',
    'Content-Type: text/plain',
    '',
    'Sorry.',
    '--=_1',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example',
    '',
    'Final-Recipient: rfc822; Ada@a.example',
    'Action: failed',
    'Status: 5.1.1',
    'Remote-MTA: dns; in.a.example',
    'Diagnostic-Code: smtp; 550 5.1.1 <ada@a.example>: Recipient address rejected:',
    '    User unknown',
    '--=_1',
    'Content-Type: text/rfc822-headers',
    '',
    'Return-Path: <b-3f-abcdefghijklmnopqrst@bounces.paper.example>',
    'Message-ID: <2@paper.example>',
    'To: Ada@a.example',
    'List-Unsubscribe: <https://paper.example/unsubscribe?token=7.0.abcdefghijklmnopqrstuv>',
    '--=_1--',
    '',
  ].join('\r\n')
  assert.deepEqual(await reader.read(Buffer.from(mail), own), {
    kind: 'bounce',
    reports: [
      {
        recipient: 'ada@a.example',
        status: '5.1.1',
        code: 550,
        reason: 'user_unknown',
        class: 'hard',
        text: '550 5.1.1 <ada@a.example>: Recipient address rejected: User unknown',
        remoteHost: 'in.a.example',
      },
    ],
    messageId: '1@mx.example',
    returned: {
      messageId: '2@paper.example',
      verp: ['b-3f-abcdefghijklmnopqrst@bounces.paper.example'],
      deliveryHeader: null,
      unsubscribeTokens: ['7.0.abcdefghijklmnopqrstuv'],
      recipient: 'ada@a.example',
    },
  })
})
