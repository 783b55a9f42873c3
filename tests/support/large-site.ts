// A site with large tables, made by the database itself.

import { sql } from 'kysely'
import type { Out } from '../../src/commands/out.ts'
import { seed } from '../../src/commands/digests/seed.ts'
import type { House } from './house.ts'

/** Fills the tables of a site of that many subscribers, most of them above 10,000 rows, with statistics that stay as they are. */
export async function fillLargeSite(house: House, subscribers: number): Promise<void> {
  const { ctx, db } = house
  const quiet: Out = { print: () => {}, progress: () => {}, error: () => {}, isTty: false }
  await seed(ctx, { subscribers, articles: 400, history: 3 }, quiet)
  await sql`
    insert into articles (title, link, excerpt, published_at, first_seen_at, updated_at, sendable_at)
    select 'Old story ' || n, 'https://news.example/old/' || n, 'Once.', now() - interval '200 days',
      now() - interval '200 days', now(), now() - interval '200 days' from generate_series(1, 12000) n`.execute(db)
  await sql`
    insert into suppressions (email_hash, email, reason, detail, created_at)
    select md5(n::text), 'dead' || n || '@gone.example', 'hard_bounce', '', now() from generate_series(1, 12000) n`.execute(
    db,
  )
  await sql`
    insert into audit_log (at, actor, action, subject)
    select now() - n * interval '1 minute', 'cli', 'feed.added', 'feed:' || n from generate_series(1, 12000) n`.execute(
    db,
  )
  await sql`
    insert into deliveries (kind, lane, recipient, state, created_at, settled_at)
    select 'confirmation', 'transactional', 'a@b.example', 'sent', now(), now() from generate_series(1, 12000) n`.execute(
    db,
  )
  await sql`
    insert into subscribers (email, email_key, email_hash, status, created_at)
    select s || n || '@x.example', s || n || '@x.example', md5(s || n), s, now() - n % 20 * interval '1 day'
    from generate_series(1, 12000) n cross join unnest(array['pending', 'unsubscribed']) s`.execute(db)
  await sql`
    insert into consents (subscriber_id, action, wording, wording_version, at)
    select id, 'confirmed', '', 'old', now() - interval '1 year' from subscribers`.execute(db)
  // Returned mail: some of it is old enough to be purged, some is unmatched.
  await sql`
    insert into inbound_events (received_at, source, fingerprint, raw, next_attempt_at, kind, applied_at, matched)
    select at, 'listener', 'old ' || n, case when at > now() - interval '31 days' then 'text'::bytea end, null,
      'bounce', now(), n % 50 > 0
    from generate_series(1, 20000) n,
      lateral (select now() - n * interval '6 minutes' - (n % 100 = 0)::int * interval '100 days' as at) t`.execute(db)
  await sql`
    insert into inbound_reports (event_id, at, recipient, class, reason, proof, delivery_id, subscriber_id, effect)
    select e.id, received_at, 'old@x.example', 'soft', 'mailbox_full',
      case when e.id % 4 > 0 then 'return-path' end, d.id, d.subscriber_id, 'counted'
    from inbound_events e join deliveries d on d.id = e.id + 1000`.execute(db)
  await sql`
    insert into returned_deliveries (delivery_id, edition_id, class, reason, domain, relay, at)
    select d.id, d.edition_id, 'soft', 'mailbox_full', 'd' || d.id % 50 || '.example', 'relay',
      now() - d.id * interval '3 minutes'
    from deliveries d where d.id <= 20000`.execute(db)
  await sql`
    insert into bounce_scores (email_hash, soft_hours, changed_at)
    select md5(n::text), '{1}', now() - n * interval '3 minutes' from generate_series(1, 20000) n`.execute(db)
  // What forms and lists leave behind.
  await sql`
    insert into unsubscribes (subscriber_id, edition_id, way, at, reason, reason_text, undone_at)
    select id, case when id % 3 = 0 then (select min(id) from editions) end, 'page', now() - id * interval '30 minutes',
      case when id % 4 = 0 then 'too_many' end, case when id % 50 = 0 then 'Words.' end, case when id % 9 = 0 then now() end
    from subscribers where id <= 20000`.execute(db)
  await sql`
    insert into signup_requests (subscriber_id, choices, consent_version, requested_at, used_at)
    select id, '[]', 'old', now() - id % 30 * interval '1 day', case when id % 3 > 0 then now() end
    from subscribers`.execute(db)
  await sql`
    insert into form_mails (mailbox_hash, kind, last_at, sent_at)
    select md5(n::text), 'confirmation', now() - n * interval '3 minutes', array[now()]
    from generate_series(1, 20000) n`.execute(db)
  await sql`
    insert into address_changes (subscriber_id, email, email_key, requested_at, used_at, previous_email, previous_email_key)
    select id, 'new' || id || '@x.example', 'new' || id || '@x.example', at, at,
      case when at > now() - interval '8 days' then email end, case when at > now() - interval '8 days' then email_key end
    from subscribers, lateral (select now() - id * interval '10 minutes' as at) t where id <= 20000`.execute(db)
  await sql`
    insert into imports (created_at, actor, source, file_name, state, options, size, hash, ended_at, is_uploaded)
    select now() - n * interval '1 hour', 'cli', 'The old tool', 'a.csv', 'done', '{}', 1, md5(n::text),
      now() - n * interval '1 hour', true from generate_series(1, 200) n`.execute(db)
  await sql`
    insert into import_rejects (import_id, file, line, reason, cells, email_key)
    select 1 + n % 200, 'a.csv', n, 'no address', '[]', null from generate_series(1, 5000) n`.execute(db)
  await sql`
    insert into api_keys (id, name, prefix, key_hash, scope, created_at) values (1000, 'old', '', 'x', 'all', now())`.execute(
    db,
  )
  await sql`
    insert into idempotency_keys (api_key_id, key, request_hash, created_at)
    select 1000, n::text, '', now() - n * interval '8 seconds' from generate_series(1, 12000) n`.execute(db)
  // For retention.
  await sql`update editions set closed_at = now() - interval '100 days' where id = (select min(id) from editions)`.execute(
    db,
  )
  await sql`update deliveries set created_at = now() - interval '100 days', settled_at = now() - interval '100 days'
    where edition_id = (select min(id) from editions) or (edition_id is null and id % 2 = 0)`.execute(db)
  // Sixty days of reading.
  await sql`update reading set seen = seen || array(select generate_series(1000001, 1000400))`.execute(db)
  await keepStatistics(house)
}

/** Statistics of whole tables, so that each run has the same, and no others come while the test runs. */
async function keepStatistics({ db }: House): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`.execute(db)
  for (const { name } of rows) await sql`alter table ${sql.table(name)} set (autovacuum_enabled = false)`.execute(db)
  await db.connection().execute(async (one) => {
    await sql`set default_statistics_target = 1000`.execute(one)
    await sql`vacuum analyze`.execute(one)
    await sql`reset default_statistics_target`.execute(one)
  })
}
