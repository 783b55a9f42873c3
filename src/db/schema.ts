// Every table: the data dictionary. Columns are snake_case in Postgres and camelCase here (CamelCasePlugin, which leaves the keys
// inside JSON unchanged). Times are timestamptz. bigint ids are read as numbers (safe to 2^53). To write jsonb, pass
// JSON.stringify(value), because pg would turn an array into a Postgres array.

import type { ColumnType, Generated, Selectable } from 'kysely'

type Json<T> = ColumnType<T, string, string>
type JsonDefault<T> = ColumnType<T, string | undefined, string>

export const subscriberStatuses = ['pending', 'active', 'unsubscribed', 'suppressed'] as const
export type SubscriberStatus = (typeof subscriberStatuses)[number]

/** From the most to the least frequent: screens and links that lower a frequency use this order. */
export const frequencies = ['daily', 'weekly', 'monthly'] as const
export type Frequency = (typeof frequencies)[number]

/**
 * Frequencies as bits, so that all that are due at once fit into one smallint in `deliveries.due` and `subscribers.frequencies`.
 */
export const frequencyBits = { daily: 1, weekly: 2, monthly: 4 } as const satisfies Record<Frequency, number>
/** Every frequency. A manual edition and a preview use it. */
export const everythingDue = Object.values(frequencyBits).reduce((all: number, bit) => all | bit, 0)

export const editionStates = [
  'planning',
  'awaiting_approval',
  'held',
  'sending',
  'paused',
  'closed',
  'cancelled',
  'missed',
] as const
export type EditionState = (typeof editionStates)[number]
export const editionKinds = ['scheduled', 'manual', 'announcement'] as const
export type EditionKind = (typeof editionKinds)[number]

/** As stored. A delivery is called `sending` while `in_flight` names it. */
export const deliveryStates = ['queued', 'deferred', 'sent', 'failed', 'skipped', 'uncertain'] as const
export type DeliveryState = (typeof deliveryStates)[number]
export const skipReasons = [
  'nothing_new',
  'unsubscribed',
  'suppressed',
  'paused',
  'superseded',
  'withdrawn',
  'cancelled',
] as const
export type SkipReason = (typeof skipReasons)[number]
export type Lane = 'transactional' | 'digest'

/** audience = sent + failed + uncertain + open + all skipped, always. */
export interface Account {
  audience: number
  sent: number
  failed: number
  uncertain: number
  open: number
  skipped: Record<SkipReason, number>
}

export interface SettingsTable {
  key: string
  value: Json<unknown>
  updatedAt: Generated<Date>
}

export interface CategoriesTable {
  id: Generated<number>
  slug: string
  name: string
  description: Generated<string>
  /** Order on pages, in forms, and in digests of subscribers without an order of their own. */
  position: Generated<number>
  /** Its page on the site, as an editor entered it; null: articles/category-pages.ts finds one. */
  pageUrl: string | null
  /** Set: no longer offered, and no longer in digests. Mails that were sent aren't changed. */
  retiredAt: Date | null
  /** By language tag: `{de: {name: 'Politik'}}` (articles/category-names.ts). */
  translations: JsonDefault<Record<string, CategoryTexts>>
  isSample: Generated<boolean>
  createdAt: Generated<Date>
}

/** A category in another language. What is missing is as in the category itself. */
export interface CategoryTexts {
  name?: string | undefined
  description?: string | undefined
}

export interface FeedsTable {
  id: Generated<number>
  /** The address that is fetched; a permanent move replaces it (articles/feed-moves.ts). */
  url: string
  /** Its address before its last move. */
  movedFrom: string | null
  movedAt: Date | null
  /** Why its address stays although the server says that it has moved: a sentence. */
  moveProblem: string | null
  title: Generated<string>
  siteUrl: string | null
  state: Generated<'active' | 'paused' | 'gone'>
  etag: string | null
  lastModified: string | null
  lastPolledAt: Date | null
  lastSuccessAt: Date | null
  /** Older entries are its history and aren't stored. Set by the first successful poll. */
  takeFrom: Date | null
  /** When it last had a new story, for the alert about silent feeds. */
  lastNewAt: Date | null
  nextPollAt: Date | null
  intervalSeconds: Generated<number>
  /** Failures in a row. */
  failures: Generated<number>
  lastError: string | null
  /** Since when one of its documents is being parsed. It stays set if parsing didn't finish. */
  readingSince: Date | null
  /** Of the last poll: {taken, changed, ignored: [{title, why}]…}. */
  lastReport: ColumnType<unknown, string | null | undefined, string | null>
  hubUrl: string | null
  hubTopic: string | null
  hubSecret: string | null
  hubExpiresAt: Date | null
  hubAskedAt: Date | null
  /** The hub's reason; null: it hasn't refused since our last request. */
  hubDenied: string | null
  /** Dates in the future are ignored: its stories get the date of their first poll, and don't wait. */
  ignoresDatesAhead: Generated<boolean>
  /** The zone of its dates that name none; null: the site's. */
  timezone: string | null
  /** At the first poll even its newest entries were dated in the future, and still are. */
  seemsAhead: Generated<boolean>
  isSample: Generated<boolean>
  createdAt: Generated<Date>
}

