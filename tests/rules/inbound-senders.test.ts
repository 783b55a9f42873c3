// One mail per server that returns mails its own way, in the shape that it gives them.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readInbound } from '../../src/inbound/read.ts'
import { bounce, ownMail, report } from '../support/bounces.ts'

const own = { addresses: ['news@paper.example'], bounceDomain: 'bounces.paper.example' }
const exim =
  'This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:'

const mails: Record<string, readonly [mail: string, ...reports: string[]]> = {
  Exim: [
    bounce({
      subject: 'Mail delivery failed: returning message to sender',
      headers: ['Auto-Submitted: auto-replied', 'X-Failed-Recipients: ada@a.example'],
      body: `${exim}\n\n  ada@a.example\n    SMTP error from remote mail server after RCPT TO:<ada@a.example>:\n    host mx.a.example [192.0.2.1]: 550 5.1.1 <ada@a.example>: Recipient address rejected: User unknown\n\n------ This is a copy of the message, including all the headers. ------\n\n${ownMail}`,
    }),
    'ada@a.example hard user_unknown',
  ],
  'Exim, of an address that it knows no way for': [
    bounce({
      body: `${exim}\n\n  ada@a.example\n    Unrouteable address\n\n------ This is a copy of the message ------\n\n${ownMail}`,
    }),
    'ada@a.example hard host_unknown',
  ],
  'Exim, delayed': [
    bounce({
      subject: 'Warning: message 1abc delayed 24 hours',
      headers: ['Auto-Submitted: auto-replied'],
      body: 'A message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.\n\nThe address to which the message has not yet been delivered is:\n\n  ada@a.example\n    Delay reason: 450 user unknown',
    }),
    'ada@a.example soft delayed',
  ],
  'qmail, two addresses': [
    bounce({
      subject: 'failure notice',
      body: `Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<ada@a.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no such user\nGiving up on 192.0.2.1.\n\n<bob@b.example>:\nRemote host said: 552 5.2.2 over quota\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\n${ownMail}`,
    }),
    'ada@a.example hard user_unknown',
    'bob@b.example soft mailbox_full',
  ],
  Postfix: [
    report(
      'This is the mail system at host mx.example.\n\nFor further assistance, please send mail to postmaster.\n\n<ada@a.example>: host in.a.example[192.0.2.1] said: 550 5.1.1 User unknown',
      'Final-Recipient: rfc822; ada@a.example\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; in.a.example\nDiagnostic-Code: smtp; 550 5.1.1 User unknown',
    ),
    'ada@a.example hard user_unknown',
  ],
  'Postfix, of a domain that does not answer for now': [
    report(
      '<ada@a.example>: Host or domain name not found. Name service error for name=a.example type=MX: Host not found, try again',
      'Final-Recipient: rfc822; ada@a.example\nAction: failed\nStatus: 4.4.3\nDiagnostic-Code: X-Postfix; Host not found, try again',
    ),
    'ada@a.example soft system',
  ],
  'sendmail 8': [
    report(
      'The original message was received at Thu, 9 May 2024 23:34:45 +0900\n\n   ----- The following addresses had permanent fatal errors -----\n<ada@a.example>\n    (reason: 550 5.1.1 <ada@a.example>... User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to in.a.example.:\n>>> DATA\n<<< 550 5.1.1 <ada@a.example>... User unknown',
      'Final-Recipient: RFC822; ada@a.example\nAction: failed\nStatus: 5.1.1',
    ),
    'ada@a.example hard user_unknown',
  ],
  'sendmail 5, two addresses': [
    bounce({
      subject: 'Returned mail: User unknown',
      body: `   ----- Transcript of session follows -----\nWhile talking to in.a.example:\n>>> RCPT To:<ada@a.example>\n<<< 550 <ada@a.example>... User unknown\n550 <ada@a.example>... User unknown\n554 <bob@b.example>... Remote protocol error\n\n   ----- Unsent message follows -----\n${ownMail}`,
    }),
    'ada@a.example hard user_unknown',
    'bob@b.example soft other',
  ],
  X1: [
    bounce({
      body: `The original message was received at Thu, 9 May 2024 23:34:45 +0900\nfrom news@paper.example\n\n---The following addresses had delivery errors---\nada@a.example [User unknown]\n\n${ownMail}`,
    }),
    'ada@a.example soft user_unknown',
  ],
  'Exchange 5.5': [
    bounce({
      subject: 'Undeliverable: Politics',
      body: `Your message\n\n  To:      list@paper.example\n  Subject: Politics\n  Sent:    Thu, 9 May 2024 23:34:45 +0900\n\ndid not reach the following recipient(s):\n\nada@a.example on Thu, 9 May 2024 23:34:45 +0900\n    The recipient name is not recognized\n\tThe MTS-ID of the original message is: c=jp;a= ;p=a`,
    }),
    'ada@a.example hard user_unknown',
  ],
  'Exchange 2007 and Microsoft 365': [
    bounce({
      subject: 'Undeliverable: Politics',
      body: `Delivery has failed to these recipients or groups:\n\nAda (ada@a.example)\nThe e-mail address you entered couldn't be found.\n\nDiagnostic information for administrators:\n\nGenerating server: mx.a.example\n\nada@a.example\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n\nOriginal message headers:\n\n${ownMail}`,
    }),
    'ada@a.example hard user_unknown',
  ],
  Gmail: [
    report(
      "** Address not found **\n\nYour message wasn't delivered to ada@a.example because the address couldn't be found.",
      'Final-Recipient: rfc822; ada@a.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.',
      { subject: 'Delivery Status Notification (Failure)' },
    ),
    'ada@a.example hard user_unknown',
  ],
  'Gmail, delayed': [
    bounce({
      subject: 'Delivery Status Notification (Delay)',
      body: `THIS IS A WARNING MESSAGE ONLY.\n\nDelivery to the following recipient has been delayed:\n\n     ada@a.example\n\nMessage will be retried for 2 more day(s)\n\n----- Original message -----\n\n${ownMail}`,
    }),
    'ada@a.example soft delayed',
  ],
  'Google Groups': [
    bounce({
      headers: ['X-Failed-Recipients: group@a.example'],
      body: "Hello news@paper.example,\n\nWe're writing to let you know that the group you tried to contact (group) may not exist, or you may not have permission to post messages to the group.\n\nGoogle Groups",
    }),
    'group@a.example soft policy',
  ],
  Yahoo: [
    bounce({
      subject: 'Failure Notice',
      body: `Sorry, we were unable to deliver your message to the following address.\n\n<ada@a.example>:\n552: 5.2.2 <ada@a.example>... Mailbox Full\n\n--- Below this line is a copy of the message.\n\n${ownMail}`,
    }),
    'ada@a.example soft mailbox_full',
  ],
  GMX: [
    bounce({
      body: `${exim}\n\n"ada@a.example":\nSMTP error from remote server after RCPT command:\nhost: mx.a.example\n5.1.1 <ada@a.example>... User Unknown\n\n--- The header of the original message is following. ---\n\n${ownMail}`,
    }),
    'ada@a.example hard user_unknown',
  ],
  'Mail.ru': [
    bounce({
      headers: ['Content-Type: text/plain; charset=utf-8', 'X-Failed-Recipients: ada@a.example'],
      body: `Это письмо создано автоматически сервером Mail.Ru.\n\n${exim}\n\n  ada@a.example\n    host mxs.a.example [192.0.2.1]\n    SMTP error from remote mail server after end of data:\n    550 Message was not accepted -- invalid mailbox.  Local mailbox ada@a.example is unavailable: user not found\n\n------ This is a copy of the message, including all the headers. ------\n\n${ownMail}`,
    }),
    'ada@a.example hard user_unknown',
  ],
  WorkMail: [
    bounce({
      subject: 'Delivery_Status_Notification_(Failure)',
      body: 'An error occurred while trying to deliver the mail to the following recipients:\n\nada@a.example\n\nTechnical report:\n\nReporting-MTA: dsn; out.mx.example\n\nAction: failed\nFinal-Recipient: rfc822; ada@a.example\nDiagnostic-Code: smtp; 550 5.2.2 <ada@a.example>... Mailbox Full\nStatus: 5.2.2',
    }),
    'ada@a.example soft mailbox_full',
  ],
  Domino: [
    bounce({
      subject: 'DELIVERY FAILURE: User Ada (ada@a.example) not listed in Domino Directory',
      body: 'Your message\n\n  Subject: Politics\n\nwas not delivered to:\n\n  ada@a.example\n\nbecause:\n\n  User Ada (ada@a.example) not listed in Domino Directory',
    }),
    'ada@a.example hard user_unknown',
  ],
  Courier: [
    report(
      'UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<ada@a.example>:\n   mx.a.example [192.0.2.1]:\n>>> RCPT TO:<ada@a.example>\n<<< 550 5.1.1 <ada@a.example>... User Unknown',
      'Final-Recipient: rfc822; ada@a.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.1 <ada@a.example>... User Unknown',
    ),
    'ada@a.example hard user_unknown',
  ],
  OpenSMTPD: [
    bounce({
      subject: 'Delivery status notification: error',
      body: `    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\nada@a.example: 550 5.1.1 No such user\n\n    Below is a copy of the original message:\n\n${ownMail}`,
    }),
    'ada@a.example hard user_unknown',
  ],
  MailMarshal: [
    bounce({
      body: 'Your message:\n   From:    news@paper.example\n   Subject: Politics\n\nCould not be delivered because of\n\n550 5.1.1 User unknown\n\nThe following recipients were affected:\n    ada@a.example\n\nAdditional Information\n======================\nOriginal Sender:    <other@b.example>',
    }),
    'ada@a.example hard user_unknown',
  ],
  'Sun and iPlanet': [
    report(
      'Your message cannot be delivered to the following recipients:\n\n  Recipient address: ada@server\n  Original address: ada@a.example\n  Reason: recipient reached disk quota',
      'Original-recipient: rfc822;ada@a.example\nFinal-recipient: rfc822;@mx.a.example:ada@server\nAction: failed\nStatus: 5.0.0 (recipient reached disk quota)',
    ),
    'ada@a.example soft mailbox_full',
  ],
  IMail: [
    bounce({
      headers: ['X-Mailer: <SMTP32 v8.22>'],
      body: `Unknown user: ada@a.example\n\nOriginal message follows.\n\n${ownMail}`,
    }),
    'ada@a.example hard user_unknown',
  ],
  EZweb: [
    bounce({
      from: 'Postmaster@ezweb.example',
      body: 'Each of the following recipients was rejected by a remote\nmail server.\n\n    Recipient: <ada@a.example>\n    >>> RCPT TO:<ada@a.example>\n    <<< 550 <ada@a.example>: User unknown',
    }),
    'ada@a.example hard user_unknown',
  ],
  KDDI: [
    bounce({
      body: 'Your mail sent on: Thu, 9 May 2024 23:34:45 +0900\n     Could not be delivered to: <ada@a.example>\n     As their mailbox is full.',
    }),
    'ada@a.example soft mailbox_full',
  ],
  X6: [
    bounce({
      body: 'We had trouble delivering your message. Full details follow:\n\nSubject: Politics\n\n1 error(s):\n\nSMTP Server <mx.a.example> rejected recipient <ada@a.example>\n  (Error following RCPT command). It responded as follows: [550 5.1.1 User unknown]',
    }),
    'ada@a.example hard user_unknown',
  ],
  'EZweb, of a disabled account': [
    bounce({
      from: 'Postmaster@ezweb.example',
      body: 'The user(s) account is disabled.\n\n<ada@a.example>: 550 user unknown (in reply to RCPT TO command)',
    }),
    'ada@a.example soft suspended',
  ],
  Notes: [
    bounce({
      body: `------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\nada@a.example\n\n------- Returned Message --------\n${ownMail}`,
    }),
    'ada@a.example hard user_unknown',
  ],
  'a server that says it in HTML only': [
    bounce({
      headers: ['Content-Type: text/html'],
      body: '<style>a { color: user unknown }</style><p>The following address failed:<p>&lt;ada@a.example&gt;<br>&nbsp; mailbox is full',
    }),
    'ada@a.example soft mailbox_full',
  ],
  'a server that leaves out a semicolon': [
    report('<ada@a.example>: user unknown', 'Action: failed\nStatus: 5.1.1').replace(
      'Content-Type: text/plain',
      'Content-Type: text/plain\n   charset=us-ascii',
    ),
    'ada@a.example hard user_unknown',
  ],
  'the server of an address that a mail was forwarded to': [
    bounce({
      subject: 'failure notice',
      headers: ['X-Original-To: ada@a.example'],
      body: '<ada@a.example>:\nRemote host said: 552 over quota',
    }),
    'ada@a.example soft mailbox_full',
  ],
  'a server that refused us, not the address': [
    bounce({
      body: `${exim}\n\n  ada@a.example\n    SMTP error from remote mail server after MAIL FROM:<b@paper.example>:\n    550 5.1.7 No such domain paper.example`,
    }),
    'ada@a.example soft policy',
  ],
  'Gmail, of an address that it does not know': [
    bounce({
      body: "** Address not found **\n\nYour message wasn't delivered to ada@a.example because the address couldn't be found. Check for typos or unnecessary spaces and try again.",
    }),
    'ada@a.example hard user_unknown',
  ],
  'Gmail, of what another server said after it had the mail': [
    bounce({
      body: "** Address not found **\n\nYour message wasn't delivered to ada@a.example because the address couldn't be found, or is unable to receive mail.\n\nThe response was:\n\n550 : User unknown",
    }),
    'ada@a.example soft user_unknown',
  ],
  Hotmail: [
    report(
      'Delivery to the following recipients failed.\n\n       ada@a.example\n',
      'Final-Recipient: rfc822;ada@a.example\nAction: failed\nStatus: 5.5.0\nDiagnostic-Code: smtp;550 Requested action not taken: mailbox unavailable (-21:35:-22)',
      { from: 'postmaster@hotmail.com' },
    ),
    'ada@a.example hard user_unknown',
  ],
  'Exim, of what Hotmail said to RCPT, on two lines': [
    bounce({
      body: `${exim}\n\n  ada@a.example\n    SMTP error from remote mail server after RCPT TO:<ada@a.example>:\n    host mx.a.example [192.0.2.1]: 550 Requested action not taken:\n    mailbox unavailable`,
    }),
    'ada@a.example hard user_unknown',
  ],
  'Exim, whose header spells the address in another way': [
    bounce({
      headers: ['X-Failed-Recipients: ada@relay.a.example'],
      body: `${exim}\n\n  ada@a.example\n    SMTP error from remote mail server after RCPT TO:<ada@a.example>:\n    host mx.a.example [192.0.2.1]: 550 5.1.1 User unknown\n\n------ This is a copy of the message, including all the headers. ------\n\n${ownMail}`,
    }),
    'ada@a.example hard user_unknown',
  ],
  'Exim, of an address in the place of a name': [
    bounce({
      subject: 'Mail failure - malformed recipient address',
      body: 'A message that you sent contained one or more recipient addresses that were\nincorrectly constructed:\n\n  bob@b.example <ada@a.example>: malformed address: <ada@a.example> may not follow bob@b.example',
    }),
    'ada@a.example soft other',
  ],
  InterScan: [
    bounce({
      body: 'Message from InterScan Messaging Security Suite\n\nUnable to deliver message to <ada@a.example> (and other recipients in the same domain). Please check if address is correct.',
    }),
    'ada@a.example hard user_unknown',
  ],
  'fml, a mailing list': [
    bounce({
      from: 'cats-admin@a.example',
      subject: 'You are not member',
      headers: ['X-MLServer: fml'],
      body: 'You are not a member of this mailing list <cats@a.example>.',
    }),
    'cats@a.example soft policy',
  ],
  'a server that sets its recipients apart by no empty line': [
    report(
      'Sorry.',
      'Final-Recipient: rfc822; ada@a.example\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 550 5.2.2 Mailbox full\nFinal-Recipient: rfc822; bob@a.example\nAction: failed\nStatus: 5.1.1',
    ),
    'ada@a.example soft mailbox_full',
    'bob@a.example hard user_unknown',
  ],
  'Amazon SES by SNS, of a mail that arrived': [
    bounce({
      from: 'no-reply@sns.amazonaws.com',
      subject: 'AWS Notification Message',
      body: '{"notificationType":"Delivery","mail":{"source":"news@paper.example"},"delivery":{"recipients":["ada@a.example"]}}',
    }),
    'ada@a.example delivered other',
  ],
  DragonFly: [
    bounce({
      subject: 'Mail delivery failed',
      body: `This is the DragonFly Mail Agent v0.13 at mx.example.\n\nThere was an error delivering your mail to <ada@a.example>.\n\nin.a.example [192.0.2.1] did not like our RCPT TO:\n550 5.7.1 Client host blocked\n\nMessage headers follow.\n\n${ownMail}`,
    }),
    'ada@a.example soft blocked',
  ],
}

