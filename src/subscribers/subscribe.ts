// A sign-up, from validation to the confirmation mail's row, in one transaction. The answer is the same for every state of the
// address: what differs is only which mail is written. A crash leaves all of it or nothing.

import { sql } from 'kysely'
import { parseEmailAddress, type EmailAddress } from '../base/email-address.ts'
import { invalid } from '../base/errors.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { getPepper } from '../db/settings.ts'
import type { SubscriberStatus } from '../db/schema.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { wordingOf, type Origin } from './consent.ts'
import { formMailLimits, takeSignup } from './limits.ts'
import type { Choices } from './choices.ts'

export interface Signup {
  email: unknown
  choices: Choices
  timezone: string | null
  origin: Origin
}

/** Refuses what isn't one address, an empty choice, and a place that has signed up too often. Everything else is taken, and
 * nothing that comes back tells whether the address was known:
 * new → pending; pending → the new choice replaces the old one; active → unchanged, a preferences link is mailed; unsubscribed →
 * unchanged until confirmed; suppressed → nothing is mailed. */
export async function subscribe(ctx: Context, signup: Signup): Promise<void> {
  const now = ctx.clock.now()
  const address = readAddress(signup.email)
  if (Object.keys(signup.choices).length === 0)
    throw invalid('frequency', 'Choose how often at least one category should come.')
  await takeSignup(ctx.db, ctx.config.signups, signup.origin.ip, address.email)
  const hash = hashAddress(await getPepper(ctx.db), address.key)
  const status = await ctx.db.transaction().execute((trx) => record(trx, ctx, signup, address, hash, now))
  ctx.log.info({ status }, 'sign-up taken')
}

/** Exactly one address, or a refusal that names the field and says what is wrong with it. Pure. */
export function readAddress(given: unknown, field = 'email'): EmailAddress {
  if (given === undefined || given === null || given === '') throw invalid(field, 'Enter your e-mail address.')
  const address = parseEmailAddress(given)
  if (address) return address
  const isList = Array.isArray(given) || (typeof given === 'string' && given.split('@').length > 2)
  throw invalid(
    field,
    isList ? 'Enter one e-mail address only.' : 'That isn’t a complete e-mail address, such as name@example.com.',
  )
}

interface Recorded {
  id: number
  email: string
  status: SubscriberStatus
  /** The mail that is due to this address; null: it has had its share. */
  mail: 'confirmation' | 'preferences-link' | null
  requestId: number | null
}

async function record(
  trx: Trx,
  ctx: Context,
  signup: Signup,
  address: EmailAddress,
  hash: string,
  now: Date,
): Promise<SubscriberStatus> {
  const recorded = await save(trx, ctx, signup, address, hash, now)
  if (!recorded) return 'suppressed'
  const { id: subscriberId, email: recipient, mail, status } = recorded
  if (mail === 'confirmation')
    await addToOutbox(trx, {
      kind: mail,
      recipient,
      subscriberId,
      payload: { signupRequestId: recorded.requestId, requestedAt: now.toISOString() },
    })
  else if (mail === 'preferences-link') await addToOutbox(trx, { kind: mail, recipient, subscriberId })
  return status
}

/** Everything but the mail, in one statement: locks the address's row or adds it, keeps one open request (so that the mail which
 * is under way confirms the latest choice), the proof, and the count of mails that forms caused here. Undefined when the address
 * must not be mailed. One statement, as seven cost half the sign-ups a second, and showed in the time of the answer which state
 * an address was in. */
async function save(trx: Trx, ctx: Context, signup: Signup, address: EmailAddress, hash: string, now: Date) {
  const { wording, version } = wordingOf(ctx.config)
  const { ip, formUrl } = signup.origin
  const choices = JSON.stringify(signup.choices)
  const detail = JSON.stringify({ choices: signup.choices })
  const confirmations = formMailLimits.confirmation
  const { rows } = await sql<Recorded>`
    with subscriber as (
      insert into subscribers (email, email_key, email_hash, status, timezone, created_at)
      select ${address.email}, ${address.key}, ${hash}, 'pending', ${signup.timezone}, ${now}::timestamptz
      where not exists (select from suppressions where email_hash = ${hash})
      on conflict (email_key) do update set email_key = excluded.email_key
      returning id, email, status
    ), request as (
      insert into signup_requests (subscriber_id, choices, timezone, consent_version, requested_at)
      select id, ${choices}::jsonb, ${signup.timezone}, ${version}, ${now}::timestamptz
      from subscriber where status in ('pending', 'unsubscribed')
      on conflict (subscriber_id) where used_at is null do update set choices = excluded.choices,
        timezone = excluded.timezone, consent_version = excluded.consent_version, requested_at = excluded.requested_at
      returning id
    ), consent as (
      insert into consents (subscriber_id, action, wording, wording_version, at, ip, form_url, detail)
      select id, 'requested', ${wording}, ${version}, ${now}::timestamptz, ${ip}, ${formUrl?.slice(0, 500) ?? null},
        ${detail}::jsonb
      from subscriber where status in ('pending', 'unsubscribed')
    ), mail as (
      insert into form_mails (email_hash, kind, mails, last_at)
      select ${hash}, case status when 'active' then 'preferences-link' else 'confirmation' end, 1, ${now}::timestamptz
      from subscriber where status <> 'suppressed'
      on conflict (email_hash, kind) do update set mails = form_mails.mails + 1, last_at = excluded.last_at
      where case excluded.kind
        when 'confirmation' then form_mails.mails < ${confirmations.most} and form_mails.last_at <= ${before(now, confirmations.hours)}::timestamptz
        else form_mails.last_at <= ${before(now, formMailLimits['preferences-link'].hours)}::timestamptz end
      returning kind
    )
    select id, email, status, (select kind from mail) as mail, (select id from request) as request_id
    from subscriber where status <> 'suppressed'`.execute(trx)
  return rows[0]
}

const before = (now: Date, hours: number) => new Date(now.getTime() - hours * 3_600_000)
