import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InboundReader } from '../../src/inbound/reader.ts'
import { bounce, ownMail, report } from '../support/bounces.ts'

const own = { addresses: ['news@paper.example'], bounceDomain: 'bounces.paper.example' }
const reader = new InboundReader()

test('a delivery status tells recipient, status and reason, and which delivery came back', async () => {
  const mail = report(
    'Sorry.',
    [
      'Final-Recipient: rfc822; Ada@a.example',
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; in.a.example',
      'Diagnostic-Code: smtp; 550 5.1.1 <ada@a.example>: Recipient address rejected:',
      '    User unknown',
    ].join('\n'),
  )
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
    to: ['b-3f-abcdefghijklmnopqrst@bounces.paper.example'],
    returned: {
      messageId: '2@paper.example',
      verp: ['b-3f-abcdefghijklmnopqrst@bounces.paper.example'],
      deliveryHeader: null,
      unsubscribeTokens: ['7.0.abcdefghijklmnopqrstuv'],
      recipient: 'ada@a.example',
    },
  })
})

const read = (mail: string) => reader.read(Buffer.from(mail), own)
const brief = async (mail: string) => {
  const { kind, reports } = await read(mail)
  return [kind, ...reports.map(({ recipient, class: what, reason }) => `${recipient} ${what} ${reason}`)]
}
const status = (fields: string) => brief(report('Sorry.', `Final-Recipient: rfc822; ada@a.example\n${fields}`))

test('each recipient of a report gets its own class', async () => {
  const fields = [
    'Final-Recipient: rfc822; ada@a.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user',
    'Final-Recipient: rfc822; bob@b.example\nAction: delivered\nStatus: 2.1.5',
    'Final-Recipient: rfc822; eve@e.example\nAction: delayed\nStatus: 4.4.1',
    'Final-Recipient: rfc822; kim@k.example\nAction: failed\nStatus: 5.2.2',
  ].join('\n\n')
  assert.deepEqual(await brief(report('Sorry.', fields)), [
    'bounce',
    'ada@a.example hard user_unknown',
    'bob@b.example delivered other',
    'eve@e.example soft delayed',
    'kim@k.example soft mailbox_full',
  ])
})

const refusals = [
  ['Status: 4.1.1\nDiagnostic-Code: smtp; 450 4.1.1 User unknown', 'soft user_unknown'],
  ['Status: 5.1.1\nDiagnostic-Code: smtp; 421 User unknown', 'hard user_unknown'],
  ['Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 mailbox is full', 'soft mailbox_full'],
  ['Status: 5.1.1\nDiagnostic-Code: smtp; 552 5.1.1 message too large', 'soft too_big'],
  ['Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 account is suspended', 'soft suspended'],
  ['Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 relaying denied, user unknown', 'soft relaying'],
  ['Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 blocked, see spamhaus', 'soft blocked'],
  ['Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unknown user, or against our policy', 'soft policy'],
  ['Status: 5.1.6\nDiagnostic-Code: smtp; 551 5.1.6 has moved', 'hard moved'],
  ['Status: 5.1.2\nDiagnostic-Code: smtp; 550 5.1.2 Host unknown', 'hard host_unknown'],
  [
    'Status: 5.1.8\nDiagnostic-Code: smtp; 553 5.1.8 Domain of sender address news@paper.example does not exist',
    'soft policy',
  ],
  ['Status: 5.1.7\nDiagnostic-Code: smtp; 550 5.1.7 No such domain paper.example', 'soft policy'],
  ['Status: 5.0.0\nDiagnostic-Code: smtp; 552 Message size exceeds fixed maximum message size', 'soft too_big'],
  ['Status: 5.0.0', 'soft other'],
  ['Status: 5.7.1\nDiagnostic-Code: smtp; 554 5.7.1 rejected', 'soft policy'],
  // Said once the server has the mail, by servers that refuse what it says with these words.
  ['Status: 5.0.0\nDiagnostic-Code: smtp; 550 Unknown user ada@a.example', 'soft user_unknown'],
  ['Status: 5.0.0\nDiagnostic-Code: smtp; 550 User unknown (in reply to end of DATA command)', 'soft user_unknown'],
  ['Status: 5.2.1\nDiagnostic-Code: smtp; 550 5.2.1 <ada@a.example>... User unknown', 'soft user_unknown'],
  ['Status: 5.0.0\nDiagnostic-Code: smtp; 550 User unknown (in reply to RCPT TO command)', 'hard user_unknown'],
  ['Status: 5.0.0\nDiagnostic-Code: smtp; 550 <ada@a.example>: User unknown', 'hard user_unknown'],
  ['Status: 5.0.0\nDiagnostic-Code: smtp; 550 5.5.0 No valid recipients (in reply to RCPT TO)', 'hard user_unknown'],
  [
    'Status: 5.4.1\nDiagnostic-Code: smtp; 550 5.4.1 [ada@a.example]: Recipient address rejected: Access denied',
    'hard user_unknown',
  ],
  ['Status: 5.3.2\nDiagnostic-Code: smtp; 521 5.3.2 System not accepting network messages', 'hard host_unknown'],
  ['Status: 5.1.1\nDiagnostic-Code: x-unix; procmail: id: mx.example: No such user', 'soft system'],
  [
    'Status: 5.2.1 (mailbox disabled)\nX-PowerMTA-BounceCategory: bad-mailbox\nDiagnostic-Code: smtp; 550 no',
    'hard user_unknown',
  ],
] as const

