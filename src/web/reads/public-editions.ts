// Which editions are public on the web.

import { sql } from 'kysely'
import type { Db } from '../../db/connect.ts'

/**
 * Digests of which mail was sent: while sending, paused, and after closing or cancelling. An uncertain mail may have arrived, so
 * its link must work too. Announcements aren't editions of stories, and a run for a single address isn't public.
 */
export function publicEditions(db: Db) {
  return db
    .selectFrom('editions')
    .select(['id', 'content', sql<Date>`coalesce(slot_at, created_at)`.as('at')])
    .where('state', 'in', ['sending', 'paused', 'closed', 'cancelled'])
    .where('kind', '!=', 'announcement')
    .where('onlySubscriberId', 'is', null)
    .where(
      sql<boolean>`case when account is not null then (account->>'sent')::int + (account->>'uncertain')::int > 0
        else (select sum(count) > 0 from edition_counts where edition_id = editions.id and outcome in ('sent', 'uncertain')) end`,
    )
}

export interface PublicEdition {
  id: number
  at: Date
  content: { intro?: string }
}

/** The newest one, as a sample before signing up. */
export function findNewestPublic(db: Db): Promise<PublicEdition | undefined> {
  return publicEditions(db).orderBy('createdAt', 'desc').orderBy('id', 'desc').limit(1).executeTakeFirst()
}
