// Receives what providers post: verifies, commits, then answers. Anything that isn't verified is a Refusal. If the database is
// down, the statement's error becomes a 503, so that the provider tries again.

import type { FetchResult } from '../articles/safe-fetch.ts'
import { noteAction } from '../access/audit.ts'
import { Refusal } from '../base/errors.ts'
import { hashSecret } from '../base/tokens.ts'
import type { Context } from '../db/context.ts'
import { readMailgunEvent, verifyMailgun } from './mailgun.ts'
import { parseJson } from './provider-reports.ts'
import { readSesNotification } from './ses.ts'
import { confirmationUrl, type SnsMessage, verifySns } from './sns.ts'
import { SnsCertificates } from './sns-certificates.ts'
import { type InboundFacts, type InboundSource, storeInbound } from './store.ts'

export const providers = ['ses', 'mailgun'] as const
export type Provider = (typeof providers)[number]

/** ignored: verified, but not about the end of a mail. known: received before. */
export type WebhookOutcome = 'stored' | 'known' | 'ignored' | 'confirmed'

export class Webhooks {
  #ctx: Context
  #fetch: (url: string) => Promise<FetchResult>
  #certificates: SnsCertificates

  /** `fetch` requests only AWS's SNS host. */
  constructor(ctx: Context, fetch: (url: string) => Promise<FetchResult>) {
    this.#ctx = ctx
    this.#fetch = fetch
    this.#certificates = new SnsCertificates(fetch)
  }

  /** Whether the configuration enables this provider. */
  isOpen(provider: string): provider is Provider {
    const { sesTopics, mailgunKey } = this.#ctx.config.inbound
    return provider === 'ses' ? sesTopics.length > 0 : provider === 'mailgun' && mailgunKey !== null
  }

  /** `raw`: the body as received, because that is what is signed. */
  take(provider: Provider, raw: Uint8Array): Promise<WebhookOutcome> {
    return provider === 'ses' ? this.#takeSes(raw) : this.#takeMailgun(raw)
  }

  async #takeSes(raw: Uint8Array): Promise<WebhookOutcome> {
    const now = this.#ctx.clock.now()
    const message = await verifySns(raw, {
      topics: this.#ctx.config.inbound.sesTopics,
      now,
      certificate: (url) => this.#certificates.get(url, now),
    })
    if (message.Type === 'SubscriptionConfirmation') return this.#confirm(message)
    if (message.Type === 'UnsubscribeConfirmation') {
      this.#ctx.log.warn({ topic: message.TopicArn }, 'Amazon SNS has ended the subscription of a topic')
      return 'ignored'
    }
    return this.#store('ses', readSesNotification(message.MessageId, parseJson(message.Message)))
  }

  async #confirm(message: SnsMessage): Promise<WebhookOutcome> {
    const answer = await this.#fetch(confirmationUrl(message))
    if (answer.outcome === 'failed' || answer.status !== 200) {
      const why = answer.outcome === 'failed' ? answer.reason : `It answered ${answer.status}.`
      throw new Refusal('unavailable', `The subscription could not be confirmed. ${why}`)
    }
    const subject = `topic:${message.TopicArn}`
    await noteAction(this.#ctx, { actor: 'scheduler', action: 'inbound.topic_confirmed', subject })
    return 'confirmed'
  }

  async #takeMailgun(raw: Uint8Array): Promise<WebhookOutcome> {
    const now = this.#ctx.clock.now()
    const { token, event } = verifyMailgun(raw, { signingKey: this.#ctx.config.inbound.mailgunKey!, now })
    await this.#useToken(token, event.id, now)
    return this.#store('mailgun', readMailgunEvent(event))
  }

  /** Mailgun signs the token and not the event. So a token is accepted for one event, which may be repeated. */
  async #useToken(token: string, eventId: string, now: Date): Promise<void> {
    const tokenHash = hashSecret(token)
    await this.#ctx.db
      .insertInto('inboundTokens')
      .values({ tokenHash, eventId, at: now })
      .onConflict((conflict) => conflict.column('tokenHash').doNothing())
      .execute()
    const used = await this.#ctx.db
      .selectFrom('inboundTokens')
      .select('eventId')
      .where('tokenHash', '=', tokenHash)
      .executeTakeFirst()
    if (used?.eventId !== eventId) throw new Refusal('forbidden', 'The token was used for another event.')
  }

  async #store(source: InboundSource, facts: InboundFacts | null): Promise<WebhookOutcome> {
    if (!facts) return 'ignored'
    return storeInbound(this.#ctx.db, {
      source,
      envelopeTo: null,
      raw: null,
      facts,
      receivedAt: this.#ctx.clock.now(),
    })
  }
}

/** A nightly chore: the signatures have expired long before. */
export async function purgeInboundTokens({ db, clock }: Context): Promise<void> {
  const before = new Date(clock.now().getTime() - 86_400_000)
  await db.deleteFrom('inboundTokens').where('at', '<', before).execute()
}
