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
import { recordConsent, wordingOf, type Origin } from './consent.ts'
import { mayMail, takeSignup } from './limits.ts'
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

async function record(
  trx: Trx,
  ctx: Context,
  signup: Signup,
  address: EmailAddress,
  hash: string,
  now: Date,
): Promise<SubscriberStatus> {
  const subscriber = await findOrAdd(trx, address, hash, signup.timezone, now)
  if (!subscriber) return 'suppressed'
  if (subscriber.status === 'active') {
    if (await mayMail(trx, hash, 'preferences-link', now))
      await addToOutbox(trx, { kind: 'preferences-link', recipient: subscriber.email, subscriberId: subscriber.id })
    return 'active'
  }
  const requestId = await saveRequest(trx, ctx, signup, subscriber.id, now)
  if (await mayMail(trx, hash, 'confirmation', now))
    await addToOutbox(trx, {
      kind: 'confirmation',
      recipient: subscriber.email,
      subscriberId: subscriber.id,
      payload: { signupRequestId: requestId, requestedAt: now.toISOString() },
    })
  return subscriber.status
}

/** Locks the address's row, adding a pending one when there is none; undefined when the address must not be mailed. */
async function findOrAdd(trx: Trx, address: EmailAddress, hash: string, timezone: string | null, now: Date) {
  const { rows } = await sql<{ id: number; email: string; status: SubscriberStatus }>`
    insert into subscribers (email, email_key, email_hash, status, timezone, created_at)
    select ${address.email}, ${address.key}, ${hash}, 'pending', ${timezone}, ${now}::timestamptz
    where not exists (select from suppressions where email_hash = ${hash})
    on conflict (email_key) do update set email_key = excluded.email_key
    returning id, email, status`.execute(trx)
  const subscriber = rows[0]
  return subscriber?.status === 'suppressed' ? undefined : subscriber
}

/** One open request per subscriber: a repeat replaces the choice, so the mail that is under way confirms the latest one. */
async function saveRequest(trx: Trx, ctx: Context, signup: Signup, subscriberId: number, now: Date): Promise<number> {
  const wording = wordingOf(ctx.config)
  const values = {
    choices: JSON.stringify(signup.choices),
    timezone: signup.timezone,
    consentVersion: wording.version,
    requestedAt: now,
  }
  await recordConsent(trx, {
    subscriberId,
    action: 'requested',
    at: now,
    origin: signup.origin,
    wording,
    detail: { choices: signup.choices },
  })
  const replaced = await trx
    .updateTable('signupRequests')
    .set(values)
    .where('subscriberId', '=', subscriberId)
    .where('usedAt', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (replaced) return replaced.id
  const added = await trx
    .insertInto('signupRequests')
    .values({ subscriberId, ...values })
    .returning('id')
    .executeTakeFirstOrThrow()
  return added.id
}
