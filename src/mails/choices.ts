// What people chose, as mails tell it back to them.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { CategoryTexts, Frequency, SubscriberStatus } from '../db/schema.ts'

export interface Choice {
  name: string
  /** The category's texts in other languages. */
  translations: Record<string, CategoryTexts>
  frequency: Frequency
}

/** By sign-up request: what was asked for and waits to be confirmed, in the site's order, and the language of the form, else of
 * the subscriber. */
export async function listRequestedChoices(
  db: Db,
  requestIds: readonly number[],
): Promise<Map<number, { locale: string | null; choices: Choice[] }>> {
  const { rows } = await sql<{ id: number; locale: string | null; choices: Choice[] }>`
    select request.id, coalesce(request.locale, subscriber.locale) as locale, coalesce((
      select json_agg(json_build_object('name', category.name, 'translations', category.translations, 'frequency', choice.value)
        order by category.position, category.id)
      from jsonb_each_text(request.choices) choice
      join categories category on category.slug = choice.key and category.retired_at is null
      where choice.value <> 'off'), '[]') as choices
    from signup_requests request join subscribers subscriber on subscriber.id = request.subscriber_id
    where request.id = any(${[...requestIds]}::bigint[])`.execute(db)
  return new Map(rows.map(({ id, ...requested }) => [id, requested]))
}

export interface SubscriberChoices {
  id: number
  email: string
  status: SubscriberStatus
  generation: number
  timezone: string | null
  locale: string | null
  nextDueAt: Date | null
  choices: Choice[]
}

/** By subscriber: what comes, in the subscriber's order, and when the next digest does. Who doesn't exist is left out. */
export async function listChoices(db: Db, subscriberIds: readonly number[]): Promise<Map<number, SubscriberChoices>> {
  const { rows } = await sql<SubscriberChoices>`
    select subscriber.id, subscriber.email, subscriber.status, subscriber.generation, subscriber.timezone, subscriber.locale,
      due.next_due_at, coalesce((
      select json_agg(json_build_object('name', category.name, 'translations', category.translations,
        'frequency', subscription.frequency)
        order by subscription.position, category.position, category.id)
      from subscriptions subscription
      join categories category on category.id = subscription.category_id and category.retired_at is null
      where subscription.subscriber_id = subscriber.id), '[]') as choices
    from subscribers subscriber left join due_times due on due.subscriber_id = subscriber.id
    where subscriber.id = any(${[...subscriberIds]}::bigint[])`.execute(db)
  return new Map(rows.map((row) => [row.id, row]))
}