export interface FeedCategoriesTable {
  feedId: number
  categoryId: number
}

export interface FeedRulesTable {
  id: Generated<number>
  /** null: for every feed. */
  feedId: number | null
  field: 'label' | 'title' | 'link'
  match: 'equals' | 'begins' | 'contains'
  /** Compared without regard to case; labels are compared as articles/label-keys.ts does. */
  pattern: string
  /** Only labels of this domain (Atom: scheme). null: of any domain. */
  scheme: string | null
  /** null: leave the item out. */
  categoryId: number | null
  position: Generated<number>
}

/** Hosts of pictures to which feeds link with http: (articles/picture-hosts.ts). */
export interface PictureHostsTable {
  host: string
  /** The host also serves them over https:. */
  isSecure: boolean
  checkedAt: Date
}

export interface ArticlesTable {
  id: Generated<number>
  /** null: pushed by API, or its feed was removed. */
  feedId: number | null
  /** Text, never markup. The same holds for `excerpt`. */
  title: string
  /** Hash of site and title, to find the same story in other feeds. null: pushed. */
  titleKey: string | null
  /** The newest article with this title key when this one was stored; unique together with it. */
  titleAfter: number | null
  link: string
  excerpt: Generated<string>
  imageUrl: string | null
  /** What the picture shows, in the feed's own words. */
  imageAlt: string | null
  /** Width divided by height, as the feed says, to three decimals; null: unknown. */
  imageRatio: number | null
  author: string | null
  /** The site or paper, as the item names it; otherwise the name of the feed's site. */
  source: string | null
  /** The item's own categories, as the feed writes them. */
  labels: JsonDefault<string[]>
  publishedAt: Date
  dateSource: Generated<'feed' | 'first-seen'>
  firstSeenAt: Date
  /** When it could first be sent; null: it waits for its date (articles/release.ts). */
  sendableAt: Date | null
  updatedAt: Date
  /** Held by an editor: keeps its categories; a release gives new seqs. */
  heldAt: Date | null
  pinnedAt: Date | null
  withdrawnAt: Date | null
  isSample: Generated<boolean>
}

/** Counted by the redirect of digests/story-url.ts if CLICK_COUNTS is on: per story, never per person. */
export interface StoryClicksTable {
  articleId: number
  clicks: Generated<number>
}

export interface ArticleKeysTable {
  /** articles/identity.ts; `publisher`: the id of a pushed article. */
  kind: 'guid' | 'feed-guid' | 'link' | 'link-title' | 'link-time' | 'hash' | 'publisher'
  key: string
  articleId: number
}

export interface ArticleCategoriesTable {
  articleId: number
  categoryId: number
  /**
   * Unique over all categories, given in commit order when the story becomes sendable in this category (articles/seq.ts); null: it
   * waits.
   */
  seq: number | null
}

export interface SubscribersTable {
  id: Generated<number>
  /** As entered: the address that mail goes to. */
  email: string
  /** Case-folded: identifies the subscriber. */
  emailKey: string
  /** hashAddress(pepper, emailKey): the key of suppressions. */
  emailHash: string
  status: SubscriberStatus
  /** Part of their links: raising it ends all older links, except unsubscribe links. */
  generation: Generated<number>
  locale: string | null
  /** null: the site's. The same holds for the next three. */
  timezone: string | null
  sendHour: number | null
  /** ISO, 1 = Monday. */
  weeklyDay: number | null
  /** 1-31; in a shorter month, its last day. */
  monthlyDay: number | null
  /** Bits of the frequencies that any subscription has: kept with `subscriptions`, so that planning needs no join. */
  frequencies: Generated<number>
  pausedUntil: Date | null
  createdAt: Date
  confirmedAt: Date | null
  unsubscribedAt: Date | null
}

