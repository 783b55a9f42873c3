// What follows from mail that comes back, from the server that hands it to us to the subscriber.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { startListener } from '../../src/inbound/listener.ts'
import { purgeInbound, runInbound } from '../../src/inbound/work.ts'
import { returnPath } from '../../src/delivery/return-path.ts'
import { checkAlerts, listAlerts } from '../../src/desk/alerts.ts'
import { brakeSentence, decisionsOf } from '../../src/desk/brake-words.ts'
import { moveEdition } from '../../src/desk/control.ts'
import { decideBrake } from '../../src/desk/brakes.ts'
import { planEdition } from '../support/sending.ts'
import { storeInbound } from '../../src/inbound/store.ts'
import { unsuppress } from '../../src/subscribers/suppression.ts'
import { type House, story, type StoryOptions } from '../support/house.ts'
import type { ReceivedMail } from '../support/inbox.ts'
import { sendWaitingMail } from '../support/post.ts'
import { listTablesNaming } from '../support/database.ts'
import { eraseSubscriber } from '../../src/subscribers/erase.ts'
import { personalData } from '../../src/subscribers/personal-data.ts'
import { addCategories, getSubscriber, subscribeFully } from '../support/readers.ts'
import { bounceOf, complaintOf, handTo, plainMailTo } from '../support/returned-mail.ts'

const inbound: StoryOptions = { env: { BOUNCE_DOMAIN: 'bounces.news.example', INBOUND_LISTEN: '127.0.0.1:2525' } }

/** Comes to its return path unless it is said to come to another address. */
async function comesBack(house: House, raw: string, envelopeTo: string | null): Promise<void> {
  const receivedAt = house.clock.now()
  await storeInbound(house.db, { source: 'listener', envelopeTo, raw: Buffer.from(raw, 'latin1'), receivedAt })
  await runInbound(house.ctx)
}

const reportsOf = (house: House) =>
  house.db
    .selectFrom('inboundReports')
    .select(['class', 'reason', 'proof', 'effect', 'deliveryId', 'subscriberId'])
    .orderBy('id')
    .execute()
const effects = async (house: House) => (await reportsOf(house)).map(({ effect }) => effect)
const suppressions = (house: House) =>
  house.db.selectFrom('suppressions').select(['email', 'reason']).orderBy('email').execute()

async function welcomed(house: House, email: string): Promise<ReceivedMail> {
  await subscribeFully(house, email)
  await sendWaitingMail(house)
  return house.inbox.last(email)
}

story(
  'a bounce to the return path of a mail suppresses its reader at once, by the server that hands it over to the list',
  async (house) => {
    await addCategories(house)
    const mail = await welcomed(house, 'ada@example.org')
    await welcomed(house, 'bob@example.org')
    const listener = await startListener(house.ctx, { host: '127.0.0.1', port: 0 })
    try {
      await handTo(listener.port!, mail.returnPath, bounceOf(mail))
      // It is there, and nothing has followed yet.
      assert.deepEqual(await suppressions(house), [])
      assert.equal(await runInbound(house.ctx), 1)
      assert.deepEqual(await suppressions(house), [{ email: 'ada@example.org', reason: 'hard_bounce' }])
      assert.equal((await getSubscriber(house, 'ada@example.org')).status, 'suppressed')
      assert.equal((await getSubscriber(house, 'bob@example.org')).status, 'active')
      const [report] = await reportsOf(house)
      assert.equal(report!.proof, 'return-path')
      const mark = await house.db.selectFrom('returnedDeliveries').selectAll().executeTakeFirstOrThrow()
      assert.deepEqual(
        [mark.deliveryId, mark.class, mark.reason, mark.domain],
        [report!.deliveryId, 'hard', 'user_unknown', 'example.org'],
      )
      const delivery = await house.db
        .selectFrom('deliveries')
        .select(['state'])
        .where('id', '=', mark.deliveryId)
        .executeTakeFirstOrThrow()
      assert.equal(delivery.state, 'sent')

      // The same bytes, and the same in other words, after an editor has taken the address off the list.
      const { emailHash } = await getSubscriber(house, 'ada@example.org')
      await unsuppress(house.ctx, emailHash)
      await handTo(listener.port!, mail.returnPath, bounceOf(mail))
      await handTo(listener.port!, mail.returnPath, bounceOf(mail, { nonce: '2' }))
      await runInbound(house.ctx)
      assert.deepEqual(await suppressions(house), [])
      assert.deepEqual(await effects(house), ['suppressed', 'repeated'])
    } finally {
      await listener.close()
    }
  },
  inbound,
)

