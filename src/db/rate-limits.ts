// How often something may happen in an hour, counted in the database, so that ten processes share one limit. A key's hour begins
// with its first point.
//
// Requests that arrive while a statement runs share the next statement. Otherwise keys that every request counts at would be a
// queue, in which each request waits for the disk sync of the one before.
//
// A key over its limit is remembered until its hour ends. So a flood from it costs no statement, and doesn't use up the limit of
// the wider networks around it.

import { sql } from 'kysely'
import type { Refusal } from '../base/errors.ts'
import { placesOf } from '../base/places.ts'
import { refusal } from '../messages/refusals.ts'
import type { Db } from './connect.ts'
import type { Context } from './context.ts'

const hourMs = 3_600_000

export interface Take {
  key: string
  /** Per hour; 0: unlimited. */
  most: number
}

interface Waiting {
  takes: readonly Take[]
  now: Date
  resolve: (over: Take[]) => void
  reject: (cause: unknown) => void
}

interface Desk {
  waiting: Waiting[]
  isBusy: boolean
  /** When the hour of a key that is over its limit ends. */
  over: Map<string, number>
}

const desks = new WeakMap<Db, Desk>()

/** Adds one point to each key. Returns the keys that are over their limit. */
export async function takePoints(ctx: Pick<Context, 'db' | 'clock'>, takes: readonly Take[]): Promise<Take[]> {
  const limited = takes.filter(({ most }) => most > 0)
  if (limited.length === 0) return []
  let desk = desks.get(ctx.db)
  if (!desk) desks.set(ctx.db, (desk = { waiting: [], isBusy: false, over: new Map() }))
  const now = ctx.clock.now()
  const { over } = desk
  const known = limited.filter(({ key }) => (over.get(key) ?? 0) > now.getTime())
  if (known.length > 0) return known
  const { promise, resolve, reject } = Promise.withResolvers<Take[]>()
  desk.waiting.push({ takes: limited, now, resolve, reject })
  if (!desk.isBusy) {
    desk.isBusy = true
    void serve(ctx.db, desk)
  }
  return promise
}

async function serve(db: Db, desk: Desk): Promise<void> {
  while (desk.waiting.length > 0) {
    const group = desk.waiting.splice(0)
    try {
      const counts = await count(db, group)
      if (desk.over.size > 10_000) desk.over.clear()
      for (const { takes, resolve } of group)
        resolve(
          takes.filter(({ key, most }) => {
            const kept = counts.get(key)!
            const isOver = ++kept.points > most
            if (isOver) desk.over.set(key, kept.expire)
            return isOver
          }),
        )
    } catch (cause) {
      for (const { reject } of group) reject(cause)
    }
  }
  desk.isBusy = false
}

/**
 * Adds the group's points and returns how many each key had before. In the order of the keys, so that two processes can't block
 * each other.
 */
async function count(db: Db, group: readonly Waiting[]): Promise<Map<string, { points: number; expire: number }>> {
  const added = new Map<string, number>()
  for (const { takes } of group) for (const { key } of takes) added.set(key, (added.get(key) ?? 0) + 1)
  const now = group.at(-1)!.now.getTime()
  const { rows } = await sql<{ key: string; points: number; expire: number }>`
    insert into rate_limits as kept (key, points, expire)
    select key, points, ${now + hourMs}::bigint
    from unnest(${[...added.keys()]}::text[], ${[...added.values()]}::int[]) as added (key, points) order by key
    on conflict (key) do update set
      points = case when kept.expire <= ${now}::bigint then excluded.points else kept.points + excluded.points end,
      expire = case when kept.expire <= ${now}::bigint then excluded.expire else kept.expire end
    returning key, points, expire::float8 as expire`.execute(db)
  return new Map(rows.map(({ key, points, expire }) => [key, { points: points - added.get(key)!, expire }]))
}

/** A nightly chore: deletes hours that are over. Safe to repeat. */
export async function purgeRateLimits({ db, clock }: Pick<Context, 'db' | 'clock'>): Promise<void> {
  await sql`delete from rate_limits where expire < ${clock.now().getTime()}`.execute(db)
}

/** A /56 may do twice as much as a /64, a /48 four times as much. */
const networkShare = { '64': 1, '56': 2, '48': 4 } as const

/** Refuses with `rate_limited` if the place that a request comes from has used up its hour for this purpose. */
export async function takePlace(
  ctx: Pick<Context, 'db' | 'clock' | 'config'>,
  purpose: 'signup' | 'link' | 'sign-in',
  ip: string | null,
): Promise<void> {
  const { perIp, perNetwork } = ctx.config.signups
  const takes = placesOf(ip ?? '').map(({ name, place }) => ({
    key: `${purpose}-${name}:${place}`,
    most: name === 'ip' ? perIp : perNetwork * networkShare[name],
  }))
  if ((await takePoints(ctx, takes)).length > 0) throw tooMany()
}

export function tooMany(): Refusal {
  return refusal('rate_limited', 'common.tooMany')
}