/** Only for subscribers who are active and have chosen something. */
export interface DueTimesTable {
  subscriberId: number
  /** The next slot at which anything is due. */
  nextDueAt: Date
  /** frequencyBits of slots within the grace that a later slot overtook: they join the next digest. */
  carriedDue: Generated<number>
}

export interface SubscriptionsTable {
  subscriberId: number
  categoryId: number
  frequency: Frequency
  /** The subscriber's own order, ascending; ties by the category's position. */
  position: Generated<number>
}

export interface ReadingTable {
  subscriberId: number
  /** {categoryId: seq}: every story up to this seq was sent or counted. Kept when a category is switched off. */
  watermarks: JsonDefault<Record<string, number>>
  /** Article ids of the stories in mails of the last 60 days. */
  seen: Generated<number[]>
}

export interface SignupRequestsTable {
  id: Generated<number>
  subscriberId: number
  /** {category slug: frequency}: applied at the confirmation. */
  choices: Json<Record<string, Frequency>>
  timezone: string | null
  /** The language of the form; null: the site's, or it was sent before forms had a language. */
  locale: string | null
  consentVersion: string
  requestedAt: Date
  usedAt: Date | null
  /** The subscriber's generation when it was opened: an earlier one has ended. */
  generation: Generated<number>
}

export interface ConsentsTable {
  id: Generated<number>
  subscriberId: number
  action: 'requested' | 'confirmed' | 'changed' | 'withdrawn' | 'resubscribed' | 'imported'
  wording: string
  wordingVersion: string
  /** Of the wording; null: recorded before languages were. */
  language: string | null
  at: Date
  ip: string | null
  formUrl: string | null
  detail: JsonDefault<Record<string, unknown>>
}

export const unsubscribeReasons = [
  'too_many',
  'not_interesting',
  'not_asked',
  'reads_elsewhere',
  'looks_wrong',
  'other',
] as const
export type UnsubscribeReason = (typeof unsubscribeReasons)[number]

export interface UnsubscribesTable {
  id: Generated<number>
  /** null: erased since. */
  subscriberId: number | null
  /** The edition of the mail whose link was used; null: not known. */
  editionId: number | null
  way: 'page' | 'one-click' | 'mail' | 'api' | 'editor'
  at: Date
  reason: UnsubscribeReason | null
  reasonText: string | null
  undoneAt: Date | null
}

export interface SuppressionsTable {
  emailHash: string
  /** null after an erasure. */
  email: string | null
  reason: 'hard_bounce' | 'soft_bounces' | 'complaint' | 'erasure' | 'manual'
  /** The proof in words: what the server said, or why an editor added it. */
  detail: Generated<string>
  createdAt: Date
  /** The mail whose answer says that the address is dead; null: no mail. The same holds for the next two. */
  deliveryId: number | null
  /** The recipient's domain. */
  domain: string | null
  relay: string | null
  /** The brake whose decision confirmed that answer (delivery/brakes.ts). */
  brakeId: number | null
  /**
   * The status that its subscriber gets back if the suppression is removed; null: there was no subscriber. Updated if they
   * unsubscribe meanwhile.
   */
  statusBefore: Exclude<SubscriberStatus, 'suppressed'> | null
  dueBefore: Date | null
  carriedBefore: number | null
}

/**
 * Mails that the public forms caused, whoever typed the address. A confirmation deletes the row; the purge of an unconfirmed
 * subscriber doesn't.
 */
export interface FormMailsTable {
  /** Hash of the mailbox (base/email-address.ts); for mails to confirmed subscribers, of the address itself. */
  mailboxHash: string
  kind: 'confirmation' | 'preferences-link' | 'address-change'
  /** Times of the last 30 days. */
  sentAt: Date[]
  lastAt: Date
  /** The last mail that was sent although an earlier one had bounced. */
  bouncedAt: Date | null
}

