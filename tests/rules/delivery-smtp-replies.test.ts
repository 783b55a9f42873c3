import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isGivenUp, retryDelaySeconds, retryWithin } from '../../src/delivery/backoff.ts'
import { DomainLimits } from '../../src/delivery/domain-limits.ts'
import { PolicyGuard } from '../../src/delivery/policy-guard.ts'
import { warmUpLimit } from '../../src/delivery/quota.ts'
import { classifyReply, type ReplyClass } from '../../src/delivery/reply-class.ts'
import { shareConnections } from '../../src/delivery/relays.ts'
import { readReturnPath, returnPath } from '../../src/delivery/return-path.ts'
import type { SmtpStage } from '../../src/delivery/smtp-dialogue.ts'
import type { LeasedDelivery } from '../../src/delivery/lane.ts'
import { SlowDomains } from '../../src/delivery/slow-domains.ts'
import { ReplyReader } from '../../src/delivery/smtp-reply.ts'

describe('a refusal', () => {
  const cases: [SmtpStage, string, ReplyClass][] = [
    ['rcpt', '550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown in local recipient table', 'dead'],
    ['rcpt', '550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking', 'dead'],
    ['rcpt', '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup', 'dead'],
    ['rcpt', '550 5.1.2 Host unknown', 'dead'],
    ['rcpt', '553 5.1.3 The recipient address is not a valid RFC 5321 address', 'dead'],
    ['rcpt', '551 5.1.6 The user has moved', 'dead'],
    ['rcpt', '550 No such user here', 'dead'],
    ['rcpt', '550 Requested action not taken: mailbox unavailable', 'refused'],
    ['rcpt', '550 <ada@example.org>: user unknown', 'dead'],
    ['dot', '550 5.1.1 User unknown', 'dead'],
    ['rcpt', '550 5.1.1 User unknown; see our policy at https://mail.example/policy', 'dead'],
    ['rcpt', '550 5.1.1 Account policy: user unknown', 'dead'],
    ['rcpt', '550 5.1.1 ada: User unknown in virtual mailbox table; greylisting active', 'dead'],
    ['rcpt', '550 Empfaengeradresse existiert nicht', 'dead'],
    ['rcpt', '550 5.1.1 rejected by our spam policy', 'policy'],
    ['rcpt', '552 5.2.2 The email account that you tried to reach is over quota', 'refused'],
    ['rcpt', '550 5.2.1 The email account that you tried to reach is disabled', 'refused'],
    ['rcpt', '550 mailbox full', 'refused'],
    ['dot', '552 5.3.4 Message size exceeds fixed limit', 'refused'],
    ['rcpt', '550 5.7.1 Service unavailable; client host blocked using zen.spamhaus.org', 'policy'],
    ['rcpt', '550 5.1.1 Blocked by our reputation filter', 'policy'],
    ['rcpt', '554 5.7.1 <ada@example.org>: Relay access denied', 'policy'],
    ['dot', '550 5.7.515 Access denied, sending domain does not meet the required authentication level', 'policy'],
    ['dot', '550-5.7.26 This mail has been blocked because the sender is unauthenticated.', 'policy'],
    ['dot', '554 5.6.0 Message contains invalid header', 'policy'],
    ['dot', '554 Transaction failed', 'policy'],
    ['dot', '550 spam message rejected', 'policy'],
    ['mail', '550 5.1.8 Sender address rejected: Domain not found', 'policy'],
    ['mail', '530 5.7.0 Authentication required', 'policy'],
    ['data', '554 5.7.1 rejected for policy reasons', 'policy'],
    // What single receivers write.
    ['rcpt', '550-5.2.1 The email account that you tried to reach is inactive. gsmtp', 'refused'],
    ['rcpt', '552-5.2.2 The recipient is out of storage space and inactive. gsmtp', 'refused'],
    ['rcpt', '452-4.2.2 The recipient is out of storage space. gsmtp', 'temporary'],
    ['rcpt', '450-4.2.1 The user you are trying to contact is receiving mail at a rate that prevents', 'temporary'],
    ['rcpt', '553-5.1.2 We weren’t able to find the recipient domain. gsmtp', 'dead'],
    ['dot', '550-5.7.1 Our system has detected that this message is likely unsolicited mail. gsmtp', 'policy'],
    ['dot', '550-5.7.27 This mail has been blocked because SPF does not pass. gsmtp', 'policy'],
    ['dot', '550-5.7.28 There is an unusual rate of unsolicited mail from your IP address. gsmtp', 'policy'],
    ['dot', '550-5.7.25 The IP address sending this message does not have a PTR record. gsmtp', 'policy'],
    ['dot', '451-4.7.26 This mail has been rate limited because it is unauthenticated. gsmtp', 'throttled'],
    ['rcpt', '550-5.4.5 Daily SMTP relay sending quota exceeded for this user. gsmtp', 'policy'],
    ['rcpt', '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).', 'refused'],
    ['rcpt', '550 5.4.1 Recipient address rejected: Access denied. [x.prod.protection.outlook.com]', 'refused'],
    ['rcpt', '550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal visit', 'policy'],
    ['mail', '550 5.7.1 Unfortunately, messages from [192.0.2.1] weren’t sent. (S3140)', 'policy'],
    ['rcpt', '550 5.7.1 Part of their network is on our block list (S3150)', 'policy'],
    ['rcpt', '451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)', 'throttled'],
    ['rcpt', '550 5.1.8 Access denied, bad outbound sender AS(42004)', 'policy'],
    ['rcpt', '550 5.7.124 RESOLVER.RST.SenderNotInAllowedList; not in the list of allowed senders', 'policy'],
    ['dot', '554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException', 'refused'],
    ['rcpt', '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume', 'connection'],
    ['rcpt', '553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred', 'policy'],
    ['mail', '553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1', 'policy'],
    ['rcpt', '554 delivery error: dd This user does not have a yahoo.com account (ada@yahoo.com) [0]', 'dead'],
    ['dot', "554 delivery error: dd This user doesn't have a yahoo.com account (ada@yahoo.com) [0]", 'dead'],
    ['dot', '554 delivery error: dd This account has been disabled or discontinued [#102].', 'refused'],
    ['rcpt', '552 1 Requested mail action aborted, mailbox not found', 'dead'],
    ['dot', '554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com', 'policy'],
    ['rcpt', '550 5.1.1 <ada@icloud.com>: user does not exist', 'dead'],
    ['rcpt', '552 5.2.2 <ada@icloud.com>: user is over quota', 'refused'],
    ['dot', '554 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com', 'policy'],
    ['rcpt', '550 <ada@gmx.net>: Requested action not taken: mailbox unavailable', 'refused'],
    ['dot', '552 Requested mail action aborted: exceeded storage allocation', 'refused'],
    ['rcpt', '550 <news@news.example>: Reject due to SPF policy. The originating IP is not permitted', 'policy'],
    ['rcpt', '550 Benutzer nicht bekannt/User unknown', 'dead'],
    ['dot', '550 Message was not accepted -- invalid mailbox. Local mailbox is unavailable: user not found', 'dead'],
    ['dot', '550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=x', 'policy'],
    ['rcpt', '550 Access to this account is disabled', 'refused'],
    ['rcpt', '550 5.7.1 No such user!', 'dead'],
    ['rcpt', '550 5.1.0 <ada@a.example>: Recipient address rejected: User unknown in relay recipient table', 'dead'],
    ['rcpt', '550 5.1.8 <news@news.example>: Sender address rejected: Domain not found', 'policy'],
    ['rcpt', '550 <news@news.example>: Sender address rejected: Domain not found', 'policy'],
    ['rcpt', '550 <relay>: Helo command rejected: Host not found', 'policy'],
    ['rcpt', '550 5.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1]', 'policy'],
    ['rcpt', '550-Called: 192.0.2.2 Response: 550 User unknown; Sender verify failed', 'policy'],
    ['rcpt', '550-Verification failed for <news@news.example> Unrouteable address', 'policy'],
    ['rcpt', '550 relay not permitted', 'policy'],
    ['rcpt', '550 Unrouteable address', 'refused'],
    ['rcpt', '550 sorry, no mailbox here by that name. (#5.1.1)', 'dead'],
    ['rcpt', "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", 'policy'],
    ['rcpt', '552 sorry, that recipient is over quota (#5.2.2)', 'refused'],
    ['dot', '554 5.7.1 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1', 'policy'],
    ['dot', '550 5.7.0 Local Policy Violation', 'policy'],
    ['rcpt', '550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550', 'dead'],
    ['dot', '554 Email rejected due to security policies - https://community.mimecast.com', 'policy'],
    ['rcpt', '550 csi.mimecast.org Poor Reputation Sender', 'policy'],
    ['rcpt', '550 Administrative prohibition - envelope blocked', 'policy'],
    ['rcpt', '451 Internal resource temporarily unavailable - https://community.mimecast.com', 'temporary'],
    ['rcpt', '550 cuda_nsu 5.1.1 <ada@a.example> Recipient address rejected: User unknown', 'dead'],
    ['dot', '550 rejecting spoofed message', 'policy'],
    ['dot', '550 5.7.1 Message blocked due to spam content (Cloudmark)', 'policy'],
    ['rcpt', '550 5.1.1 Adresse invalide. Invalid recipient. OFR_416 [416]', 'dead'],
    ['rcpt', '550 5.2.1 <ada@prodigy.net>... Addressee unknown, relay=[192.0.2.1]', 'dead'],
    ['rcpt', '550 5.2.1 This mailbox has been blocked due to inactivity', 'refused'],
    ['rcpt', '550 ada@a.example User not listed in Domino Directory', 'dead'],
    ['rcpt', '550 5.1.1 Mailbox disabled, not accepting messages', 'refused'],
    ['rcpt', '556 5.1.10 Recipient address has a null MX', 'dead'],
    ['rcpt', '554 IP address 192.0.2.1 not found in reverse DNS', 'policy'],
    ['dot', '550 5.0.350 Remote server returned an error', 'policy'],
    ['dot', '451 4.3.0 temporarily unable to generate a queue file', 'temporary'],
    ['rcpt', '450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted', 'temporary'],
    ['rcpt', '451 4.7.1 Greylisting in action, please come back later', 'temporary'],
    ['rcpt', '452 4.2.2 mailbox full', 'temporary'],
    ['rcpt', '450 4.1.1 unverified address', 'temporary'],
    ['dot', '451 4.3.0 queue file write error', 'temporary'],
    ['rcpt', '421 4.7.0 Try again later, closing connection', 'connection'],
    ['dot', '421-4.7.28 Our system has detected an unusual rate of unsolicited mail', 'connection'],
    ['rcpt', '451 4.7.650 The mail server has been temporarily rate limited due to IP reputation', 'throttled'],
    ['rcpt', '454 4.7.0 Too many login attempts', 'throttled'],
    ['rcpt', '450 Too many messages, slow down', 'throttled'],
    ['dot', '452 4.3.1 try again later', 'throttled'],
    // What is quoted says nothing.
    ['rcpt', '550 No such user: policy@paper.example', 'dead'],
    ['rcpt', '550 5.1.1 <spam.blocked@x.example>: user unknown', 'dead'],
    ['dot', '550 5.1.1 <spam.blocked@x.example>: user unknown', 'dead'],
    ['dot', '550 5.1.1 spf-dkim@blocked.example: Recipient unknown', 'dead'],
    ['rcpt', '550 5.1.1 policy... User unknown', 'dead'],
    ['rcpt', '550 policy... User unknown', 'dead'],
    ['rcpt', '550 "spam.policy" is not a known user', 'dead'],
    ['rcpt', "550 Mailbox 'blocked' does not exist", 'dead'],
    ['rcpt', '550 <quota.disabled@x.example> unknown user account', 'dead'],
    ['rcpt', '550 5.1.1 User unknown. See https://mail.example/policy/blocked', 'dead'],
    ['dot', '550 5.1.1 No such user at spam.blocked.example', 'dead'],
    ['rcpt', '550 <storage.full@x.example>: Recipient address rejected: User unknown', 'dead'],
    ['rcpt', '550 mailbox full: no.such.user@x.example', 'refused'],
    ['rcpt', '550 5.7.1 <user.unknown@x.example>: Relay access denied', 'policy'],
    ['dot', '554 Rejected, <no-such-user@x.example> considers this spam', 'policy'],
    ['dot', '554 5.7.1 <user-unknown@x.example> rejected by our policy', 'policy'],
    ['rcpt', '550 Rejected, see https://www.spamhaus.org/query/ip/192.0.2.1', 'policy'],
    ['rcpt', '550 5.1.1 zen.spamhaus.org', 'policy'],
    ['rcpt', '451 4.2.0 <too.fast@x.example>: Greylisted', 'temporary'],
    ['rcpt', '450 4.3.2 <too.many@x.example>: not now', 'temporary'],
    // More real ones.
    ['rcpt', '550 5.1.1 The email account that you tried to reach does not exist. gsmtp', 'dead'],
    ['rcpt', '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup', 'dead'],
    ['rcpt', '550 5.1.6 Mailbox has moved, no forwarding address', 'dead'],
    ['rcpt', '553 5.1.2 Recipient domain not found', 'dead'],
    ['rcpt', '550 5.1.1 <ada@mail.example>: Email address could not be found, or was misspelled (G8)', 'dead'],
    ['rcpt', '550 No Such User Here', 'dead'],
    ['rcpt', '551 5.1.1 User not found', 'dead'],
    ['rcpt', '553 5.3.0 <ada@a.example>... Addressee unknown', 'dead'],
    ['rcpt', '550 RCPT TO:<ada@a.example> User unknown', 'dead'],
    ['rcpt', '550 5.1.1 ada@a.example This user does not exist here', 'dead'],
    ['rcpt', '550 5.2.1 The email account that you tried to reach is disabled. gsmtp', 'refused'],
    ['rcpt', '550 5.1.1 Recipient rejected: mailbox full', 'refused'],
    ['dot', '550 5.7.1 Our system has blocked <ada@a.example>', 'policy'],
  ]
  for (const [stage, line, expected] of cases)
    it(`${line.slice(0, 70)} (${stage}) is ${expected}`, () => {
      const [reply] = new ReplyReader().read(Buffer.from(`${line.replace(/^(\d\d\d)-/, '$1 ')}\r\n`))
      assert.equal(classifyReply(stage, reply!), expected)
    })

  it('says nothing against an address in a thousand replies about the sender', () => {
    for (let i = 0; i < 1000; i++) {
      const text = `5.7.${i} ${['DMARC policy', 'spam', 'not authenticated', 'blocked'][i % 4]}`
      const reply = { code: 550 + (i % 5), enhanced: `5.7.${i}`, text }
      assert.notEqual(classifyReply((['rcpt', 'data', 'dot', 'mail'] as const)[i % 4]!, reply), 'dead')
    }
  })
})

