// The link of a story: to the story, with the site's LINK_PARAMETERS if it is on this site. If the site counts clicks, the link is
// to our redirect instead. Its token contains only the article and the edition. So a click counts for a story and never for a
// person, and the redirect only leads to stored articles.

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

/** The article and edition of a counted link; null: not our link. */
export function readStoryLink(
  { secretKeys }: Pick<Config, 'secretKeys'>,
  token: unknown,
  now: Date,
): { articleId: number; edition: string | null } | null {
  const check = checkToken(secretKeys, 'click', token, now)
  const parts = check.outcome === 'valid' && /^(\d{1,10})(?:-([a-z0-9]{1,15}))?$/.exec(check.id)
  return parts ? { articleId: Number(parts[1]), edition: parts[2] ?? null } : null
}