export interface AddressChangesTable {
  id: Generated<number>
  subscriberId: number
  email: string
  emailKey: string
  requestedAt: Date
  /** When it was confirmed at the new address. */
  usedAt: Date | null
  /** The subscriber's generation when it was requested: an earlier one has ended. */
  generation: Generated<number>
  /** The address before; null: it hasn't changed, or the change can't be undone any more. */
  previousEmail: string | null
  previousEmailKey: string | null
  /** When it was undone at the previous address. */
  undoneAt: Date | null
}

export type PausedBy = 'editor' | 'policy' | 'returns'

export interface EditionsTable {
  id: Generated<number>
  kind: EditionKind
  /** The instant at which it became due; null unless scheduled. */
  slotAt: Date | null
  state: EditionState
  /** Highest article seq that may be in it. */
  cutoffSeq: number | null
  /** Manual editions: only these categories; null: all. */
  categoryIds: number[] | null
  /** Announcement: {subject, body}; otherwise {intro?}, and subject and preheader if an editor wrote them. */
  content: JsonDefault<{ subject?: string; preheader?: string; body?: string; intro?: string }>
  requestedBy: Generated<string>
  /** Why it is held, paused or empty: a sentence for editors. */
  note: Generated<string>
  /** Set while it is paused. `policy`: relays refused our mail; `returns`: too much of it was returned as refused. */
  pausedBy: PausedBy | null
  /** Set if closing found that its deliveries don't add up to its audience; null: they do, or weren't counted yet. */
  miscountedAt: Date | null
  audience: Generated<number>
  /** Subscribers whose slot this was during a downtime longer than the grace. */
  missed: Generated<number>
  /** Frozen when it closes. */
  account: ColumnType<Account | null, string | null | undefined, string | null>
  /** The subscriber id that planning has reached. In a scheduled edition some below it may be left. */
  planCursor: number | null
  /** Set: it is sent to this subscriber only (`digest run --manual --only`). */
  onlySubscriberId: number | null
  /** An editor approved it before its slot. */
  approvedAt: Date | null
  createdAt: Date
  plannedAt: Date | null
  closedAt: Date | null
  /** Its deliveries were purged; the account stays. */
  purgedAt: Date | null
  /**
   * Identifies the page or command that requested it, so that a repeated request makes no second edition; null: repeats aren't
   * recognised.
   */
  requestKey: string | null
  /** Deferred mails are given up after so many hours; null: the site's RETRY_HOURS. Never more than those. */
  retryHours: number | null
  /** A relay has accepted a mail of it since it was last paused by refusals. Until then, only one worker tries. */
  isProven: Generated<boolean>
  /** When `progressDone`, the number of settled deliveries, last changed (database time). */
  progressAt: Date | null
  progressDone: Generated<number>
}

/** What workers share about an edition that they send (editions/guards.ts). */
export interface EditionGuardsTable {
  editionId: number
  /** The worker that tries it until it is proven. */
  workerId: number | null
  /** Refusals of the sender in a row, over all workers. */
  policyStreak: Generated<number>
  /** How many mails had been returned as refusals of the sender when it was last paused for them. */
  returnedRefusals: Generated<number>
}

export interface EditionArticlesTable {
  editionId: number
  categoryId: number
  articleId: number
  seq: number
  position: number
  isPinned: Generated<boolean>
  isDropped: Generated<boolean>
}

export interface EditionSnapshotsTable {
  editionId: number
  /** digests/snapshot.ts: the rendered and encoded fragments, the same for every worker. */
  snapshot: Json<unknown>
  madeAt: Date
}

export interface EditionCountsTable {
  editionId: number
  /** 0: planning and control. */
  workerId: number
  /** sent, failed, uncertain, or skipped:<reason>. */
  outcome: string
  /** A single row may be negative: it takes back an outcome that another worker counted. */
  count: Generated<number>
}

export interface DeliveriesTable {
  id: Generated<number>
  editionId: number | null
  subscriberId: number | null
  /** Set: may be claimed from then on (database time). null: leased, or settled. */
  nextAttemptAt: Date | null
  /** Set: final. An uncertain delivery that waits to be sent again has none. */
  settledAt: Date | null
  createdAt: Generated<Date>
  /** The worker that leased it last. While it is leased, no other worker may settle or release it. */
  claimedBy: number | null
  sizeBytes: number | null
  /** How many times it was put on the wire. */
  attempt: Generated<number>
  /** How many times nobody knew whether it was accepted. */
  doubts: Generated<number>
  /** frequencyBits that are due; all of them in manual editions; 0 for other mails. */
  due: Generated<number>
  smtpCode: number | null
  kind: string
  lane: Lane
  state: Generated<DeliveryState>
  reason: SkipReason | null
  recipient: string
  messageId: string | null
  /** How far the last SMTP dialogue came. */
  stage: string | null
  smtpReply: string | null
  relay: string | null
  /** The stories in it, in order. */
  articleIds: number[] | null
  /** Transactional mail: the data that its composer needs. Never a token. */
  payload: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>
}