describe('the reply reader', () => {
  it('puts replies together from any pieces', () => {
    const bytes = '250-first\r\n250-second\r\n250 2.1.0 last\r\n354 go\n'
    for (let size = 1; size < bytes.length; size++) {
      const reader = new ReplyReader()
      const replies = []
      for (let at = 0; at < bytes.length; at += size)
        replies.push(...reader.read(Buffer.from(bytes.slice(at, at + size))))
      assert.deepEqual(
        replies.map((reply) => [reply.code, reply.text]),
        [
          [250, 'first second 2.1.0 last'],
          [354, 'go'],
        ],
      )
    }
  })
  it('refuses what no SMTP server says', () => {
    assert.throws(() => new ReplyReader().read(Buffer.from('HTTP/1.1 400 Bad Request\r\n')))
    assert.throws(() => new ReplyReader().read(Buffer.alloc(10_000, 'a')))
  })
})

describe('a retry', () => {
  it('comes after five minutes at first, then later and later, never beyond four hours and a fifth', () => {
    assert.equal(retryDelaySeconds(0, 0.5), 300)
    assert.equal(retryDelaySeconds(1, 0.5), 600)
    assert.equal(retryDelaySeconds(0, 0), 240)
    assert.equal(retryDelaySeconds(30, 0.999), 17_274)
  })
  it('is given up after the window, but not before three tries', () => {
    assert.equal(isGivenUp(1, 49 * 3600, 48), false)
    assert.equal(isGivenUp(2, 49 * 3600, 48), true)
    assert.equal(isGivenUp(9, 47 * 3600, 48), false)
  })
  it('is made once more at the end of the window, not after it', () => {
    assert.equal(retryWithin(0, 0.5, 0, 1), 300)
    assert.equal(retryWithin(4, 0.5, 3000, 1), 601)
    assert.equal(isGivenUp(5, 3601, 1), true)
    assert.equal(retryWithin(1, 0.5, 7200, 1), 600)
  })
})