story(
  'only addresses that we have signed are taken, by SMTP and by LMTP, up to 10 MB',
  async (house) => {
    await addCategories(house)
    const mail = await welcomed(house, 'ada@example.org')
    const listener = await startListener(house.ctx, { host: '127.0.0.1', port: 0 })
    const port = listener.port!
    try {
      const refused = [
        'postmaster@bounces.news.example',
        mail.returnPath.replace(/^b-\w+/, 'b-1a'),
        mail.returnPath.replace(/.@/, (last) => (last === 'a@' ? 'b@' : 'a@')),
        mail.returnPath.replace(/^b/, 'u'),
        mail.returnPath.replace('bounces.news.example', 'other.example'),
      ]
      for (const to of refused)
        for (const lmtp of [false, true])
          await assert.rejects(handTo(port, to, bounceOf(mail), lmtp), { responseCode: 550 }, to)
      await assert.rejects(handTo(port, mail.returnPath, Buffer.alloc(10 * 1024 * 1024 + 1000, 'x\r\n')), {
        responseCode: 552,
      })
      const count = async () => (await house.db.selectFrom('inboundEvents').select('id').execute()).length
      assert.equal(await count(), 0)
      await handTo(port, mail.returnPath.toUpperCase(), bounceOf(mail), true)
      await handTo(
        port,
        mail.returnPath,
        Buffer.concat([Buffer.from(bounceOf(mail)), Buffer.alloc(9_000_000, 'x\r\n')]),
      )
      assert.equal(await count(), 2)
    } finally {
      await listener.close()
    }
  },
  inbound,
)

story(
  'a thousand forgeries suppress nobody',
  async (house) => {
    await addCategories(house)
    const ada = await welcomed(house, 'ada@example.org')
    const bob = await welcomed(house, 'bob@example.org')
    const isMessageId = (header: string) => /^(message-id|to):/i.test(header)
    const forged = (address: string, i: number) =>
      address.replace(
        /[a-z2-7]{20}@/,
        (mac) =>
          `${mac.slice(0, 15)}${(10_000 + i)
            .toString(32)
            .padStart(5, 'a')
            .replace(/[0189]/g, 'z')}@`,
      )
    for (let i = 0; i < 500; i++) {
      const nonce = `f${i}`
      await storeInbound(house.db, {
        source: 'listener',
        envelopeTo: forged(ada.returnPath, i),
        raw: Buffer.from(bounceOf({ ...ada, returnPath: forged(ada.returnPath, i) }, { nonce, quote: isMessageId })),
        receivedAt: house.clock.now(),
      })
      await storeInbound(house.db, {
        source: 'imap',
        envelopeTo: null,
        // Ada's mail, quoted; the report is about Bob.
        raw: Buffer.from(bounceOf({ ...ada, returnPath: '<>' }, { nonce, quote: isMessageId, recipient: bob.to })),
        receivedAt: house.clock.now(),
      })
    }
    await runInbound(house.ctx)
    assert.deepEqual(await suppressions(house), [])
    assert.deepEqual(await house.db.selectFrom('returnedDeliveries').selectAll().execute(), [])
    assert.equal((await effects(house)).filter((effect) => effect === 'shown' || effect === 'not-ours').length, 1000)
    for (const email of ['ada@example.org', 'bob@example.org'])
      assert.equal((await getSubscriber(house, email)).status, 'active')
  },
  inbound,
)