export interface WorkersTable {
  /** Also the fencing number: a worker that lost its lease gets a new id. */
  id: Generated<number>
  name: string
  startedAt: Generated<Date>
  leaseUntil: Date
}

export interface ClaimsTable {
  id: Generated<number>
  workerId: number
  deliveryIds: number[]
  claimedAt: Generated<Date>
}

export interface InFlightTable {
  workerId: number
  connection: number
  /** On the wire, or about to be; null: the connection is idle. */
  deliveryId: number | null
  /** What settling it will write: stories and watermarks. */
  record: ColumnType<unknown, string | null | undefined, string | null>
  since: Date | null
}

/** Where servers called implausibly many addresses dead (delivery/brakes.ts). */
export interface BrakesTable {
  id: Generated<number>
  /** Set: mail to this recipient domain, of all editions. null: mail through `relay`. */
  domain: string | null
  relay: string | null
  /** With `relay`: mail of this edition; null: mail of no edition. */
  editionId: number | null
  /** Digests wait too. false: only addresses of sign-ups and other single mails were called dead, and nothing waits. */
  holdsDigests: boolean
  /** Database time. */
  since: Date
  /** What caused it: servers' answers, returned mail, or spam complaints. */
  cause: Generated<'answers' | 'returned' | 'complaints'>
  /** The dead answers, and the answers in total; for returned mail, the mails sent. */
  dead: number
  answers: number
  /** null: it is on. `none`: no editor decided in time. */
  decision: 'send-again' | 'addresses-are-dead' | 'none' | null
  decidedAt: Date | null
  /** As in the audit log. */
  decidedBy: string | null
  /** The worker that has a single mail under this brake on the wire (delivery/single-mail-lock.ts); null: none. */
  singleMailWorkerId: Generated<number | null>
}

export interface DeadAnswersTable {
  id: Generated<number>
  /** Database time. */
  at: Date
  deliveryId: number
  emailHash: string
  lane: Lane
  domain: string
  relay: string
  editionId: number | null
  /** The server's words without the address, so that nothing here names a person. */
  reply: string
  /** It belongs to this brake, and counts for no other. */
  brakeId: number | null
  /** It came by mail, after the relay had accepted the delivery. */
  returned: Generated<boolean>
}

/**
 * How many mails of an edition were sent to each recipient domain, to compare with what was returned (delivery/sent-counts.ts).
 */
export interface SentCountsTable {
  editionId: number
  relay: string
  domain: string
  sent: number
}

export interface SentCountedTable {
  editionId: number
  /** Database time. */
  at: Date
}

/** All other answers of a domain, or of a relay to an edition (delivery/answers.ts). */
export interface AnswerCountsTable {
  scope: string
  /** Database time. */
  at: Date
  answers: number
}

/** Alerts that were sent: one row per problem, so that each is sent once. */
export interface AlertsTable {
  /** `planning:SLOT`, `edition:ID`, `feed:ID`, `account:EDITION`, `tick`. */
  key: string
  message: string
  raisedAt: Date
  clearedAt: Date | null
  /** When ALERT_WEBHOOK accepted it. */
  toldAt: Date | null
}

/** Budgets that all workers share (delivery/quota.ts). */
export interface SendQuotaTable {
  /** `rate`, `rate RELAY` or `RELAY DAY`. */
  key: string
  /** The rate is reserved until then. */
  nextAt: Generated<Date>
  /** Mails of the day. */
  used: Generated<number>
}

export interface CronLeasesTable {
  key: string
  until: Date
}

export const inboundSources = ['listener', 'imap', 'ses', 'mailgun', 'command'] as const

export const importStates = ['checking', 'refused', 'ready', 'running', 'stopped', 'done', 'cancelled'] as const
export type ImportState = (typeof importStates)[number]

