// What a returned mail says: the seam between reading it and acting on it. Nothing in it is proven yet.

import type { Reason } from '../delivery/reasons.ts'

export type InboundKind = 'bounce' | 'complaint' | 'autoreply' | 'unsubscribe' | 'other'

/** hard: the address is dead. soft: it lives, or nobody can tell. */
export type InboundClass = 'hard' | 'soft' | 'complaint' | 'autoreply' | 'delivered'

/** About one recipient. */
export interface InboundReport {
  /** As the report spells it, lower case; null: it doesn't say. */
  recipient: string | null
  /** RFC 3463, `5.1.1`. */
  status: string | null
  /** SMTP reply code. */
  code: number | null
  reason: Reason
  class: InboundClass
  /** What was said, for editors. */
  text: string
  /** Which server said it. */
  remoteHost: string | null
}

/** What names the delivery, best first; no MAC is checked here. */
export interface ReturnedMail {
  /** Of our mail that it quotes, without its angle brackets. */
  messageId: string | null
  /** Addresses in the form of our return paths, from the returned headers. */
  verp: string[]
  /** X-Broadsheet-Delivery. */
  deliveryHeader: string | null
  unsubscribeTokens: string[]
  /** To: of our mail that it quotes. */
  recipient: string | null
}

export interface InboundMail {
  kind: InboundKind
  /** None for `unsubscribe` and `other`. */
  reports: InboundReport[]
  /** Of the mail itself, without its angle brackets. */
  messageId: string | null
  /** Whom it came to, as its headers say. */
  to: string[]
  returned: ReturnedMail
}

/** What is never the failed address. */
export interface OwnAddresses {
  /** Senders, reply-to. */
  addresses: readonly string[]
  /** BOUNCE_DOMAIN. */
  bounceDomain: string | null
}
