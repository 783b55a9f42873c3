// The seam between delivery and what it delivers: delivery/ never learns what a digest is. The composition root hands it one
// composer per kind of mail.

import type { Mailbox } from '../base/mailbox.ts'
import type { Lane, SkipReason } from '../db/schema.ts'

export const mailKinds = [
  'confirmation',
  'welcome',
  'preferences-link',
  'goodbye',
  'address-change',
  'address-changed',
  'sign-in',
  'alert',
  'test',
  'digest',
  'announcement',
] as const
export type MailKind = (typeof mailKinds)[number]

export interface ClaimedDelivery {
  id: number
  kind: MailKind
  lane: Lane
  editionId: number | null
  subscriberId: number | null
  recipient: string
  /** frequencyBits that are due. */
  due: number
  /** How often it was put on the wire before. */
  attempt: number
  /** Set when it may have been received before: it must carry these stories again, not others. */
  articleIds: readonly number[] | null
  payload: Record<string, unknown> | null
}

/** A mail without what delivery adds: Date, Message-ID, return path and DKIM-Signature. */
export interface Mail {
  from: Mailbox
  replyTo: Mailbox | null
  subject: string
  /** Beyond From, To, Subject, Reply-To and MIME: List-*, Feedback-ID, Auto-Submitted. Values are printable ASCII: they are folded,
   * not encoded, as addresses and ids can't be. */
  headers: readonly (readonly [name: string, value: string])[]
  /** Value of the Content-Type header, boundary included. */
  contentType: string
  /** The MIME body: ASCII, CRLF line ends, lines of at most 998 bytes, ending in CRLF. Parts may be shared between mails. */
  body: readonly Buffer[]
  /** No line of the body begins with a dot, as whoever encoded it saw to (mails/quoted-printable.ts): it isn't looked through for what
   * SMTP would have doubled. */
  isDotFree?: boolean
  /** Decoded bytes of the HTML part: at most 100,000. */
  htmlBytes: number
}

/** What settling a digest as sent (or uncertain) adds to `reading`. */
export interface DigestRecord {
  articleIds: number[]
  /** {categoryId: seq} of the categories that were due. */
  watermarks: Record<string, number>
}

export type Composed =
  { outcome: 'mail'; mail: Mail; record: DigestRecord | null } | { outcome: 'skip'; reason: SkipReason }

/** Loads what a batch needs in a few statements, then composes mail by mail without touching the database. */
export interface Composer {
  prepare(deliveries: readonly ClaimedDelivery[]): Promise<(delivery: ClaimedDelivery) => Composed | Promise<Composed>>
}

export type Composers = Record<MailKind, Composer>
