// What keeps our forms from being used against other people's mailboxes. Two kinds, both shared in the database:
// - how many sign-ups a place may make (IP address, IPv6 /64, e-mail domain, everyone): refused with a sentence;
// - how many mails a form may cause at one address: nobody is told, as the answer must be the same for every address.
//
// The surprise: callers that meet at the same key share one statement, as otherwise the row that counts everyone would be a
// queue in which each sign-up waits for the disk sync of the one before.

import ipaddr from 'ipaddr.js'
import { CompiledQuery, sql } from 'kysely'
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import type { Config } from '../base/config.ts'
import { isLoopbackHost } from '../base/loopback.ts'
import { domainOf } from '../base/email-address.ts'
import { Refusal } from '../base/errors.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { FormMailsTable } from '../db/schema.ts'

const hourSeconds = 3600

type Take = (key: string) => Promise<void>

/** By configuration, of which an application has one. */
const takes = new WeakMap<Config['signups'], Take[]>()

/** Refuses with `rate_limited` when a place has used up its hour. A loopback address is the operator or a proxy that nobody
 * declared: it isn't counted as a place, since that would lock everyone out at once. */
export async function takeSignup(db: Db, limits: Config['signups'], ip: string | null, email: string): Promise<void> {
  let known = takes.get(limits)
  if (!known)
    takes.set(
      limits,
      (known = [
        limiter(db, 'signup-ip', limits.perIp),
        limiter(db, 'signup-network', limits.perNetwork),
        limiter(db, 'signup-domain', limits.perDomain),
        limiter(db, 'signup-all', limits.perHour),
      ]),
    )
  const [perIp, perNetwork, perDomain, perHour] = known as [Take, Take, Take, Take]
  const place = ip === null || isLoopbackHost(ip) ? null : placeOf(ip)
  await Promise.all([
    place && perIp(place.ip),
    place?.network && perNetwork(place.network),
    perDomain(domainOf(email)),
    perHour('everyone'),
  ])
}

/** An address in one spelling, and the /64 of an IPv6 one: a household has a whole /64 to itself. Pure. */
export function placeOf(ip: string): { ip: string; network: string | null } | null {
  if (!ipaddr.isValid(ip)) return null
  const address = ipaddr.process(ip)
  if (address.range() === 'loopback') return null
  if (address.kind() === 'ipv4') return { ip: address.toString(), network: null }
  const bytes = address.toByteArray()
  const network = ipaddr.fromByteArray([...bytes.slice(0, 8), 0, 0, 0, 0, 0, 0, 0, 0]).toString()
  return { ip: address.toString(), network: `${network}/64` }
}

function limiter(db: Db, keyPrefix: string, points: number): Take {
  if (points === 0) return async () => {}
  const inner = new RateLimiterPostgres({
    storeClient: { query: (query: { text: string; values: unknown[] }) => run(db, query.text, query.values) },
    storeType: 'client',
    tableName: 'rate_limits',
    tableCreated: true,
    clearExpiredByTimeout: false,
    keyPrefix,
    points,
    duration: hourSeconds,
    // Who is over the limit is refused from memory, without another statement.
    inMemoryBlockOnConsumed: points + 1,
  })
  const block = Math.max(1, Math.floor(points / 500))
  return together(block, async (key, count) => {
    try {
      await inner.consume(key, count)
    } catch (cause) {
      if (!(cause instanceof RateLimiterRes)) throw cause
      const minutes = Math.max(1, Math.ceil(cause.msBeforeNext / 60_000))
      throw new Refusal(
        'rate_limited',
        `There have been too many sign-ups from here. Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`,
      )
    }
  })
}

async function run(db: Db, text: string, values: unknown[]) {
  const result = await db.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text, values))
  return { rows: result.rows, rowCount: result.rows.length }
}

/** While a statement for a key is under way, whoever comes for the same key gathers for the next one. Large limits are taken from
 * the database in blocks of a five-hundredth: what a process has taken and doesn't use is lost, never used twice. */
function together(block: number, consume: (key: string, count: number) => Promise<void>): Take {
  const inHand = new Map<string, number>()
  const underWay = new Map<string, Promise<void>>()
  const gathering = new Map<string, { count: number; answer: Promise<void> }>()
  const take = async (key: string, count: number): Promise<void> => {
    const missing = count - (inHand.get(key) ?? 0)
    if (missing > 0) {
      const taken = Math.ceil(missing / block) * block
      await consume(key, taken)
      if (inHand.size > 10_000) inHand.clear()
      if (taken > missing) inHand.set(key, taken - missing)
      else inHand.delete(key)
    } else inHand.set(key, -missing)
  }
  return (key) => {
    const inReserve = inHand.get(key) ?? 0
    if (inReserve > 0 && !underWay.has(key)) {
      inHand.set(key, inReserve - 1)
      return Promise.resolve()
    }
    const open = gathering.get(key)
    if (open) {
      open.count++
      return open.answer
    }
    const group = { count: 1, answer: Promise.resolve() }
    const go = () => {
      gathering.delete(key)
      const answer = take(key, group.count)
      const over = answer.then(
        () => {},
        () => {},
      )
      underWay.set(key, over)
      void over.then(() => underWay.get(key) === over && underWay.delete(key))
      return answer
    }
    const before = underWay.get(key)
    if (before) {
      gathering.set(key, group)
      group.answer = before.then(go)
    } else group.answer = go()
    return group.answer
  }
}

/** Hours between two mails of a kind that nobody answered, and how many at most. */
export const formMailLimits = {
  confirmation: { hours: 24, most: 3 },
  'preferences-link': { hours: 6, most: 1_000_000 },
  'address-change': { hours: 1, most: 3 },
} as const

/** Whether a form may cause one more mail of this kind at this address; counts it when it may. */
export async function mayMail(trx: Trx, emailHash: string, kind: FormMailsTable['kind'], now: Date): Promise<boolean> {
  const { hours, most } = formMailLimits[kind]
  const taken = await trx
    .insertInto('formMails')
    .values({ emailHash, kind, mails: 1, lastAt: now })
    .onConflict((conflict) =>
      conflict
        .columns(['emailHash', 'kind'])
        .doUpdateSet({ mails: sql`form_mails.mails + 1`, lastAt: now })
        .where('formMails.lastAt', '<=', new Date(now.getTime() - hours * 3_600_000))
        .where('formMails.mails', '<', most),
    )
    .returning('mails')
    .executeTakeFirst()
  return taken !== undefined
}

/** The address has answered: what was counted against it is forgotten. */
export async function forgetFormMails(trx: Trx, emailHash: string): Promise<void> {
  await trx.deleteFrom('formMails').where('emailHash', '=', emailHash).execute()
}