describe('a domain limit', () => {
  it('halves on throttling, once for all that was under way, and grows back to none', () => {
    let now = 0
    const limits = new DomainLimits(() => now)
    for (let i = 0; i < 16; i++) limits.started('slow.example')
    limits.throttled('slow.example')
    limits.throttled('slow.example')
    now += 1000
    assert.deepEqual(limits.list(), [{ domain: 'slow.example', limit: 8, active: 16 }])
    for (let i = 0; i < 12; i++) limits.ended('slow.example')
    assert.equal(limits.mayStart('slow.example'), true)
    for (let i = 0; i < 10_000; i++) limits.accepted('slow.example')
    assert.deepEqual(limits.list(), [])
    assert.equal(limits.mayStart('other.example'), true)
  })
  it('rests longer and longer while one at a time is still too much', () => {
    let now = 0
    const limits = new DomainLimits(() => now)
    limits.started('slow.example')
    for (let i = 0; i < 20; i++) {
      limits.throttled('slow.example')
      now += 60_001
    }
    limits.throttled('slow.example')
    limits.ended('slow.example')
    assert.equal(limits.mayStart('slow.example'), false)
    now += 60_001
    assert.equal(limits.mayStart('slow.example'), true)
  })
})

describe('a slow domain', () => {
  const mail = (domain: string) => ({ domain }) as LeasedDelivery
  it('is one whose mail waits for more than a second while others are answered five times over', () => {
    let now = 0
    const slow = new SlowDomains(20, () => now)
    slow.started(mail('tarpit.example'))
    const others = Array.from({ length: 100 }, () => mail('quick.example'))
    for (const other of others) slow.started(other)
    now = 1500
    assert.deepEqual([...slow.find()], [])
    for (const other of others) slow.answered(other)
    assert.deepEqual([...slow.find()], ['tarpit.example'])
  })
  it('is none where the relay is slow with everybody', () => {
    let now = 0
    const slow = new SlowDomains(20, () => now)
    for (let i = 0; i < 20; i++) slow.started(mail(`a${i}.example`))
    now = 600_000
    assert.deepEqual([...slow.find()], [])
  })
})

