// The site's own sentences in a reader's language: tagline, opt-in statement and disclaimer. The environment has them in the site's
// language (SITE_TAGLINE, OPT_IN_STATEMENT, DISCLAIMER); editors give them in others.

import { type Actor, audit } from '../access/audit.ts'
import { type Config, trialDisclaimer, trialName } from '../base/config.ts'
import { invalid } from '../base/errors.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { findSetting, setSetting } from '../db/settings.ts'
import { english } from '../messages/english.ts'
import { messagesFor } from '../messages/messages.ts'
import { givenFor, languageTag } from './category-names.ts'

export const siteTextKeys = ['tagline', 'optInStatement', 'disclaimer'] as const
export type SiteTextKey = (typeof siteTextKeys)[number]

/** What editors gave, by language tag. */
export type GivenSiteTexts = Readonly<Record<string, Partial<Record<SiteTextKey, string>>>>

/** As shown: the text, and the language that it is written in, which is the site's where the reader's has none. */
export type SiteTexts = Record<SiteTextKey, { text: string; language: string }>

const settingKey = 'site_texts'
const longest = 2000

export async function readSiteTexts(db: Db): Promise<GivenSiteTexts> {
  return (await findSetting<GivenSiteTexts>(db, settingKey)) ?? {}
}

/** Each text as an editor gave it for the language, else as the environment has it. A text that nobody set is the program's own, in
 * every language that has messages. Pure. */
export function siteTextsIn(config: Config, given: GivenSiteTexts, locale: string): SiteTexts {
  const { site } = config
  const own = givenFor(given, locale) ?? {}
  const say = messagesFor(config, locale)
  const unset = {
    tagline: site.tagline === english['site.tagline'] && say('site.tagline'),
    optInStatement: site.optInStatement === english['site.optInStatement'] && say('site.optInStatement'),
    disclaimer: config.trial && site.disclaimer === trialDisclaimer && say('site.trial', { site: trialName }),
  }
  const shown = (key: SiteTextKey) => {
    const text = own[key] || unset[key]
    return text ? { text, language: locale } : { text: site[key], language: site.locale }
  }
  return { tagline: shown('tagline'), optInStatement: shown('optInStatement'), disclaimer: shown('disclaimer') }
}

/** Sets all texts of one language, with a line in the audit log. What is empty is as in the environment. Safe to repeat. */
export async function setSiteTexts(
  ctx: Context,
  language: string,
  texts: Partial<Record<SiteTextKey, string>>,
  actor: Actor,
): Promise<GivenSiteTexts> {
  const tag = languageTag(language, 'language')
  const kept = Object.fromEntries(
    siteTextKeys.flatMap((key) => (texts[key]?.trim() ? [[key, clean(key, texts[key])]] : [])),
  )
  return ctx.db.transaction().execute(async (trx) => {
    const { [tag]: _before, ...others } = await readSiteTexts(trx)
    const given = Object.keys(kept).length > 0 ? { ...others, [tag]: kept } : others
    await setSetting(trx, settingKey, given)
    await audit(trx, { at: ctx.clock.now(), actor, action: 'site_texts.changed', subject: `language:${tag}` })
    return given
  })
}

function clean(field: SiteTextKey, given: string): string {
  const text = given.replace(/\s+/g, ' ').trim()
  if (text.length > longest) throw invalid(field, `A text may have ${longest} characters at most.`)
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(text)) throw invalid(field, "A text can't hold control characters.")
  return text
}