/** An imported list. `ready`: its report waits for a decision. */
export interface ImportsTable {
  id: Generated<number>
  createdAt: Date
  /** As in the audit log. */
  actor: string
  source: string
  fileName: string
  state: ImportState
  /** ImportOptions (subscribers/import/import.ts). */
  options: Json<Record<string, unknown>>
  /** Bytes. */
  size: number
  /** SHA-256 of its files. */
  hash: string | null
  /** ImportReport (subscribers/import/report.ts). */
  report: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>
  /** Why nothing can be imported. */
  refusal: string | null
  /** Progress of the running step, 0 to 1. */
  part: Generated<number>
  /** ImportResult. */
  result: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>
  endedAt: Date | null
  /** Uploaded in the console or by API: its file is in import_pieces until the import is done. */
  isUploaded: boolean
}

export interface ImportPiecesTable {
  importId: number
  position: number
  bytes: Buffer
}

/** Rejected lines of uploaded lists, kept for a week. */
export interface ImportRejectsTable {
  id: Generated<number>
  importId: number
  file: string
  line: number
  reason: string
  cells: Json<string[]>
  /** For an erasure. */
  emailKey: string | null
}

/** Work that one process at a time does: db/leases.ts. */
export interface LeasesTable {
  name: string
  holder: string
  /** Database time. */
  until: Date
}

/** One returned mail, or one event of a provider. */
export interface InboundEventsTable {
  id: Generated<number>
  receivedAt: Date
  source: (typeof inboundSources)[number]
  /** Hash of its content: the same content never counts twice. */
  fingerprint: string
  /** The recipient in the SMTP envelope. */
  envelopeTo: string | null
  /** The mail as received, up to 512 kB; null after 30 days, and for events with `facts`. */
  raw: Buffer | null
  /** The content of a provider's verified event: InboundFacts of inbound/store.ts. */
  facts: ColumnType<unknown, string | null | undefined, string | null>
  /** May be claimed from then on (database time). null: applied, or given up. */
  nextAttemptAt: ColumnType<Date | null, Date | null | undefined, Date | null>
  attempts: Generated<number>
  /** Why the last attempt failed. */
  problem: string | null
  /** null: not read yet. */
  kind: string | null
  appliedAt: Date | null
  /** For an applied event: whether it names a mail of ours and says something about it. */
  matched: boolean | null
}

/** Each of Mailgun's tokens is accepted once. */
export interface InboundTokensTable {
  tokenHash: string
  eventId: string
  at: Date
}

export const reportClasses = ['hard', 'soft', 'complaint', 'unsubscribe', 'autoreply', 'delivered', 'unknown'] as const
export type ReportClass = (typeof reportClasses)[number]

/** How a report was matched, best first. Only the first three may suppress an address. */
export const proofs = ['return-path', 'header', 'webhook', 'unsubscribe-token', 'message-id'] as const
export type Proof = (typeof proofs)[number]

/** What a report caused. */
export const reportEffects = [
  'suppressed',
  'counted',
  'braked',
  'unsubscribed',
  'sender-refused',
  'shown',
  'too-old',
  'not-ours',
  'repeated',
  'nothing',
] as const
export type ReportEffect = (typeof reportEffects)[number]

/** What a returned mail says about one address. */
export interface InboundReportsTable {
  id: Generated<number>
  eventId: number
  /** When the mail arrived. */
  at: Date
  /** As the report names it. */
  recipient: string | null
  class: ReportClass
  reason: Generated<string>
  status: string | null
  diagnostic: string | null
  /** null: it couldn't be matched. */
  proof: Proof | null
  deliveryId: number | null
  subscriberId: number | null
  effect: ReportEffect
}

/** Marks a delivery that the relay accepted and that was returned. */
export interface ReturnedDeliveriesTable {
  deliveryId: number
  editionId: number | null
  class: 'hard' | 'soft' | 'complaint'
  reason: string
  status: string | null
  /** The recipient's domain. */
  domain: string
  relay: string | null
  at: Date
}

/** Bounces that count against an address, in hours since 1970: inbound/scores.ts. */
export interface BounceScoresTable {
  emailHash: string
  softHours: Generated<number[]>
  hostHours: Generated<number[]>
  changedAt: Date
}

export interface EditorsTable {
  id: Generated<number>
  email: string
  emailKey: string
  createdAt: Date
  disabledAt: Date | null
}

