// What somebody gets who hasn't chosen, as when their list comes from elsewhere: what the site has set, else every category daily.

import { listCategories } from '../articles/store.ts'
import type { Db } from '../db/connect.ts'
import { findSetting } from '../db/settings.ts'
import { type Choices, isFrequency } from './choices.ts'

/** The key in `settings`; its value is {category slug: frequency}. */
export const defaultChoiceKey = 'default_choice'

/** Of offered categories only: a retired one that is still named there doesn't count. */
export async function defaultChoice(db: Db): Promise<Choices> {
  const offered = (await listCategories(db)).map(({ slug }) => slug)
  const set = Object.entries((await findSetting<Record<string, unknown>>(db, defaultChoiceKey)) ?? {})
  const chosen = set.flatMap(([slug, frequency]) =>
    offered.includes(slug) && isFrequency(frequency) ? [[slug, frequency] as const] : [],
  )
  return Object.fromEntries(chosen.length > 0 ? chosen : offered.map((slug) => [slug, 'daily' as const]))
}
