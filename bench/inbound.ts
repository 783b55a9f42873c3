// npm run bench -- inbound [--mails N]: bounces a second, by SMTP through the listener and then by the chore that reads and applies
// them, of an edition of which a twentieth comes back: half of them dead addresses, half full mailboxes, at 50 domains. Every third one
// returns our whole mail. Fails unless each bounce is matched to its delivery by its return path.

import { sql } from 'kysely'
import nodemailer from 'nodemailer'
import { systemClock } from '../src/base/clock.ts'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { openPostgres } from '../src/db/connect.ts'
import { migrate } from '../src/db/migrate.ts'
import { returnPath } from '../src/delivery/return-path.ts'
import { startListener } from '../src/inbound/listener.ts'
import { inboundReader } from '../src/inbound/reader.ts'
import { runInbound } from '../src/inbound/work.ts'
import { inboundEnv } from '../tests/support/inbound-process.ts'
import { startRestartablePostgres } from '../tests/support/restartable-postgres.ts'
import { bounceOf } from '../tests/support/returned-mail.ts'

const at = process.argv.indexOf('--mails')
const mails = at < 0 ? 10_000 : Number(process.argv[at + 1])
const connections = 20

const postgres = await startRestartablePostgres()
if (!postgres) throw new Error('No Postgres 15 or newer was found: returned mail is measured on it alone.')
const database = openPostgres(postgres.url, 10)
const { db } = database
try {
  await migrate(db)
  const config = readConfig(inboundEnv)
  const ctx = { db, config, clock: systemClock, log: createLog('silent') }
  await sendAll(mails * 20)
  const { rows: sent } = await sql<{ id: number; recipient: string }>`
    select id, recipient from deliveries order by id % 20, id limit ${mails}`.execute(db)
  const story = 'A story of today, and what it is about, in a line or two of some 76 characters.\r\n'.repeat(700)
  const bounces = sent.map(({ id, recipient }, n) => {
    const to = returnPath(config.secretKeys, inboundEnv.BOUNCE_DOMAIN, id)
    const ours = { returnPath: to, to: recipient, raw: Buffer.from(`To: ${recipient}\r\nSubject: Today\r\n\r\n`) }
    const raw = bounceOf(ours, n % 2 ? { status: '5.2.2', diagnostic: '552 5.2.2 mailbox full' } : {})
    return {
      to,
      raw: n % 3 ? raw : raw.replace('text/rfc822-headers', 'message/rfc822').replace('--=_1--', `\r\n${story}--=_1--`),
    }
  })

  const listener = await startListener(ctx, { host: '127.0.0.1', port: 0 })
  let next = 0
  const taken = await timed(() => Promise.all(Array.from({ length: connections }, handOver)))
  await listener.close()
  const applied = await timed(() => runInbound(ctx))

  const { rows } = await sql<{ matched: number; suppressed: number; counted: number }>`
    select count(distinct delivery_id) filter (where proof = 'return-path')::int as matched,
      count(*) filter (where effect = 'suppressed')::int as suppressed,
      count(*) filter (where effect = 'counted')::int as counted from inbound_reports`.execute(db)
  const tell = (what: string, { ms, cpuMs }: Timed) =>
    console.log(
      `${what.padEnd(9)} ${((mails / ms) * 1000).toFixed(0).padStart(6)} mails/s   ${(ms / 1000).toFixed(1)} s, ${(cpuMs / mails).toFixed(2)} ms of CPU each in this process`,
    )
  tell('taken in', taken)
  tell('applied', applied)
  console.log(JSON.stringify({ mails, takenMs: taken.ms, appliedMs: applied.ms, ...rows[0] }))
  if (rows[0]!.matched !== mails) throw new Error(`Only ${rows[0]!.matched} of ${mails} were matched.`)

  async function handOver(): Promise<void> {
    const transport = nodemailer.createTransport({
      host: '127.0.0.1',
      port: listener.port!,
      pool: true,
      maxConnections: 1,
      maxMessages: 1e9,
      ignoreTLS: true,
    })
    for (let bounce = bounces[next++]; bounce; bounce = bounces[next++])
      await transport.sendMail({ envelope: { from: '', to: [bounce.to] }, raw: bounce.raw })
    transport.close()
  }
} finally {
  inboundReader.close()
  await database.close()
  await postgres.remove()
}

interface Timed {
  ms: number
  cpuMs: number
}

async function timed(run: () => Promise<unknown>): Promise<Timed> {
  const [began, before] = [performance.now(), process.cpuUsage()]
  await run()
  const { user, system } = process.cpuUsage(before)
  return { ms: performance.now() - began, cpuMs: (user + system) / 1000 }
}

/** A closed edition, whose digests all were sent. */
async function sendAll(count: number): Promise<void> {
  await sql`
    with edition as (
      insert into editions (kind, state, created_at, planned_at, closed_at, audience)
      values ('manual', 'closed', now(), now(), now(), ${count}) returning id
    ), people as (
      insert into subscribers (email, email_key, email_hash, status, created_at)
      select a, a, md5(a), 'active', now()
      from (select 'reader' || n || '@domain' || n % 50 || '.example' as a from generate_series(1, ${count}::int) n) g
      returning id, email
    )
    insert into deliveries (kind, lane, edition_id, subscriber_id, recipient, state, relay, created_at, settled_at)
    select 'digest', 'digest', edition.id, people.id, email, 'sent', 'relay:25', now(), now() from people, edition`.execute(
    db,
  )
  await sql`analyze`.execute(db)
}