describe('the guard against being refused as a sender', () => {
  const open = (isProven: boolean, policyStreak = 0) => {
    let now = 0
    const guard = new PolicyGuard(() => now)
    guard.stands(1, { isProven, policyStreak })
    const startAll = () => {
      let started = 0
      for (; guard.mayStart(1) && started < 100; started++) guard.started(1)
      return started
    }
    return { guard, startAll, wait: (ms: number) => (now += ms) }
  }
  it('begins with a few, has no limit after a success, falls back to one', () => {
    const { guard, startAll } = open(false)
    assert.equal(startAll(), 8)
    assert.equal(guard.hasSuccess(1), false)
    assert.equal(guard.ended(1, 'sent'), 'proven')
    assert.equal(guard.hasSuccess(1), true)
    assert.equal(startAll(), 100)
    assert.equal(guard.ended(1, 'policy'), 'refused')
    for (let i = 0; i < 106; i++) guard.ended(1, 'other')
    assert.equal(startAll(), 1)
    assert.equal(guard.ended(1, 'sent'), 'recovered')
    assert.equal(startAll(), 100)
  })
  it('a worker that comes late to a proven edition begins with three, or with one while others are refused', () => {
    assert.equal(open(true).startAll(), 3)
    assert.equal(open(true, 4).startAll(), 1)
  })
  it('lets one more try for each second of silence, never more than eighteen', () => {
    const { startAll, wait } = open(false)
    assert.equal(startAll(), 8)
    wait(1000)
    assert.equal(startAll(), 1)
    for (let i = 0; i < 50; i++) {
      wait(60_000)
      startAll()
    }
    assert.equal(startAll(), 0)
  })
  it('can be resumed again and again', () => {
    const { guard, startAll } = open(false)
    for (let pause = 0; pause < 5; pause++) {
      guard.stands(1, { isProven: false, policyStreak: 0 })
      for (let i = 0; i < 10; i++) {
        const started = startAll()
        assert.ok(started >= 1)
        guard.ended(1, 'policy')
        for (let n = 1; n < started; n++) guard.ended(1, 'other')
      }
    }
  })
})