for (const [fields, expected] of refusals)
  test(`${fields.split('; ').at(-1)!.slice(0, 60)} is ${expected}`, async () => {
    assert.deepEqual(await status(`Action: failed\n${fields}`), ['bounce', `ada@a.example ${expected}`])
  })

test('our own addresses are never the one that failed', async () => {
  const fields = 'Final-Recipient: rfc822; news@paper.example\nAction: failed\nStatus: 5.1.1'
  assert.deepEqual(await brief(report('Sorry.', fields)), ['other'])
  const body = 'The mail from news@paper.example could not be delivered to ada@a.example: mailbox full.'
  assert.deepEqual(await brief(bounce({ body })), ['bounce', 'ada@a.example soft mailbox_full'])
})

test("a person's mail that quotes a bounce is none", async () => {
  const body =
    '> 550 5.1.1 <ada@a.example>... User unknown\n> Final-Recipient: rfc822; ada@a.example\n\nWhat does this mean?'
  const from = 'Bob <bob@b.example>'
  assert.deepEqual(await brief(bounce({ from, subject: 'Re: Undelivered Mail Returned to Sender', body })), ['other'])
  assert.deepEqual(await brief(bounce({ from, subject: '550 5.1.1 User unknown', body })), ['other'])
  const pasted = 'Final-Recipient: rfc822; ada@a.example\nAction: failed\nStatus: 5.1.1'
  assert.deepEqual(await brief(bounce({ from, subject: 'A question', body: pasted })), ['other'])
})

test('a note of absence is one, whomever it names', async () => {
  const from = 'Ada <ada@a.example>'
  const body = "I'm away. Ask bob@b.example; carol@a.example is unknown user here."
  const auto = ['autoreply', 'ada@a.example autoreply other']
  assert.deepEqual(
    await brief(bounce({ from, subject: 'Politics', headers: ['Auto-Submitted: auto-replied'], body })),
    auto,
  )
  assert.deepEqual(
    await brief(bounce({ from, subject: 'Automatic reply: Politics', headers: ['Return-Path: <>'], body })),
    auto,
  )
})