story(
  'the signed header proves a delivery too; a Message-ID alone is only shown; an unsubscribe token never suppresses',
  async (house) => {
    await addCategories(house)
    const ada = await welcomed(house, 'ada@example.org')
    await comesBack(
      house,
      bounceOf(ada, { quote: (header) => /^(message-id|to):/i.test(header) }),
      'x@elsewhere.example',
    )
    await comesBack(
      house,
      bounceOf(ada, { nonce: '2', quote: (header) => /^list-unsubscribe:/i.test(header) }),
      'x@elsewhere.example',
    )
    assert.deepEqual(await suppressions(house), [])
    const shown = await reportsOf(house)
    assert.deepEqual(
      shown.map(({ proof, effect }) => [proof, effect]),
      [
        ['message-id', 'shown'],
        ['unsubscribe-token', 'shown'],
      ],
    )
    assert.ok(shown.every(({ subscriberId }) => subscriberId !== null))
    await comesBack(
      house,
      bounceOf(ada, { nonce: '3', quote: (header) => /^x-broadsheet-delivery:/i.test(header) }),
      'x@elsewhere.example',
    )
    assert.deepEqual(await suppressions(house), [{ email: 'ada@example.org', reason: 'hard_bounce' }])
  },
  inbound,
)

story(
  'a forwarded address that is dead counts as soft, and what is older than 30 days counts nothing',
  async (house) => {
    await addCategories(house)
    const ada = await welcomed(house, 'ada@example.org')
    await comesBack(house, bounceOf(ada, { recipient: 'ada@forwarded.example' }), ada.returnPath)
    const bob = await welcomed(house, 'bob@example.org')
    await house.db
      .updateTable('deliveries')
      .set({ settledAt: new Date(Date.now() - 31 * 86_400_000) })
      .where('recipient', '=', 'bob@example.org')
      .execute()
    await comesBack(house, bounceOf(bob), bob.returnPath)
    assert.deepEqual(await suppressions(house), [])
    assert.deepEqual(
      (await reportsOf(house)).map((report) => [report.class, report.effect]),
      [
        ['soft', 'counted'],
        ['hard', 'too-old'],
      ],
    )
  },
  inbound,
)

story(
  'a full mailbox is suppressed after five days of reports over two weeks, an unknown host after two a day apart',
  async (house) => {
    await addCategories(house)
    const full = { status: '5.2.2', diagnostic: '552 5.2.2 mailbox is full' }
    const gone = { status: '5.1.2', diagnostic: '550 5.1.2 Host unknown' }
    const first = await welcomed(house, 'ada@example.org')
    const days = [0, 0.1, 4, 8, 12]
    const start = house.clock.now().getTime()
    const again = async (email: string) => {
      await house.web.post('/preferences').type('form').send({ email })
      await sendWaitingMail(house)
      return house.inbox.last(email)
    }
    await comesBack(house, bounceOf(first, full), first.returnPath)
    for (const [i, day] of days.slice(1).entries()) {
      house.clock.set(new Date(start + day * 86_400_000))
      const next = await again('ada@example.org')
      await comesBack(house, bounceOf(next, { ...full, nonce: `s${i}` }), next.returnPath)
    }
    // Five reports, but four days.
    assert.deepEqual(await suppressions(house), [])
    house.clock.set(new Date(start + 15 * 86_400_000))
    const last = await again('ada@example.org')
    await comesBack(house, bounceOf(last, { ...full, nonce: 'last' }), last.returnPath)
    assert.deepEqual(await suppressions(house), [{ email: 'ada@example.org', reason: 'soft_bounces' }])

    const bob = await welcomed(house, 'bob@example.org')
    await comesBack(house, bounceOf(bob, gone), bob.returnPath)
    assert.equal((await getSubscriber(house, 'bob@example.org')).status, 'active')
    house.clock.set(new Date(house.clock.now().getTime() + 25 * 3_600_000))
    const second = await again('bob@example.org')
    await comesBack(house, bounceOf(second, { ...gone, nonce: 'g2' }), second.returnPath)
    assert.equal((await getSubscriber(house, 'bob@example.org')).status, 'suppressed')
  },
  inbound,
)