void suite('a mail returned by', () => {
  for (const [sender, [mail, ...expected]] of Object.entries(mails))
    void test(sender, async () => {
      const { kind, reports, returned } = await readInbound(Buffer.from(mail), own)
      assert.equal(kind, 'bounce')
      assert.deepEqual(
        reports.map(({ recipient, class: what, reason }) => `${recipient} ${what} ${reason}`),
        expected,
      )
      if (mail.includes(ownMail)) {
        assert.equal(returned.messageId, '2@paper.example')
        assert.deepEqual(returned.verp, ['b-3f-abcdefghijklmnopqrst@bounces.paper.example'])
        assert.deepEqual(returned.unsubscribeTokens, ['7.0.abcdefghijklmnopqrstuv'])
      }
    })
})

void test('bare CRs and CRLFs read like LFs', async () => {
  for (const [mail, ...expected] of Object.values(mails))
    for (const end of ['\r', '\r\n']) {
      const { reports } = await readInbound(Buffer.from(mail.replaceAll('\n', end)), own)
      assert.deepEqual(
        reports.map(({ recipient, class: what, reason }) => `${recipient} ${what} ${reason}`),
        expected,
      )
    }
})

void test('a report whose boundary is not the one that its header names is read all the same', async () => {
  for (const mail of Object.values(mails)
    .map(([each]) => each)
    .filter((each) => each.includes('=_1'))) {
    const broken = mail.replace('boundary="=_1"', 'boundary="=_other"')
    const none = mail.replace(/^Content-Type: multipart.*\n/m, '')
    for (const each of [broken, none])
      assert.deepEqual(
        (await readInbound(Buffer.from(each), own)).reports,
        (await readInbound(Buffer.from(mail), own)).reports,
      )
  }
})

void test('a mail that is cut off anywhere is read without an error, and never names one of our addresses', async () => {
  for (const [mail] of Object.values(mails))
    for (let end = 0; end < mail.length; end += 37) {
      const { reports } = await readInbound(Buffer.from(mail.slice(0, end)), own)
      for (const { recipient } of reports)
        assert.ok(recipient !== 'news@paper.example' && !recipient?.endsWith('@bounces.paper.example'), recipient ?? '')
    }
})
