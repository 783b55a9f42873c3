// An installation in which every table has a row, and every value that says something of a person, a key or a reply holds the word
// `quill`. A table that is new must be added here.

import { sql } from 'kysely'
import type { Db } from '../../src/db/connect.ts'
import { getPepper, setSetting } from '../../src/db/settings.ts'
import { hashAddress } from '../../src/base/tokens.ts'
import { leftOut } from '../../src/installation/tables.ts'
import { readShape } from '../../src/installation/shape.ts'

export const personal = 'quill'
/** Of bytes, as a dump writes them. */
export const personalHex = Buffer.from(personal).toString('hex')

const email = 'Ada.Quill@quill-family.example'
const key = email.toLowerCase()
const at = '2026-03-01 10:00:00.123456+00'

export async function fillEveryTable(db: Db): Promise<void> {
  const hash = hashAddress(await getPepper(db), key)
  await setSetting(db, 'inbound_imap quill@imap.example/INBOX', { uid: 7 })
  for (const statement of [
    `insert into categories (slug, name) values ('politics', 'Politics')`,
    `insert into feeds (url, title, site_url, etag, last_error, last_report, hub_url, hub_topic, hub_secret, moved_from, move_problem, hub_denied, last_modified)
      values ('https://quill:secret@feeds.example/rss/Quill7f3e9a8b2c4d5e6f?token=quill&feed=rss2', 'The Gazette', 'https://u:quill@site.example/',
        'quill', 'quill', '{"ignored": ["quill"]}', 'https://hub.example/quill', 'quill', 'quill', 'https://quill.example/', 'quill', 'quill', 'quill')`,
    `insert into feed_categories select f.id, c.id from feeds f, categories c`,
    `insert into feed_rules (feed_id, field, match, pattern, category_id) select f.id, 'label', 'equals', 'eu', c.id from feeds f, categories c`,
    `insert into picture_hosts values ('img.example', true, '${at}')`,
    `insert into articles (feed_id, title, link, excerpt, published_at, first_seen_at, sendable_at, updated_at, labels)
      select id, E'A story of two\\u2028lines, "quoted"', 'https://site.example/1', 'Once.', '${at}', '${at}', '${at}', '${at}', '["eu"]' from feeds`,
    `insert into story_clicks (article_id, clicks) select id, 5 from articles`,
    `insert into article_keys select 'guid', 'g1', id from articles`,
    `insert into article_categories select a.id, c.id, nextval('article_seq') from articles a, categories c`,
    `insert into subscribers (email, email_key, email_hash, status, created_at, confirmed_at, generation, timezone)
      values ('${email}', '${key}', '${hash}', 'active', '${at}', '${at}', 3, 'Europe/Berlin')`,
    `insert into due_times select id, now() + interval '1 day', 2 from subscribers`,
    `insert into subscriptions (subscriber_id, category_id, frequency) select s.id, c.id, 'daily' from subscribers s, categories c`,
    `insert into reading select s.id, jsonb_build_object(c.id, 1), array(select id from articles) from subscribers s, categories c`,
    `insert into signup_requests (subscriber_id, choices, consent_version, requested_at) select id, '{"politics": "daily"}', 'v1', '${at}' from subscribers`,
    `insert into consents (subscriber_id, action, wording, wording_version, at, ip, form_url, detail)
      select id, 'confirmed', 'I, Ada Quill, agree', 'quill-1', '${at}', 'quill-ip', 'https://x.example/quill', '{"by": "quill"}' from subscribers`,
    `insert into suppressions (email_hash, email, reason, detail, created_at, domain, relay)
      values ('${hash}', '${email}', 'manual', 'asked by Quill', '${at}', 'quill-family.example', 'relay.example'),
        ('quill-erased', null, 'erasure', '', '${at}', null, null)`,
    `insert into form_mails (mailbox_hash, kind, sent_at, last_at) values ('quill', 'confirmation', array['${at}'::timestamptz], '${at}')`,
    `insert into address_changes (subscriber_id, email, email_key, requested_at, previous_email, previous_email_key)
      select id, '${email}', '${key}', '${at}', 'quill@old.example', 'quill@old.example' from subscribers`,
    `insert into editions (kind, state, created_at, slot_at, note, content, account, request_key, requested_by, cutoff_seq, category_ids)
      values ('scheduled', 'closed', '${at}', '${at}', 'refused: 550 ada@quill.example', '{"intro": "Good morning"}', '{"sent": 1}', 'quill', 'editor:1', 1, '{1,2}')`,
    `insert into unsubscribes (subscriber_id, edition_id, way, at, reason, reason_text)
      select s.id, e.id, 'page', '${at}', 'other', 'Quill had enough' from subscribers s, editions e`,
    `insert into edition_articles (edition_id, category_id, article_id, seq, position) select e.id, c.id, a.id, 1, 1 from editions e, categories c, articles a`,
    `insert into edition_guards (edition_id, policy_streak) select id, 1 from editions`,
    `insert into edition_snapshots select id, '{"html": "=3D", "n": 12345678901234567890.10, "nothing": null}', '${at}' from editions`,
    `insert into edition_counts select id, 1, 'sent', 1 from editions`,
    `insert into deliveries (edition_id, subscriber_id, kind, lane, recipient, state, settled_at, message_id, smtp_reply, smtp_code, article_ids, created_at)
      select e.id, s.id, 'digest', 'digest', '${email}', 'sent', '${at}', '<quill.1@news.example>', '250 for quill', 250, '{1}', '${at}' from editions e, subscribers s`,
    `insert into deliveries (subscriber_id, kind, lane, recipient, state, next_attempt_at, payload, created_at)
      select id, 'confirmation', 'transactional', '${email}', 'queued', now(), '{"for": "quill"}', '${at}' from subscribers`,
    `insert into deliveries (edition_id, subscriber_id, kind, lane, recipient, state, claimed_by, created_at)
      select id, 99, 'digest', 'digest', '${email}', 'queued', 1, '${at}' from editions`,
    `insert into workers (name, lease_until) values ('quill-desktop', '${at}')`,
    `insert into claims (worker_id, delivery_ids) select w.id, array_agg(d.id) from workers w, deliveries d where d.claimed_by = 1 group by 1`,
    `insert into in_flight (worker_id, connection, delivery_id, record, since)
      select w.id, 0, d.id, '{"messageId": "<quill.9@news.example>", "articleIds": [1], "watermarks": {"1": 1}}', '${at}' from workers w, deliveries d where d.claimed_by = 1`,
    `insert into send_quota (key, used) values ('rate', 7)`,
    `insert into brakes (domain, holds_digests, since, dead, answers) values ('quill-family.example', true, '${at}', 3, 4)`,
    `insert into dead_answers (at, delivery_id, email_hash, lane, domain, relay, reply, brake_id)
      select '${at}', 1, 'quill', 'digest', 'quill-family.example', 'r', 'no quill here', id from brakes`,
    `insert into answer_counts values ('domain quill-family.example', '${at}', 4)`,
    `insert into sent_counts select id, 'r', 'quill-family.example', 1 from editions`,
    `insert into sent_counted select id, '${at}' from editions`,
    `insert into alerts (key, message, raised_at) values ('feed:1', 'quill', '${at}')`,
    `insert into inbound_events (received_at, source, fingerprint, envelope_to, raw, facts, problem, kind)
      values ('${at}', 'listener', 'quill', 'b+quill@news.example', '\\x${Buffer.from('From: quill').toString('hex')}', '{"to": "quill"}', 'quill', 'bounce')`,
    `insert into inbound_tokens values ('quill', 'quill', '${at}')`,
    `insert into inbound_reports (event_id, at, recipient, class, diagnostic, delivery_id, subscriber_id, effect, reason)
      select e.id, '${at}', '${email}', 'hard', '550 quill', 1, s.id, 'nothing', 'of quill' from inbound_events e, subscribers s`,
    `insert into returned_deliveries values (1, 1, 'hard', 'quill is unknown', '5.1.1', 'quill-family.example', 'r', '${at}')`,
    `insert into bounce_scores values ('quill', '{1}', '{}', '${at}')`,
    `insert into editors (email, email_key, created_at) values ('Desk@quill.example', 'desk@quill.example', '${at}')`,
    `insert into sign_in_links (editor_id, created_at, expires_at) select id, '${at}', '${at}' from editors`,
    `insert into sign_in_sessions select 'quill', id, '${at}', '${at}', '${at}' from editors`,
    `insert into api_keys (name, prefix, key_hash, scope, created_at) values ('Quill''s', 'quill', 'quill', 'all', '${at}')`,
    `insert into audit_log (at, actor, action, subject, detail) values ('${at}', 'editor:1', 'address.erased', 'subscriber:quill@x.example', '{"of": "quill"}')`,
    `insert into idempotency_keys (api_key_id, key, request_hash, status, body, created_at) select id, 'quill', 'quill', 200, '{"a": "quill"}', '${at}' from api_keys`,
    `insert into imports (created_at, actor, source, file_name, state, options, size, hash, report, part, is_uploaded)
      values ('${at}', 'editor:1', 'quill list', 'quill.csv', 'done', '{"a": "quill"}', 5, 'quill', '{"b": "quill"}', 0.1, true)`,
    `insert into import_pieces select id, 0, '\\x${personalHex}' from imports`,
    `insert into import_rejects (import_id, file, line, reason, cells, email_key) select id, 'quill.csv', 2, 'quill', '["quill"]', 'quill@x.example' from imports`,
    `insert into rate_limits values ('signup quill', 1, 1)`,
  ])
    await sql.raw(statement).execute(db)
  for (const { name } of await readShape(db)) {
    const { rows } = await sql<{ has: boolean }>`select exists (select from ${sql.table(name)}) as has`.execute(db)
    if (!rows[0]!.has && !(name in leftOut)) throw new Error(`Give ${name} a row here.`)
  }
}