story(
  'a mail to the address in List-Unsubscribe unsubscribes; an automatic reply or a report to it does not',
  async (house) => {
    await addCategories(house)
    const ada = await welcomed(house, 'ada@example.org')
    const header = ada.mail.headers.find(({ key }) => key === 'list-unsubscribe')!.value
    const address = /<mailto:(u-[^>]+)>$/.exec(header)![1]!
    await comesBack(house, plainMailTo(address, ['Auto-Submitted: auto-replied'], 'I am on holiday.'), address)
    await comesBack(house, bounceOf({ ...ada, returnPath: address }, { nonce: '9' }), address)
    const before = await getSubscriber(house, 'ada@example.org')
    assert.equal(before.unsubscribedAt, null)
    const listener = await startListener(house.ctx, { host: '127.0.0.1', port: 0 })
    await handTo(listener.port!, address, plainMailTo(address))
    await listener.close()
    await runInbound(house.ctx)
    await comesBack(house, plainMailTo(address, [], 'Again.'), address)
    const consents = await house.db.selectFrom('consents').select(['action', 'detail']).orderBy('id').execute()
    assert.deepEqual(consents.at(-1), { action: 'withdrawn', detail: { way: 'mail' } })
    assert.equal(consents.filter(({ action }) => action === 'withdrawn').length, 1)
  },
  inbound,
)

story(
  'a complaint unsubscribes and suppresses at once; vacations, delays and refusals of us do nothing to the reader',
  async (house) => {
    await addCategories(house)
    const ada = await welcomed(house, 'ada@example.org')
    const bob = await welcomed(house, 'bob@example.org')
    await comesBack(house, plainMailTo(bob.returnPath, ['Auto-Submitted: auto-replied'], 'On holiday.'), bob.returnPath)
    await comesBack(house, bounceOf(bob, { action: 'delayed', status: '4.4.1', nonce: 'd' }), bob.returnPath)
    const blocked = { status: '5.7.1', diagnostic: '550 5.7.1 Your address is on our block list', nonce: 'b' }
    await comesBack(house, bounceOf(bob, blocked), bob.returnPath)
    assert.deepEqual(await effects(house), ['nothing', 'nothing', 'sender-refused'])
    assert.deepEqual(await house.db.selectFrom('bounceScores').selectAll().execute(), [])
    await comesBack(house, complaintOf(ada), ada.returnPath)
    assert.deepEqual(await suppressions(house), [{ email: 'ada@example.org', reason: 'complaint' }])
    const subscriber = await getSubscriber(house, 'ada@example.org')
    assert.deepEqual([subscriber.status, subscriber.unsubscribedAt !== null], ['suppressed', true])
    assert.equal((await getSubscriber(house, 'bob@example.org')).status, 'active')
  },
  inbound,
)

story(
  'a failure is tried five times, then kept and alerted; the words of a mail go after 30 days',
  async (house) => {
    await house.db
      .insertInto('inboundEvents')
      .values({ receivedAt: house.clock.now(), source: 'imap', fingerprint: 'x', raw: null, envelopeTo: null })
      .execute()
    for (let attempt = 1; attempt <= 5; attempt++) {
      await runInbound(house.ctx)
      const event = await house.db.selectFrom('inboundEvents').selectAll().executeTakeFirstOrThrow()
      assert.deepEqual([event.attempts, event.nextAttemptAt === null], [attempt, attempt === 5])
      if (attempt < 5)
        await house.db
          .updateTable('inboundEvents')
          .set({ nextAttemptAt: new Date(0) })
          .execute()
    }
    assert.equal(await runInbound(house.ctx), 0)
    await checkAlerts(house.ctx)
    assert.ok((await listAlerts(house.db)).some(({ key }) => key === 'inbound'))

    await addCategories(house)
    const ada = await welcomed(house, 'ada@example.org')
    await comesBack(house, bounceOf(ada), ada.returnPath)
    const texts = async () =>
      (await house.db.selectFrom('inboundEvents').select('raw').execute()).filter(({ raw }) => raw)
    house.clock.advance('29d')
    await purgeInbound(house.ctx)
    assert.equal((await texts()).length, 1)
    house.clock.advance('2d')
    await purgeInbound(house.ctx)
    assert.equal((await texts()).length, 0)
    assert.equal((await reportsOf(house)).length, 1)
  },
  inbound,
)

