// What people chose, as mails tell it back to them.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Frequency, SubscriberStatus } from '../db/schema.ts'

export interface Choice {
  name: string
  frequency: Frequency
}

/** By sign-up request: what was asked for and waits to be confirmed, in the site's order. */
export async function listRequestedChoices(db: Db, requestIds: readonly number[]): Promise<Map<number, Choice[]>> {
  const { rows } = await sql<{ id: number } & Choice>`
    select request.id, category.name, choice.value as frequency
    from signup_requests request
    cross join lateral jsonb_each_text(request.choices) choice
    join categories category on category.slug = choice.key and category.retired_at is null
    where request.id = any(${[...requestIds]}::bigint[]) and choice.value <> 'off'
    order by category.position, category.id`.execute(db)
  const found = new Map<number, Choice[]>()
  for (const { id, name, frequency } of rows) {
    const choices = found.get(id)
    if (choices) choices.push({ name, frequency })
    else found.set(id, [{ name, frequency }])
  }
  return found
}

export interface SubscriberChoices {
  id: number
  email: string
  status: SubscriberStatus
  generation: number
  timezone: string | null
  nextDueAt: Date | null
  choices: Choice[]
}

/** By subscriber: what comes, in the subscriber's order, and when the next digest does. Who doesn't exist is left out. */
export async function listChoices(db: Db, subscriberIds: readonly number[]): Promise<Map<number, SubscriberChoices>> {
  const { rows } = await sql<SubscriberChoices>`
    select subscriber.id, subscriber.email, subscriber.status, subscriber.generation, subscriber.timezone, due.next_due_at, coalesce((
      select json_agg(json_build_object('name', category.name, 'frequency', subscription.frequency)
        order by subscription.position, category.position, category.id)
      from subscriptions subscription
      join categories category on category.id = subscription.category_id and category.retired_at is null
      where subscription.subscriber_id = subscriber.id), '[]') as choices
    from subscribers subscriber left join due_times due on due.subscriber_id = subscriber.id
    where subscriber.id = any(${[...subscriberIds]}::bigint[])`.execute(db)
  return new Map(rows.map((row) => [row.id, row]))
}
