// Where a story's link leads: to the story, with the site's LINK_PARAMETERS where it is a story of this site; or, where the site counts
// clicks, to our redirect. Its token names the article and the edition and nothing else, so a click counts for a story and never for a
// person, and only links of stored articles can be reached through it.

import { addressOf } from '../base/addresses.ts'
import type { Config } from '../base/config.ts'
import { siteLink } from '../base/link-parameters.ts'
import { checkToken, signToken } from '../base/tokens.ts'

/** `edition`: its number, or the name of another mail; null: a preview. */
export function storyUrl(
  config: Pick<Config, 'clickCounts' | 'secretKeys' | 'web' | 'site'>,
  article: { id: number; link: string },
  edition: number | string | null,
): string {
  if (!/^https?:\/\//i.test(article.link)) return siteLink(config, config.site.url, edition)
  const link = siteLink(config, article.link, edition)
  if (!config.clickCounts) return link
  const named = link === article.link || edition === null ? String(article.id) : `${article.id}-${edition}`
  return addressOf(config, `/click?token=${signToken(config.secretKeys, 'click', named, null)}`)
}

/** Of which article, in which edition, a counted link is; null: it isn't one of ours. */
export function readStoryLink(
  { secretKeys }: Pick<Config, 'secretKeys'>,
  token: unknown,
  now: Date,
): { articleId: number; edition: string | null } | null {
  const check = checkToken(secretKeys, 'click', token, now)
  const parts = check.outcome === 'valid' && /^(\d{1,10})(?:-([a-z0-9]{1,15}))?$/.exec(check.id)
  return parts ? { articleId: Number(parts[1]), edition: parts[2] ?? null } : null
}