story(
  'mails of one batch that are about one delivery count as if they came alone; one that cannot be applied holds up no other',
  async (house) => {
    await addCategories(house)
    const [ada, bob, cleo] = [
      await welcomed(house, 'ada@example.org'),
      await welcomed(house, 'bob@example.org'),
      await welcomed(house, 'cleo@example.org'),
    ]
    const full = { status: '5.2.2', diagnostic: '552 5.2.2 mailbox\0 is full' }
    // A digest that is returned whole, and one whose text never ends.
    const whole = bounceOf(cleo, full).replace('text/rfc822-headers', 'message/rfc822')
    const story = 'A story\r\n'.repeat(5000)
    const mails: [string, ReceivedMail][] = [
      [bounceOf(ada, { ...full, nonce: '1' }), ada],
      [bounceOf(bob), bob],
      [complaintOf(ada), ada],
      [bounceOf(ada, { nonce: '2' }), ada],
      [whole.replace('--=_1--', `\r\n${story}\r\n--=_1--`), cleo],
      [whole.replace('--=_1--', `\r\n${story}`), cleo],
    ]
    for (const [raw, { returnPath: envelopeTo }] of mails)
      await storeInbound(house.db, {
        source: 'listener',
        envelopeTo,
        raw: Buffer.from(raw, 'latin1'),
        receivedAt: house.clock.now(),
      })
    const { id } = await getSubscriber(house, 'bob@example.org')
    for (const statement of [
      sql`create function refuse() returns trigger language plpgsql as $$ begin raise 'refused for bob@example.org'; end $$`,
      sql`create trigger refuse before insert on inbound_reports for each row when (new.subscriber_id = ${sql.lit(id)})
        execute function refuse()`,
    ])
      await statement.execute(house.db)
    assert.equal(await runInbound(house.ctx), 5)
    assert.deepEqual(await effects(house), ['counted', 'suppressed', 'repeated', 'counted', 'repeated'])
    const failed = await house.db.selectFrom('inboundEvents').selectAll().where('appliedAt', 'is', null).execute()
    assert.deepEqual(
      failed.map(({ attempts, problem, nextAttemptAt }) => [attempts, problem, nextAttemptAt !== null]),
      [[1, 'refused for …', true]],
    )
    assert.deepEqual(await suppressions(house), [{ email: 'ada@example.org', reason: 'complaint' }])

    await sql`drop trigger refuse on inbound_reports`.execute(house.db)
    await house.db
      .updateTable('inboundEvents')
      .set({ nextAttemptAt: new Date(0) })
      .where('appliedAt', 'is', null)
      .execute()
    assert.equal(await runInbound(house.ctx), 1)
    assert.equal((await effects(house)).at(-1), 'suppressed')
    assert.deepEqual(
      (await reportsOf(house)).map(({ proof }) => proof),
      Array.from({ length: 6 }, () => 'return-path'),
    )
  },
  inbound,
)

