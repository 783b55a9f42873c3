// The process that takes mail in and applies it is killed at random instants, on real Postgres. Whoever hands mail to it repeats
// what got no 250.

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { returnPath } from '../../src/delivery/return-path.ts'
import { story } from '../support/house.ts'
import { inboundEnv, killInboundProcess, startInboundProcess } from '../support/inbound-process.ts'
import { freePort } from '../support/program.ts'
import { bounceOf, complaintOf, handTo } from '../support/returned-mail.ts'
import { waitFor } from '../support/wait-for.ts'

/** The long form: npm run test:faults. */
const isLong = process.env['FAULT_ROUNDS'] !== undefined
const mails = isLong ? 2000 : 200
const kills = isLong ? 40 : 8
const senders = 4

story(
  `a process that is killed ${kills} times while ${mails} mails come in loses none and counts none twice`,
  async (house) => {
    const { db } = house
    const { rows: sent } = await sql<{ id: number; email: string }>`
      with people as (
        insert into subscribers (email, email_key, email_hash, status, created_at)
        select 'r' || n || '@d' || n || '.example', 'r' || n || '@d' || n || '.example', md5(n::text), 'active', now()
        from generate_series(1, ${sql.lit(mails)}) n returning id, email)
      insert into deliveries (kind, lane, subscriber_id, recipient, state, relay, created_at, settled_at)
      select 'digest', 'transactional', id, email, 'sent', 'relay', now(), now() from people
      returning id, recipient as email`.execute(db)
    // By turns a dead address, a full mailbox, and a complaint.
    const waiting = sent.map(({ id, email }, n) => {
      const to = returnPath(house.config.secretKeys, inboundEnv.BOUNCE_DOMAIN, id)
      const mail = { returnPath: to, to: email, raw: Buffer.from(`To: ${email}\r\n\r\n`) }
      const soft = { status: '5.2.2', diagnostic: '552 5.2.2 mailbox full' }
      return { to, raw: n % 10 === 0 ? bounceOf(mail) : n % 10 === 1 ? complaintOf(mail) : bounceOf(mail, soft) }
    })
    const total = waiting.length

    const port = await freePort()
    let child = await startInboundProcess(house.databaseUrl!, port)
    const count = { taken: 0, refused: 0 }
    const hand = async () => {
      for (let mail = waiting.pop(); mail; mail = waiting.pop())
        try {
          await handTo(port, mail.to, mail.raw, true)
          count.taken++
        } catch {
          count.refused++
          waiting.unshift(mail)
          await pause(20)
        }
    }
    const handing = Promise.all(Array.from({ length: senders }, hand))

    let cut = 0
    for (let kill = 1; kill <= kills; kill++) {
      const wanted = Math.round((kill * total) / (kills + 1))
      await waitFor(() => count.taken >= wanted)
      await pause(Math.random() * 15)
      await killInboundProcess(child)
      const { rows } = await sql<{ open: number }>`
        select count(*)::int as open from inbound_events where applied_at is null`.execute(db)
      cut += rows[0]!.open
      // The lease of the process that is gone ends.
      await sql`update inbound_events set next_attempt_at = now() where next_attempt_at > now()`.execute(db)
      child = await startInboundProcess(house.databaseUrl!, port)
    }
    await handing
    const listOpen = () => db.selectFrom('inboundEvents').select('id').where('appliedAt', 'is', null).execute()
    await waitFor(async () => (await listOpen()).length === 0)
    await killInboundProcess(child)

    assert.equal(count.taken, total)
    const { rows: reports } = await sql<{ effect: string; count: number; deliveries: number }>`
      select effect, count(*)::int as count, count(distinct delivery_id)::int as deliveries
      from inbound_reports group by effect order by effect`.execute(db)
    assert.deepEqual(reports, [
      { effect: 'counted', count: total * 0.8, deliveries: total * 0.8 },
      { effect: 'suppressed', count: total * 0.2, deliveries: total * 0.2 },
    ])
    const { rows: counts } = await sql<Record<string, number>>`select
      (select count(*)::int from inbound_events) as events,
      (select count(*)::int from inbound_events where problem is not null) as problems,
      (select count(*)::int from returned_deliveries) as marks,
      (select count(*)::int from suppressions) as suppressed,
      (select count(*)::int from dead_answers) as dead,
      (select count(*)::int from consents where action = 'withdrawn') as withdrawn,
      (select sum(cardinality(soft_hours))::int from bounce_scores) as points`.execute(db)
    assert.deepEqual(counts[0], {
      events: total,
      problems: 0,
      marks: total,
      suppressed: total * 0.2,
      dead: total * 0.1,
      withdrawn: total * 0.1,
      points: total * 0.8,
    })
    assert.ok(count.refused > 0, 'a kill cut a mail off before its 250')
    assert.ok(cut > 0, 'a kill cut off what was taken and not applied')
  },
  { on: 'postgres', env: inboundEnv, now: new Date().toISOString() },
)