export interface SignInLinksTable {
  /** Its link is `signToken('sign-in', id)`: made when it is shown or mailed, and never stored. */
  id: Generated<number>
  editorId: number
  createdAt: Date
  expiresAt: Date
  usedAt: Date | null
}

export interface SignInSessionsTable {
  tokenHash: string
  editorId: number
  createdAt: Date
  lastSeenAt: Date
  expiresAt: Date
}

export interface ApiKeysTable {
  id: Generated<number>
  name: string
  /** The first characters of the key, to identify it. */
  prefix: string
  keyHash: string
  /** `all`, or a comma-separated list of permissions: access/scopes.ts. */
  scope: string
  createdAt: Date
  lastUsedAt: Date | null
  expiresAt: Date | null
  revokedAt: Date | null
}

export interface AuditLogTable {
  id: Generated<number>
  at: Date
  /** `editor:ID`, `api-key:ID`, `cli` or `scheduler`. */
  actor: string
  /** Past tense: edition.triggered, category.renamed. */
  action: string
  subject: Generated<string>
  detail: JsonDefault<Record<string, unknown>>
}

export interface IdempotencyKeysTable {
  apiKeyId: number
  key: string
  requestHash: string
  status: number | null
  body: ColumnType<unknown, string | null | undefined, string | null>
  createdAt: Date
}

/** Points of a key within the hour that ends at `expire` (rate-limits.ts). */
export interface RateLimitsTable {
  key: string
  points: number
  /** Milliseconds since 1970. */
  expire: number
}

export interface Schema {
  rateLimits: RateLimitsTable
  settings: SettingsTable
  categories: CategoriesTable
  feeds: FeedsTable
  feedCategories: FeedCategoriesTable
  feedRules: FeedRulesTable
  pictureHosts: PictureHostsTable
  articles: ArticlesTable
  storyClicks: StoryClicksTable
  articleKeys: ArticleKeysTable
  articleCategories: ArticleCategoriesTable
  subscribers: SubscribersTable
  dueTimes: DueTimesTable
  subscriptions: SubscriptionsTable
  reading: ReadingTable
  signupRequests: SignupRequestsTable
  consents: ConsentsTable
  suppressions: SuppressionsTable
  formMails: FormMailsTable
  addressChanges: AddressChangesTable
  unsubscribes: UnsubscribesTable
  editions: EditionsTable
  editionArticles: EditionArticlesTable
  editionGuards: EditionGuardsTable
  editionSnapshots: EditionSnapshotsTable
  editionCounts: EditionCountsTable
  deliveries: DeliveriesTable
  workers: WorkersTable
  claims: ClaimsTable
  inFlight: InFlightTable
  sendQuota: SendQuotaTable
  brakes: BrakesTable
  deadAnswers: DeadAnswersTable
  answerCounts: AnswerCountsTable
  sentCounts: SentCountsTable
  sentCounted: SentCountedTable
  cronLeases: CronLeasesTable
  alerts: AlertsTable
  inboundEvents: InboundEventsTable
  imports: ImportsTable
  importPieces: ImportPiecesTable
  importRejects: ImportRejectsTable
  leases: LeasesTable
  inboundTokens: InboundTokensTable
  inboundReports: InboundReportsTable
  returnedDeliveries: ReturnedDeliveriesTable
  bounceScores: BounceScoresTable
  editors: EditorsTable
  signInLinks: SignInLinksTable
  signInSessions: SignInSessionsTable
  apiKeys: ApiKeysTable
  auditLog: AuditLogTable
  idempotencyKeys: IdempotencyKeysTable
}

export type Category = Selectable<CategoriesTable>
export type Feed = Selectable<FeedsTable>
export type Article = Selectable<ArticlesTable>
export type AddressChange = Selectable<AddressChangesTable>
export type SignupRequest = Selectable<SignupRequestsTable>
/** With the subscriber's next due time; null: never. */
export type Subscriber = Selectable<SubscribersTable> & { nextDueAt: Date | null }
export type Suppression = Selectable<SuppressionsTable>
export type Import = Selectable<ImportsTable>
export type Brake = Selectable<BrakesTable>
export type Edition = Selectable<EditionsTable>
export type Delivery = Selectable<DeliveriesTable>
export type InboundEvent = Selectable<InboundEventsTable>
export type Editor = Selectable<EditorsTable>
export type ApiKey = Selectable<ApiKeysTable>
