// Every table, and what happens to it when the installation is moved, backed up, or copied without people. The order and the
// columns are read from the database (shape.ts). A test fails if a new table, or a new column that can contain text, is missing
// here.

import type { Schema } from '../db/schema.ts'
import { type Anonymous, changed, drop, kept, type Rules } from './anonymous-rules.ts'

type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${Snake<Rest>}`
    : `_${Lowercase<First>}${Snake<Rest>}`
  : Name

/** Tables that aren't copied, and why. */
export const leftOut = {
  kysely_migration: 'which migrations the target has had is its own',
  kysely_migration_lock: 'the same',
  cron_leases: 'which process wakes the next tick: over within a minute',
  leases: 'what one process does at a time: a process that isn’t at the target',
} as const
// The tables of pg-boss, in their own schema, aren't copied either: its jobs only wake workflows, and cron does that every minute.

/** Tables that the first start fills: an installation that nobody has used may have rows in them. */
export const writtenByStart: ReadonlySet<string> = new Set([
  'settings',
  'alerts',
  'workers',
  'claims',
  'in_flight',
  'send_quota',
  'rate_limits',
  'answer_counts',
])

/** Tables with large rows: a rendered edition, a mail as received. Only a few are read at a time. */
export const largeRows: ReadonlySet<string> = new Set(['edition_snapshots', 'inbound_events', 'import_pieces'])

/**
 * For a copy without people. `drop`: the table stays empty. Otherwise what happens to each column that can contain text; columns
 * of numbers, times and booleans stay. What is on the wire, and its workers (`workers`, `claims`, `in_flight`), is copied too: the
 * first worker at the target takes it over as after a crash.
 */
export const tables = {
  settings: settingRules(),
  categories: { slug: kept, name: kept, description: kept, page_url: kept, translations: kept },
  feeds: {
    url: changed(({ address }, url, row) => address(url, row)),
    title: kept,
    site_url: changed(({ address }, url, row) => address(url, row)),
    state: kept,
    etag: drop,
    last_modified: drop,
    last_error: drop,
    last_report: drop,
    hub_url: drop,
    hub_topic: drop,
    hub_secret: drop,
    hub_denied: drop,
    timezone: kept,
    moved_from: drop,
    move_problem: drop,
  },
  feed_categories: {},
  feed_rules: { field: kept, match: kept, pattern: kept, scheme: kept },
  picture_hosts: { host: kept },
  articles: {
    title: kept,
    title_key: kept,
    link: kept,
    excerpt: kept,
    image_url: kept,
    image_alt: kept,
    author: kept,
    source: kept,
    labels: kept,
    date_source: kept,
  },
  story_clicks: {},
  article_keys: { kind: kept, key: kept },
  article_categories: {},
  subscribers: {
    email: changed(({ email }, text) => email(text)),
    email_key: changed(({ email }, text) => email(text)),
    email_hash: changed(({ emailHash }, _hash, row) => emailHash(row['email_key'])),
    status: kept,
    locale: kept,
    timezone: kept,
  },
  due_times: {},
  subscriptions: { frequency: kept },
  reading: { watermarks: kept },
  signup_requests: { choices: kept, timezone: kept, locale: kept, consent_version: kept },
  consents: {
    action: kept,
    wording: changed(() => 'left out of this copy'),
    wording_version: changed(() => ''),
    language: kept,
    ip: drop,
    form_url: drop,
    detail: changed(() => ({})),
  },
  suppressions: {
    email_hash: changed(({ emailHash, other }, hash, row) =>
      row['email'] ? emailHash(keyOf(row['email'])) : other(hash),
    ),
    email: changed(({ email }, text) => text && email(text)),
    reason: kept,
    detail: changed(() => ''),
    domain: changed(({ domain }, text) => text && domain(text)),
    relay: kept,
    status_before: kept,
  },
  form_mails: { mailbox_hash: changed(({ other }, hash) => other(hash)), kind: kept },
  address_changes: {
    email: changed(({ email }, text) => email(text)),
    email_key: changed(({ email }, text) => email(text)),
    previous_email: changed(({ email }, text) => text && email(text)),
    previous_email_key: changed(({ email }, text) => text && email(text)),
  },
  unsubscribes: { way: kept, reason: kept, reason_text: drop },
  editions: {
    kind: kept,
    state: kept,
    content: kept,
    requested_by: kept,
    paused_by: kept,
    note: changed(() => ''),
    account: kept,
    request_key: changed(({ other }, key) => key && other(key)),
  },
  edition_articles: {},
  edition_guards: {},
  edition_snapshots: { snapshot: kept },
  edition_counts: { outcome: kept },
  deliveries: {
    // A single mail that waits contains personal data, or needs a link.
    row: (row) => row['lane'] === 'digest' || row['settled_at'] !== null,
    kind: kept,
    lane: kept,
    state: kept,
    reason: kept,
    recipient: changed(({ email }, text) => email(text)),
    message_id: changed(({ other }, id) => id && `<${other(id).slice(0, 32)}@anonymous.invalid>`),
    stage: kept,
    smtp_reply: drop,
    relay: kept,
    payload: drop,
  },
  workers: { name: changed(() => 'a worker') },
  claims: {},
  in_flight: {
    record: changed(
      ({ other }, record: Record<string, unknown> | null) =>
        record && { ...record, messageId: `<${other(String(record['messageId'])).slice(0, 32)}@anonymous.invalid>` },
    ),
  },
  send_quota: { key: kept },
  brakes: {
    domain: changed(({ domain }, text) => text && domain(text)),
    relay: kept,
    decision: kept,
    decided_by: kept,
    cause: kept,
  },
  dead_answers: {
    email_hash: changed(({ other }, hash) => other(hash)),
    lane: kept,
    domain: changed(({ domain }, text) => domain(text)),
    relay: kept,
    reply: changed(() => ''),
  },
  answer_counts: drop,
  sent_counts: { relay: kept, domain: changed(({ domain }, text) => domain(text)) },
  sent_counted: {},
  alerts: drop,
  inbound_events: {
    source: kept,
    fingerprint: changed(({ other }, text) => other(text)),
    envelope_to: drop,
    raw: drop,
    facts: drop,
    // Without its content it can't be read any more.
    next_attempt_at: drop,
    problem: drop,
    kind: kept,
  },
  inbound_tokens: drop,
  inbound_reports: {
    recipient: drop,
    class: kept,
    reason: changed(() => ''),
    status: kept,
    diagnostic: drop,
    proof: kept,
    effect: kept,
  },
  returned_deliveries: {
    class: kept,
    reason: changed(() => ''),
    status: kept,
    domain: changed(({ domain }, text) => domain(text)),
    relay: kept,
  },
  bounce_scores: { email_hash: changed(({ other }, hash) => other(hash)) },
  editors: {
    email: changed((_, _text, row) => `editor-${row['id']}@anonymous.invalid`),
    email_key: changed((_, _text, row) => `editor-${row['id']}@anonymous.invalid`),
  },
  sign_in_links: drop,
  sign_in_sessions: drop,
  api_keys: drop,
  audit_log: {
    actor: kept,
    action: kept,
    subject: changed((_, subject: string) => (/^[a-z-]+:\d+$/.test(subject) ? subject : '')),
    detail: changed(() => ({})),
  },
  idempotency_keys: drop,
  imports: drop,
  import_pieces: drop,
  import_rejects: drop,
  rate_limits: drop,
} satisfies Record<Exclude<Snake<keyof Schema>, keyof typeof leftOut> | 'rate_limits', Rules>

const keyOf = (email: string): string => email.toLowerCase()

/** Only settings that are known to contain no personal data. The pepper is a new one. */
function settingRules(): Rules {
  const harmless = new Set([
    'trial_first_start',
    'trial_seeded',
    'digest_schedule',
    'digests_ahead',
    'last_tick',
    'settled',
    'site_texts',
  ])
  return {
    row: (row) => harmless.has(row['key']) || row['key'] === 'address_pepper',
    key: kept,
    value: changed(({ pepper }: Anonymous, value, row) => (row['key'] === 'address_pepper' ? pepper : value)),
  }
}
