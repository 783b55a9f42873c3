// The site's default choice, for subscribers who didn't choose, in the form or by an import. Editors set it. Until then it is
// every category, daily.

import { audit, type Actor } from '../access/audit.ts'
import { listCategories } from '../articles/store.ts'
import { invalid } from '../base/errors.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Category, Frequency } from '../db/schema.ts'
import { deleteSetting, findSetting, setSetting } from '../db/settings.ts'
import { chosen, type Choices, isFrequency, readChoices } from './choices.ts'

/** The key in `settings`. Its value is {category id: frequency}, with ids, because a slug may change. */
const settingKey = 'default_choice'

/** Only offered categories. If none of the stored ones is offered any more: all, daily. */
export async function defaultChoice(db: Db): Promise<Choices> {
  return defaultAmong(db, await listCategories(db))
}

/** The same, for a caller that has read the offered categories. */
export async function defaultAmong(db: Db, offered: readonly Category[]): Promise<Choices> {
  const set = (await findSetting<Record<string, unknown>>(db, settingKey)) ?? {}
  const choices = offered.flatMap(({ id, slug }) => {
    const frequency = set[id]
    return isFrequency(frequency) ? [[slug, frequency] as const] : []
  })
  return Object.fromEntries(choices.length > 0 ? choices : offered.map(({ slug }) => [slug, 'daily' as const]))
}

/**
 * Sets it, with a line in the audit log. Categories that aren't named are off. null: back to all categories, daily. Refuses
 * unknown categories and an empty choice. Doesn't change existing subscribers. Safe to repeat.
 */
export async function setDefaultChoice(ctx: Context, given: unknown, actor: Actor): Promise<Choices> {
  return ctx.db.transaction().execute(async (trx) => {
    const offered = await listCategories(trx)
    const choices = given === null ? null : chosen(readChoices(given, offered))
    if (choices && Object.keys(choices).length === 0)
      throw invalid('frequency', 'Choose how often at least one category should come.')
    if (choices) await setSetting(trx, settingKey, byId(choices, offered))
    else await deleteSetting(trx, settingKey)
    const detail = { choices: choices ?? 'all categories, daily' }
    await audit(trx, { at: ctx.clock.now(), actor, action: 'default_choice.changed', subject: 'categories', detail })
    return defaultAmong(trx, offered)
  })
}

function byId(choices: Choices, offered: readonly Category[]): Record<number, Frequency> {
  return Object.fromEntries(offered.flatMap(({ id, slug }) => (choices[slug] ? [[id, choices[slug]] as const] : [])))
}
