// What the events of providers mean.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMailgunEvent } from '../../src/inbound/mailgun.ts'
import { readSesNotification } from '../../src/inbound/ses.ts'
import { mailgunFailure, sesBounce } from '../support/webhooks.ts'

const who = 'ada@paper.example'
type Meaning = [string, string]

test('bounces of SES: the words of the server decide what its "permanent" means', () => {
  const meanings: [Parameters<typeof sesBounce>[1], Meaning][] = [
    [{ diagnostic: 'smtp; 550 5.1.1 User unknown', status: '5.1.1' }, ['hard', 'user_unknown']],
    [{ diagnostic: 'smtp; 550 5.1.1 <ada@paper.example>...', status: '5.1.1' }, ['hard', 'user_unknown']],
    [{ subType: 'NoEmail' }, ['hard', 'user_unknown']],
    [{}, ['hard', 'user_unknown']],
    [{ diagnostic: 'smtp; 550 5.1.1 mailbox is full', status: '5.1.1' }, ['soft', 'mailbox_full']],
    [{ diagnostic: 'smtp; 550 5.7.1 rejected as spam', status: '5.7.1' }, ['soft', 'policy']],
    [
      { subType: 'Suppressed', diagnostic: 'Amazon SES has suppressed sending to this address' },
      ['hard', 'user_unknown'],
    ],
    [{ subType: 'OnAccountSuppressionList', diagnostic: 'it is on the suppression list' }, ['hard', 'user_unknown']],
    [{ type: 'Transient', subType: 'MailboxFull' }, ['soft', 'mailbox_full']],
    [{ type: 'Transient', diagnostic: 'smtp; 550 5.1.1 User unknown', status: '5.1.1' }, ['soft', 'user_unknown']],
    [{ type: 'Undetermined', subType: 'Undetermined' }, ['soft', 'other']],
    [{ subType: 'UnsubscribedRecipient' }, ['unsubscribe', '']],
  ]
  for (const [given, meaning] of meanings) {
    const [report] = readSesNotification('1', sesBounce(who, given))!.reports
    assert.deepEqual([report!.class, report!.reason], meaning, JSON.stringify(given))
    assert.equal(report!.recipient, who)
  }
})

test('a notification of SES names our envelope sender and our headers, also in event publishing', () => {
  const headers = [
    { name: 'X-Broadsheet-Delivery', value: '12.mac' },
    { name: 'Message-ID', value: '<12.abc@news.example>' },
  ]
  const { notificationType, ...rest } = sesBounce(who, { mail: { source: 'b-1-mac@bounces.example', headers } }) as {
    notificationType: string
  }
  const facts = {
    id: '1',
    returnPath: 'b-1-mac@bounces.example',
    deliveryHeader: '12.mac',
    messageId: '<12.abc@news.example>',
  }
  for (const given of [
    { notificationType, ...rest },
    { eventType: 'Bounce', ...rest },
  ]) {
    const { reports, ...names } = readSesNotification('1', given)!
    assert.equal(reports.length, 1)
    assert.deepEqual(names, facts)
  }
})

test('complaints and deliveries of SES, and what is neither', () => {
  const mail = { source: 'digest@news.example' }
  const complaint = (complaintFeedbackType?: string) => ({
    notificationType: 'Complaint',
    complaint: { complainedRecipients: [{ emailAddress: who }], complaintFeedbackType },
    mail,
  })
  for (const type of [undefined, 'abuse', 'fraud'])
    assert.equal(readSesNotification('1', complaint(type))!.reports[0]!.class, 'complaint')
  for (const nothing of [
    complaint('not-spam'),
    complaint('auth-failure'),
    { notificationType: 'Received', mail },
    { eventType: 'Open', mail },
    { notificationType: 'Bounce', mail },
    { notificationType: 'Bounce' },
    'Successfully validated SNS topic for Amazon SES event publishing.',
    undefined,
  ])
    assert.equal(readSesNotification('1', nothing), null)
  const delivery = { notificationType: 'Delivery', delivery: { recipients: [who], smtpResponse: '250 ok' }, mail }
  assert.deepEqual(readSesNotification('1', delivery)!.reports, [
    { recipient: who, class: 'delivered', reason: '', status: null, diagnostic: '250 ok' },
  ])
})

test('events of Mailgun', () => {
  const said = (message: string, more: object = {}) => ({ 'delivery-status': { code: 550, message, ...more } })
  const meanings: [object, Meaning | null][] = [
    [{}, ['hard', 'user_unknown']],
    [said('5.2.2 Mailbox full'), ['soft', 'mailbox_full']],
    [said('No such user', { 'bounce-type': 'soft' }), ['soft', 'user_unknown']],
    [{ 'delivery-status': {} }, ['hard', 'user_unknown']],
    [{ reason: 'suppress-bounce', ...said('Not delivering to previously bounced address') }, ['hard', 'user_unknown']],
    [{ reason: 'suppress-complaint' }, ['complaint', '']],
    [{ reason: 'suppress-unsubscribe' }, ['unsubscribe', '']],
    [{ reason: 'old', ...said('Too old') }, ['soft', 'other']],
    [{ severity: 'temporary' }, null],
    [{ event: 'complained' }, ['complaint', '']],
    [{ event: 'unsubscribed' }, ['unsubscribe', '']],
    [{ event: 'delivered' }, ['delivered', '']],
    [{ event: 'opened' }, null],
    [{ recipient: undefined }, null],
  ]
  for (const [given, meaning] of meanings) {
    const facts = readMailgunEvent(mailgunFailure('e1', who, given))
    const report = facts?.reports[0]
    assert.deepEqual(report ? [report.class, report.reason] : null, meaning, JSON.stringify(given))
    if (facts) assert.equal(facts.messageId, '20260302060000.1.ABC@news.example')
  }
})
