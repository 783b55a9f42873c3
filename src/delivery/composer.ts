// The interface between delivery and the mails that it sends. delivery/ doesn't know what a digest is: src/composers.ts hands it
// one composer per kind of mail.

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
  /** frequencyBits of the frequencies that are due. */
  due: number
  /** How many times it was put on the wire before. */
  attempt: number
  /** Set if the subscriber may already have received it: it must then carry these stories again, and no others. */
  articleIds: readonly number[] | null
  payload: Record<string, unknown> | null
}

/** A mail without the parts that delivery adds: Date, Message-ID, return path and DKIM-Signature. */
export interface Mail {
  from: Mailbox
  replyTo: Mailbox | null
  subject: string
  /**
   * Headers besides From, To, Subject, Reply-To and MIME: List-*, Feedback-ID, Auto-Submitted. Values are printable ASCII. They
   * are folded but not encoded, because addresses and ids can't be encoded.
   */
  headers: readonly (readonly [name: string, value: string])[]
  /** Value of the Content-Type header, including the boundary. */
  contentType: string
  /** The MIME body: ASCII, CRLF line ends, lines of at most 998 bytes, ending in CRLF. Parts may be shared between mails. */
  body: readonly Buffer[]
  /**
   * No line of the body begins with a dot, because the encoder made sure (mails/quoted-printable.ts). So delivery doesn't search
   * it for dots to double.
   */
  isDotFree?: boolean
  /** Decoded bytes of the HTML part: at most 100,000. */
  htmlBytes: number
}

/** What is added to `reading` when a digest is settled as sent or uncertain. */
export interface DigestRecord {
  articleIds: number[]
  /** {categoryId: seq} of the categories that were due. */
  watermarks: Record<string, number>
}

export type Composed =
  { outcome: 'mail'; mail: Mail; record: DigestRecord | null } | { outcome: 'skip'; reason: SkipReason }

/** Loads the data of a batch in a few statements, then composes each mail without the database. */
export interface Composer {
  prepare(deliveries: readonly ClaimedDelivery[]): Promise<(delivery: ClaimedDelivery) => Composed | Promise<Composed>>
}

export type Composers = Record<MailKind, Composer>
