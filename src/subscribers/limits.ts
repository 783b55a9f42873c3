// Limits that protect other people's mailboxes from our forms. Limits per place (takePlace in db/rate-limits.ts) are reported to
// the caller. Limits per mailbox and domain are never reported: the response must be the same for every address, so only the mail
// isn't sent.

import { sql } from 'kysely'
import { domainOf, mailboxOf, type EmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { takePlace, takePoints, tooMany } from '../db/rate-limits.ts'
import type { FormMailsTable } from '../db/schema.ts'
import { textArray } from '../delivery/hot-query.ts'

/** Counts a mail to an unconfirmed address. false: the domain's limit for this hour is used up. */
export async function takeDomain(ctx: Context, email: string): Promise<boolean> {
  return (await takePoints(ctx, [domainTake(ctx, email)])).length === 0
}

function domainTake(ctx: Context, email: string) {
  return { key: `signup-domain:${domainOf(mailboxOf(email))}`, most: ctx.config.signups.perDomain }
}

/**
 * Counts a sign-up. Refuses if the limit of its place, or of all places together, is used up for this hour. false: the domain's
 * is, so nothing may be mailed there. A refusal by place doesn't count against the other limits.
 */
export async function takeSignup(ctx: Context, ip: string | null, email: string): Promise<boolean> {
  await takePlace(ctx, 'signup', ip)
  const everyone = { key: 'signup-all:everyone', most: ctx.config.signups.perHour }
  const domain = domainTake(ctx, email)
  const over = await takePoints(ctx, [everyone, domain])
  if (over.includes(everyone)) throw tooMany()
  return !over.includes(domain)
}

/** The key for counting mails to an unconfirmed address. */
export function mailboxHash(pepper: string, address: Pick<EmailAddress, 'key'>): string {
  return hashAddress(pepper, mailboxOf(address.key))
}

/** Minimum hours between two mails of a kind, and the most within the period. */
export const formMailLimits = {
  confirmation: { hours: 24, most: 3 },
  'address-change': { hours: 1, most: 3 },
  'preferences-link': { hours: 6, most: 30 },
} as const

export const formMailDays = 30

interface MayMailOptions {
  /** Mail to it was returned, so one within the period is enough. */
  isBounced?: boolean
  /** Hours between two mails, if longer than the kind's default. */
  hours?: number
}

/**
 * Whether a form may cause one more mail of this kind, and counts it if so. By mailbox for unconfirmed addresses, by address for
 * confirmed ones: these have a limit of their own, which other people's sign-ups don't use up.
 */
export async function mayMail(
  trx: Trx,
  hash: string,
  kind: FormMailsTable['kind'],
  now: Date,
  options: MayMailOptions = {},
): Promise<boolean> {
  return (await mayMailEach(trx, [hash], kind, now, options)).size > 0
}

/** The same for several different mailboxes at once. Returns those that may be mailed. */
export async function mayMailEach(
  trx: Trx,
  hashes: readonly string[],
  kind: FormMailsTable['kind'],
  now: Date,
  options: MayMailOptions = {},
): Promise<Set<string>> {
  if (hashes.length === 0) return new Set()
  const { most } = formMailLimits[kind]
  const { isBounced = false, hours = formMailLimits[kind].hours } = options
  const period = hoursBefore(now, formMailDays * 24)
  const { rows } = await sql<{ mailboxHash: string }>`
    insert into form_mails as f (mailbox_hash, kind, sent_at, last_at, bounced_at)
    select hash, ${kind}, array[${now}::timestamptz], ${now}::timestamptz,
      case when ${isBounced}::boolean then ${now}::timestamptz end
    from unnest(${textArray(hashes)}::text[]) as hash order by hash
    on conflict (mailbox_hash, kind) do update set last_at = excluded.last_at,
      sent_at = array(select at from unnest(f.sent_at) at where at > ${period}::timestamptz) || excluded.sent_at,
      bounced_at = coalesce(excluded.bounced_at, f.bounced_at)
    where f.last_at <= ${hoursBefore(now, hours)}::timestamptz
      and (select count(*) from unnest(f.sent_at) at where at > ${period}::timestamptz) < ${most}::int
      and not (${isBounced}::boolean and coalesce(f.bounced_at > ${period}::timestamptz, false))
    returning mailbox_hash`.execute(trx)
  return new Set(rows.map((row) => row.mailboxHash))
}

/** The mailbox has confirmed: its counts are deleted. */
export async function forgetFormMails(trx: Trx, hash: string): Promise<void> {
  await trx.deleteFrom('formMails').where('mailboxHash', '=', hash).execute()
}

const hoursBefore = (now: Date, hours: number) => new Date(now.getTime() - hours * 3_600_000)
