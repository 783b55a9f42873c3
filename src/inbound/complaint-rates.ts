// How many subscribers at a recipient domain report our mail as spam, over seven days. From 0.1 % on, editors are warned. From 0.3
// % on, providers refuse a sender's mail, so digests to that domain wait for an editor. Complaints before a decision no longer
// count.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { lockBrakes } from '../delivery/brakes.ts'
import { brakeComplained } from '../delivery/returned-brake.ts'
import { countSent } from '../delivery/sent-counts.ts'

const days = 7
const warningShare = 0.001
const brakeShare = 0.003
/** With fewer complaints, the share is meaningless. */
const leastComplaints = 5
const leastSent = 1000

export interface ComplaintRate {
  domain: string
  complaints: number
  sent: number
}

/** Called after one more complaint from that domain; its mark is written. */
export async function brakeIfComplained(trx: Trx, ctx: Pick<Context, 'clock'>, domain: string): Promise<void> {
  await lockBrakes(trx)
  const { rows } = await sql<{ id: number }>`
    select id from editions where created_at > now() - ${days} * interval '1 day'
      and state in ('sending', 'paused', 'closed', 'cancelled')`.execute(trx)
  await countSent(
    trx,
    rows.map(({ id }) => id),
  )
  const [rate] = await listRates(trx, ctx.clock.now(), domain)
  if (!rate || rate.complaints < leastComplaints || rate.sent < leastSent) return
  if (rate.complaints < rate.sent * brakeShare) return
  await brakeComplained(trx, rate)
}

/** Domains about which editors should know, most complaints first. */
export async function listWarnings(db: Db, now: Date): Promise<ComplaintRate[]> {
  const rates = await listRates(db, now, null)
  return rates.filter(({ complaints, sent }) => sent >= leastSent && complaints >= sent * warningShare)
}

async function listRates(db: Db, now: Date, domain: string | null): Promise<ComplaintRate[]> {
  const { rows } = await sql<ComplaintRate>`
    with complained as (
      select r.domain, count(*)::int as complaints from returned_deliveries r
      where r.class = 'complaint' and r.at > ${now}::timestamptz - ${days} * interval '1 day'
        and (${domain}::text is null or r.domain = ${domain})
        and not exists (select from brakes b
          where b.domain = r.domain and b.cause = 'complaints' and b.decided_at >= r.at)
      group by 1
    )
    select c.domain, c.complaints, coalesce((select sum(s.sent) from sent_counts s join editions e on e.id = s.edition_id
      where s.domain = c.domain and e.created_at > now() - ${days} * interval '1 day'), 0)::int as sent
    from complained c order by 2 desc, 1`.execute(db)
  return rows
}
