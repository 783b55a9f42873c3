// What is written for the lines of an import, one batch in one transaction.

import { createHash } from 'node:crypto'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Category } from '../db/schema.ts'
import type { ParsedLine } from './import-lines.ts'
import { linesOf } from './store.ts'
import { whenDue } from './subscriptions.ts'
import { suppress } from './suppression.ts'
import { addDueTimes } from '../calendar/due-times.ts'

export type ImportLine = ParsedLine & {
  emailHash: string
  /** As the file has them. */
  cells: readonly string[]
}

/** The lines that stay out, and why. */
export async function findUnwanted(trx: Trx, lines: readonly ImportLine[]): Promise<Map<ImportLine, string>> {
  const hashes = lines.map((line) => line.emailHash)
  const keys = lines.map((line) => line.emailKey)
  const listed = await trx
    .selectFrom('suppressions')
    .select(['emailHash', 'reason'])
    .where('emailHash', 'in', hashes)
    .execute()
  const known = await trx
    .selectFrom('subscribers')
    .select(['emailKey', 'status'])
    .where('emailKey', 'in', keys)
    .execute()
  const reasonOf = new Map(listed.map((row) => [row.emailHash, row.reason]))
  const statusOf = new Map(known.map((row) => [row.emailKey, row.status]))
  const unwanted = new Map<ImportLine, string>()
  for (const line of lines) {
    const reason = reasonOf.get(line.emailHash)
    const status = statusOf.get(line.emailKey)
    // A suppressed line may join its entry on the list; who was erased here must not come back in any way.
    if (reason && (line.status !== 'suppressed' || reason === 'erasure'))
      unwanted.set(line, 'email: is on the suppression list')
    else if (status && status !== line.status)
      unwanted.set(line, `email: is here already as ${status}, the file says ${line.status}; unchanged`)
    else if (status) unwanted.set(line, 'email: is here already; unchanged')
  }
  return unwanted
}

/** How many were added: somebody who signed up in this very moment keeps what they chose. */
export async function saveLines(
  trx: Trx,
  ctx: Context,
  lines: readonly ImportLine[],
  { categories, source, now }: { categories: readonly Category[]; source: string; now: Date },
): Promise<number> {
  if (lines.length === 0) return 0
  const planned = new Map(
    lines.map((line) => {
      const choices = linesOf(line.choices, categories, line.order)
      // Who is suppressed is first what they were before.
      const status = line.statusBefore
      // A pending sign-up's choice waits in its request.
      const subscriptions = status === 'pending' ? [] : choices
      return [
        line.emailKey,
        { line, status, subscriptions, ...whenDue(ctx.config, { ...line, status }, subscriptions, now) },
      ]
    }),
  )
  const rows = await trx
    .insertInto('subscribers')
    .values(lines.map((line) => ({ ...columnsOf(line), frequencies: planned.get(line.emailKey)!.frequencies })))
    .onConflict((conflict) => conflict.column('emailKey').doNothing())
    .returning(['id', 'emailKey'])
    .execute()
  if (rows.length === 0) return 0
  const added = rows.map(({ id, emailKey }) => ({ id, ...planned.get(emailKey)! }))

  const due = added.flatMap(({ id, nextDueAt }) => (nextDueAt ? [{ subscriberId: id, nextDueAt }] : []))
  await addDueTimes(trx, due)
  const readers = added.filter(({ status }) => status !== 'pending').map(({ id }) => ({ subscriberId: id }))
  if (readers.length > 0) await trx.insertInto('reading').values(readers).execute()
  const chosen = added.flatMap(({ id, subscriptions }) => subscriptions.map((one) => ({ subscriberId: id, ...one })))
  if (chosen.length > 0) await trx.insertInto('subscriptions').values(chosen).execute()
  const wording = `imported from ${source} on ${now.toISOString().slice(0, 10)}`
  const version = createHash('sha256').update(wording).digest('hex').slice(0, 12)
  await trx
    .insertInto('consents')
    .values(
      added.map(({ id, line }) => ({
        subscriberId: id,
        action: 'imported' as const,
        wording,
        wordingVersion: version,
        at: now,
        ip: line.consentIp,
        formUrl: line.consentPlace,
        detail: JSON.stringify({ line: line.line, status: line.status, choices: line.choices, said: line.said }),
      })),
    )
    .execute()
  const requests = added.filter(({ status }) => status === 'pending')
  if (requests.length > 0)
    await trx
      .insertInto('signupRequests')
      .values(
        requests.map(({ id, line }) => ({
          subscriberId: id,
          choices: JSON.stringify(line.choices),
          timezone: line.timezone,
          consentVersion: version,
          requestedAt: line.requestedAt,
        })),
      )
      .execute()
  for (const { line } of added)
    if (line.status === 'suppressed') {
      const entry = { emailHash: line.emailHash, email: line.email, reason: line.suppressionReason, detail: wording }
      await suppress(trx, entry, line.suppressedAt)
    }
  return added.length
}

function columnsOf(line: ImportLine) {
  const {
    email,
    emailKey,
    emailHash,
    statusBefore: status,
    locale,
    timezone,
    sendHour,
    weeklyDay,
    monthlyDay,
    pausedUntil,
  } = line
  const { createdAt, confirmedAt, unsubscribedAt } = line
  const settings = { locale, timezone, sendHour, weeklyDay, monthlyDay, pausedUntil }
  return { email, emailKey, emailHash, status, ...settings, createdAt, confirmedAt, unsubscribedAt }
}
