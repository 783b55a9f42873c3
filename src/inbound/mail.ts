// The content of a returned mail: the interface between reading it and applying it. Nothing in it is proven yet.

import type { Reason } from '../delivery/reasons.ts'

export type InboundKind = 'bounce' | 'complaint' | 'autoreply' | 'unsubscribe' | 'other'

/** hard: the address is dead. soft: it isn't, or nobody knows. */
export type InboundClass = 'hard' | 'soft' | 'complaint' | 'autoreply' | 'delivered'

/** About one recipient. */
export interface InboundReport {
  /** As in the report, lower case; null: not given. */
  recipient: string | null
  /** RFC 3463, `5.1.1`. */
  status: string | null
  /** SMTP reply code. */
  code: number | null
  reason: Reason
  class: InboundClass
  /** The server's words, for editors. */
  text: string
  /** The server that answered. */
  remoteHost: string | null
}

/** Values that identify the delivery, best first. No MAC is checked here. */
export interface ReturnedMail {
  /** Of the quoted mail of ours, without its angle brackets. */
  messageId: string | null
  /** Addresses that look like our return paths, from the quoted headers. */
  verp: string[]
  /** X-Broadsheet-Delivery. */
  deliveryHeader: string | null
  unsubscribeTokens: string[]
  /** To: of the quoted mail of ours. */
  recipient: string | null
}

export interface InboundMail {
  kind: InboundKind
  /** None for `unsubscribe` and `other`. */
  reports: InboundReport[]
  /** Of the returned mail itself, without its angle brackets. */
  messageId: string | null
  /** Its recipients, from its headers. */
  to: string[]
  returned: ReturnedMail
}

/** Addresses that are never the failed one. */
export interface OwnAddresses {
  /** Senders, reply-to. */
  addresses: readonly string[]
  /** BOUNCE_DOMAIN. */
  bounceDomain: string | null
}
