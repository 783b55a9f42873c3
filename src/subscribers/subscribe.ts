// A sign-up, from validation to the confirmation mail's row, in one transaction. The response is the same for every state of the
// address: only the mail differs. A crash leaves everything or nothing.

import { sql } from 'kysely'
import { addressProblem, parseEmailAddress, unwrapAddress, type EmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { getPepper } from '../db/settings.ts'
import { invalidField } from '../messages/refusals.ts'
import type { SubscriberStatus } from '../db/schema.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { wordingOf, type Origin, type Wording } from './consent.ts'
import { mailboxHash, mayMail, takeSignup } from './limits.ts'
import { findObstacle } from './standing.ts'
import type { Choices } from './choices.ts'

export interface Signup {
  email: unknown
  choices: Choices
  timezone: string | null
  /** The language of the form; default: the site's. */
  locale?: string | null
  /** The opt-in statement as the form showed it; default: in the site's language. */
  wording?: Wording
  origin: Origin
}

/**
 * Refuses an invalid address, an empty choice, and a place with too many sign-ups. Everything else is accepted, and the response
 * doesn't reveal whether the address was known. New or erased: becomes pending. Pending: the new choice replaces the old one.
 * Active: unchanged, a preferences link is mailed. Unsubscribed, or suppressed because of returned mail: unchanged until
 * confirmed. Suppressed for another reason: nothing is mailed.
 */
export async function subscribe(ctx: Context, signup: Signup): Promise<void> {
  const address = readAddress(signup.email)
  if (Object.keys(signup.choices).length === 0) throw invalidField('frequency', 'form.chooseOne')
  const isDomainOpen = await takeSignup(ctx, signup.origin.ip, address.email)
  await takeRequest(ctx, signup, address, isDomainOpen)
}

/** For a request within the limits by place and domain: writes its rows and its mail. */
export async function takeRequest(
  ctx: Context,
  signup: Omit<Signup, 'email'>,
  address: EmailAddress,
  isDomainOpen: boolean,
): Promise<void> {
  const now = ctx.clock.now()
  const pepper = await getPepper(ctx.db)
  const hashes = { address: hashAddress(pepper, address.key), mailbox: mailboxHash(pepper, address) }
  const status = await ctx.db
    .transaction()
    .execute(async (trx) => {
      const obstacle = await findObstacle(trx, hashes.address)
      const saved = await save(trx, ctx, signup, address, hashes.address, now)
      const { id: subscriberId, email: recipient, requestId } = saved
      if (saved.status === 'active') {
        // The page after the form promises at most one mail a day, which must hold for subscribers too.
        if (await mayMail(trx, hashes.address, 'preferences-link', now, { hours: 24 }))
          await addToOutbox(trx, { kind: 'preferences-link', recipient, subscriberId })
      } else if (
        isDomainOpen &&
        (await mayMail(trx, hashes.mailbox, 'confirmation', now, { isBounced: obstacle === 'bounced' }))
      )
        await addToOutbox(trx, {
          kind: 'confirmation',
          recipient,
          subscriberId,
          payload: { signupRequestId: requestId, requestedAt: now.toISOString() },
        })
      if (obstacle === 'final') throw rollback
      return saved.status
    })
    .catch((cause: unknown) => {
      if (cause !== rollback) throw cause
      return 'suppressed' as const
    })
  ctx.log.info({ status }, 'sign-up taken')
}

/**
 * For an address that must not be mailed: the same work as for any other, rolled back at the end. So the response time doesn't
 * reveal the suppression, and nothing is stored or sent.
 */
const rollback = new Error('The address is suppressed.')

/**
 * Exactly one address, or a refusal that names the field and says what is wrong. Accepts pasted forms: `Ana <ana@example.com>`.
 * Pure.
 */
export function readAddress(given: unknown, field = 'email'): EmailAddress {
  if (Array.isArray(given)) throw invalidField(field, 'form.onlyOne')
  const text = typeof given === 'string' ? unwrapAddress(given) : ''
  const address = parseEmailAddress(text)
  if (address) return address
  const problem = addressProblem(text)
  if (typeof problem === 'object') throw invalidField(field, 'form.foreignLetter', problem)
  throw invalidField(field, problemWords[problem])
}

const problemWords = {
  empty: 'form.enterAddress',
  several: 'form.onlyOne',
  spaces: 'form.noSpaces',
  long: 'form.tooLong',
  odd: 'form.oddlyWritten',
  incomplete: 'form.incomplete',
} as const

interface Saved {
  id: number
  email: string
  status: SubscriberStatus
  /** null: nothing to confirm. */
  requestId: number | null
}

/**
 * Everything except the mail, in one statement: locks or inserts the address's row, keeps one open request of its generation (so
 * that the mail that is under way confirms the latest choice), and the proof. An active subscriber isn't changed. With several
 * statements, the response time revealed the state of an address. A pending subscriber gets the language of the latest form, so that
 * the confirmation is written in it.
 */
async function save(
  trx: Trx,
  ctx: Context,
  signup: Omit<Signup, 'email'>,
  address: EmailAddress,
  hash: string,
  now: Date,
): Promise<Saved> {
  const { locale = null, wording: shown = wordingOf(ctx.config) } = signup
  const { wording, version, language } = shown
  const { ip, formUrl } = signup.origin
  const choices = JSON.stringify(signup.choices)
  const detail = JSON.stringify({ choices: signup.choices })
  const { rows } = await sql<Saved>`
    with subscriber as (
      insert into subscribers (email, email_key, email_hash, status, timezone, locale, created_at)
      values (${address.email}, ${address.key}, ${hash}, 'pending', ${signup.timezone}, ${locale},
        ${now}::timestamptz)
      on conflict (email_key) do update set email_key = excluded.email_key,
        locale = case subscribers.status when 'pending' then excluded.locale else subscribers.locale end
      returning id, email, status, generation
    ), request as (
      insert into signup_requests (subscriber_id, choices, timezone, locale, consent_version, requested_at, generation)
      select id, ${choices}::jsonb, ${signup.timezone}, ${locale}, ${version}, ${now}::timestamptz, generation
      from subscriber where status <> 'active'
      on conflict (subscriber_id, generation) where used_at is null do update set choices = excluded.choices,
        timezone = excluded.timezone, locale = excluded.locale, consent_version = excluded.consent_version, requested_at = excluded.requested_at
      returning id
    ), consent as (
      insert into consents (subscriber_id, action, wording, wording_version, language, at, ip, form_url, detail)
      select id, 'requested', ${wording}, ${version}, ${language}, ${now}::timestamptz, ${ip}, ${formUrl?.slice(0, 500) ?? null},
        ${detail}::jsonb
      from subscriber where status <> 'active'
    )
    select id, email, status, (select id from request) as request_id from subscriber`.execute(trx)
  return rows[0]!
}