/** An edition that was sent to so many readers at one domain. Their return paths. */
async function sentTo(house: House, domain: string, count: number, state: 'closed' | 'sending' = 'closed') {
  const editionId = await planEdition(
    house.database,
    Array.from({ length: count }, (_, i) => `reader${i}@${domain}`),
  )
  await house.db
    .updateTable('deliveries')
    .set({ state: 'sent', nextAttemptAt: null, settledAt: new Date(), relay: 'relay:25' })
    .where('editionId', '=', editionId)
    .execute()
  await house.db
    .updateTable('editions')
    .set({ state, closedAt: state === 'closed' ? new Date() : null })
    .where('id', '=', editionId)
    .execute()
  const sent = await house.db
    .selectFrom('deliveries')
    .select(['id', 'recipient'])
    .where('editionId', '=', editionId)
    .orderBy('id')
    .execute()
  const mails = sent.map(({ id, recipient }): ReceivedMail => {
    const address = returnPath(house.config.secretKeys, 'bounces.news.example', id)
    return { to: recipient, returnPath: address, raw: Buffer.from(`To: ${recipient}\r\n\r\n`), mail: null as never }
  })
  return { editionId, mails }
}

story(
  'a provider that sends every mail back as dead suppresses nobody until an editor decides; a few dead addresses are plausible',
  async (house) => {
    const few = await sentTo(house, 'large.example', 100)
    for (const [i, mail] of few.mails.slice(0, 25).entries())
      await comesBack(house, bounceOf(mail, { nonce: `l${i}` }), mail.returnPath)
    assert.equal((await suppressions(house)).length, 25)
    const { editionId, mails } = await sentTo(house, 'lost.example', 30)
    for (const [i, mail] of mails.entries()) await comesBack(house, bounceOf(mail, { nonce: `b${i}` }), mail.returnPath)
    assert.equal((await suppressions(house)).filter(({ email }) => email!.endsWith('@lost.example')).length, 0)
    const [brake] = await house.db.selectFrom('brakes').selectAll().execute()
    assert.deepEqual([brake!.domain, brake!.cause, brake!.dead, brake!.answers], ['lost.example', 'returned', 21, 30])
    assert.match(
      brakeSentence(brake!),
      /^Mail to lost\.example: 21 of 30 mails came back because their address is dead/,
    )
    const marks = await house.db
      .selectFrom('returnedDeliveries')
      .select('deliveryId')
      .where('editionId', '=', editionId)
      .execute()
    assert.equal(marks.length, 30)
    await decideBrake(house.ctx, { brakeId: brake!.id, decision: 'addresses-are-dead', actor: 'cli' })
    assert.equal((await suppressions(house)).filter(({ email }) => email!.endsWith('@lost.example')).length, 30)
    await decideBrake(house.ctx, { brakeId: brake!.id, decision: 'send-again', actor: 'cli' })
    assert.equal((await suppressions(house)).length, 25)
  },
  inbound,
)

story(
  'an edition that comes back as dead at all domains of a relay puts a brake on',
  async (house) => {
    const all = []
    for (let i = 0; i < 5; i++) all.push(await sentTo(house, `d${i}.example`, 6))
    const { editionId } = all[0]!
    await house.db.updateTable('deliveries').set({ editionId }).execute()
    for (const [i, mail] of all
      .flatMap(({ mails }) => mails)
      .slice(0, 25)
      .entries())
      await comesBack(house, bounceOf(mail, { nonce: `r${i}` }), mail.returnPath)
    const brakes = await house.db.selectFrom('brakes').select(['domain', 'relay', 'editionId']).execute()
    assert.deepEqual(brakes, [{ domain: null, relay: 'relay:25', editionId }])
    assert.deepEqual(await suppressions(house), [])
  },
  inbound,
)