const feedback = (type: string, fields: string) =>
  bounce({
    from: 'fbl@provider.example',
    subject: 'Abuse report',
    headers: ['MIME-Version: 1.0', 'Content-Type: multipart/report; report-type=feedback-report; boundary="=_1"'],
    body: [
      '--=_1\nContent-Type: text/plain\n\nThis is an abuse report.',
      `--=_1\nContent-Type: message/feedback-report\n\nFeedback-Type: ${type}\nVersion: 1\n${fields}`,
      `--=_1\nContent-Type: message/rfc822\n\n${ownMail}`,
      '--=_1--',
    ].join('\n'),
  })

test('a complaint names everyone that it names, else whom the mail went to', async () => {
  const complaint = (address: string) => `${address} complaint other`
  const named = 'Original-Rcpt-To: <bob@b.example>\nOriginal-Rcpt-To: <eve@e.example>'
  assert.deepEqual(await brief(feedback('abuse', named)), [
    'complaint',
    complaint('bob@b.example'),
    complaint('eve@e.example'),
  ])
  assert.deepEqual(await brief(feedback('abuse', 'User-Agent: x')), ['complaint', complaint('ada@a.example')])
})

test('a complaint that Amazon sends by mail is one, and nobody else can write it', async () => {
  const body =
    '{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"ada@a.example"}]}}'
  const from = 'SES <no-reply@sns.amazonaws.com>'
  assert.deepEqual(await brief(bounce({ from, body })), ['complaint', 'ada@a.example complaint other'])
  assert.notEqual((await brief(bounce({ body })))[0], 'complaint')
})

test('an automatic reply from an address without a reader is no bounce', async () => {
  const headers = ['Auto-Submitted: auto-replied']
  const body = 'The mailbox ada@a.example is no longer in use.'
  const mail = bounce({ from: 'noreply@a.example', subject: 'Thank you', headers, body })
  assert.equal((await brief(mail))[0], 'autoreply')
})

test('a feedback report about authentication, or that a mail is no spam, is no complaint', async () => {
  assert.deepEqual(await brief(feedback('auth-failure', '')), ['other'])
  assert.deepEqual(await brief(feedback('not-spam', '')), ['other'])
})

test('a mail to the address of List-Unsubscribe unsubscribes, but for a note of absence', async () => {
  const to = (subject: string, header = 'X-A: b') =>
    brief(
      bounce({ from: 'ada@a.example', subject, headers: [header], body: 'It goes to bob@b.example too.' }).replace(
        /^To: b-/m,
        'To: u-',
      ),
    )
  assert.deepEqual(await to(''), ['unsubscribe'])
  assert.deepEqual(await to('Delivery problem, ask bob@b.example'), ['unsubscribe'])
  assert.deepEqual(await to('unsubscribe', 'Auto-Submitted: auto-replied'), ['unsubscribe'])
  assert.deepEqual((await to('Automatic reply: Politics', 'Auto-Submitted: auto-replied'))[0], 'autoreply')
})

test('10 MB that were made to stop the reader are read by the same thread', async () => {
  const size = 10_000_000
  const fill = (text: string) => text.repeat(Math.ceil(size / text.length))
  const nested = Array.from(
    { length: 2000 },
    (_, n) => `Content-Type: multipart/mixed; boundary="b${n}"\n\n--b${n}\n`,
  ).join('')
  const pieces = [
    'a@',
    '<',
    '-',
    ' ',
    '\n',
    '\r',
    'a@b.',
    '550 ',
    '--=_1\n',
    'Final-Recipient: rfc822; ',
    'a: ',
    '"',
    '<b ',
    '=?utf-8?q?',
    'user ',
    '[',
  ]
  for (const junk of [nested, ...pieces.map(fill)])
    for (const mail of [
      junk,
      bounce({ body: junk }),
      report('Sorry.', junk),
      bounce({ headers: ['Content-Type: text/html'], body: junk }),
    ])
      await read(mail)
  assert.deepEqual(reader.stopped, { deadline: 0, memory: 0, crash: 0 })
})