describe('relays', () => {
  it('share the connections by weight', () => {
    const relay = { name: '', host: '', port: 1, implicitTls: false, tls: 'never', user: null, password: null } as const
    const of = (...weights: number[]) =>
      shareConnections(
        weights.map((weight) => ({ ...relay, weight })),
        20,
      )
    assert.deepEqual(of(1), [20])
    assert.deepEqual(of(3, 1), [20, 7])
    assert.deepEqual(of(100, 1), [20, 1])
    assert.deepEqual(shareConnections([{ ...relay, weight: 1, connections: 5 }], 20), [5])
  })
  it('warm up day by day', () => {
    const plan = { mails: 100, growth: 2 }
    assert.deepEqual(
      [-1, 0, 1, 2, 3].map((day) => warmUpLimit(plan, day)),
      [100, 100, 200, 400, 800],
    )
  })
})

describe('a return path', () => {
  const keys = ['k'.repeat(32), 'o'.repeat(32)]
  it('names its delivery, in any case, under any key that we had', () => {
    const address = returnPath(keys, 'bounces.example', 123_456_789)
    assert.ok(address.slice(0, address.indexOf('@')).length <= 64)
    assert.equal(readReturnPath(keys, address), 123_456_789)
    assert.equal(readReturnPath(keys, address.toUpperCase()), 123_456_789)
    assert.equal(readReturnPath(['n'.repeat(32), keys[0]!], address), 123_456_789)
  })
  it('can not be forged', () => {
    const address = returnPath(keys, 'bounces.example', 5)
    assert.equal(readReturnPath(keys, address.replace('b-5-', 'b-6-')), null)
    assert.equal(readReturnPath(['n'.repeat(32)], address), null)
    assert.equal(readReturnPath(keys, 'news@bounces.example'), null)
  })
})