story(
  'many refusals because of us pause an edition that is being sent, not one that is closed, and are alerted by domain and day',
  async (house) => {
    const blocked = { status: '5.7.1', diagnostic: '550 5.7.1 Your address is on our block list' }
    const open = await sentTo(house, 'strict.example', 40, 'sending')
    const closed = await sentTo(house, 'other.example', 40)
    const stateOf = async (id: number) =>
      (await house.db.selectFrom('editions').select('state').where('id', '=', id).executeTakeFirstOrThrow()).state
    for (const { editionId, mails } of [open, closed])
      for (const [i, mail] of mails.slice(0, 10).entries()) {
        assert.equal(await stateOf(editionId), editionId === open.editionId ? 'sending' : 'closed')
        await comesBack(house, bounceOf(mail, { ...blocked, nonce: `p${editionId}-${i}` }), mail.returnPath)
      }
    assert.equal(await stateOf(open.editionId), 'paused')
    assert.equal(await stateOf(closed.editionId), 'closed')
    assert.deepEqual(await suppressions(house), [])
    // An editor who resumes it knows of those.
    await moveEdition(house.ctx, { editionId: open.editionId, move: 'resume', actor: 'cli' })
    for (const [i, mail] of open.mails.slice(10, 20).entries()) {
      assert.equal(await stateOf(open.editionId), 'sending')
      await comesBack(house, bounceOf(mail, { ...blocked, nonce: `q${i}` }), mail.returnPath)
    }
    assert.equal(await stateOf(open.editionId), 'paused')
    await checkAlerts(house.ctx)
    const keys = (await listAlerts(house.db)).map(({ key }) => key)
    for (const key of [
      'refused:strict.example:2026-03-02',
      'refused:other.example:2026-03-02',
      `edition:${open.editionId}`,
    ])
      assert.ok(keys.includes(key), `${key} in ${keys}`)
  },
  inbound,
)

story(
  'complaints are watched by domain: a warning, then digests to it wait for an editor, and start anew after the decision',
  async (house) => {
    const { mails } = await sentTo(house, 'touchy.example', 1200)
    const complain = async (from: number, to: number) => {
      for (const mail of mails.slice(from, to)) await comesBack(house, complaintOf(mail), mail.returnPath)
      await checkAlerts(house.ctx)
    }
    const alerts = async () => (await listAlerts(house.db)).map(({ key }) => key)
    await complain(0, 1)
    assert.deepEqual(await alerts(), [])
    await complain(1, 4)
    assert.deepEqual(await alerts(), ['complaints:touchy.example'])
    assert.deepEqual(await house.db.selectFrom('brakes').selectAll().execute(), [])
    await complain(4, 5)
    const [brake] = await house.db.selectFrom('brakes').selectAll().execute()
    assert.deepEqual(
      [brake!.domain, brake!.cause, brake!.holdsDigests, brake!.dead, brake!.answers],
      ['touchy.example', 'complaints', true, 5, 1200],
    )
    assert.deepEqual(decisionsOf(brake!), ['send-again'])
    assert.equal((await suppressions(house)).length, 5)
    await decideBrake(house.ctx, { brakeId: brake!.id, decision: 'send-again', actor: 'cli' })
    await complain(5, 6)
    assert.equal((await house.db.selectFrom('brakes').selectAll().where('decidedAt', 'is', null).execute()).length, 0)
    assert.equal((await suppressions(house)).length, 6)
  },
  { ...inbound, now: new Date().toISOString() },
)

story(
  'erasing a reader forgets what came back from them, and nothing of it counts again',
  async (house) => {
    await addCategories(house)
    const ada = await welcomed(house, 'ada@example.org')
    await comesBack(house, bounceOf(ada, { status: '5.2.2', diagnostic: '552 mailbox full' }), ada.returnPath)
    const { id } = await getSubscriber(house, 'ada@example.org')
    assert.ok((await personalData(house.db, id))!.returnedMail.length === 1)
    await eraseSubscriber(house.ctx, id)
    assert.deepEqual(await listTablesNaming(house.database, 'ada@example.org'), [])
    const { raw, envelopeTo } = await house.db.selectFrom('inboundEvents').selectAll().executeTakeFirstOrThrow()
    assert.deepEqual([raw, envelopeTo], [null, null])
    await comesBack(house, bounceOf(ada, { nonce: 'later' }), ada.returnPath)
    assert.equal((await effects(house)).at(-1), 'too-old')
    assert.deepEqual(
      (await suppressions(house)).map(({ reason }) => reason),
      ['erasure'],
    )
  },
  inbound,
)
