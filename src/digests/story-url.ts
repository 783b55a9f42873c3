// Where a story's link leads: to the story, or, where the site counts clicks, to our redirect. Its token names the article and
// nothing else, so a click counts for a story and never for a person, and only links of stored articles can be reached through it.

import type { Config } from '../base/config.ts'
import { signToken } from '../base/tokens.ts'
import { addressOf } from '../base/addresses.ts'

export function storyUrl(
  config: Pick<Config, 'clickCounts' | 'secretKeys' | 'web' | 'site'>,
  article: { id: number; link: string },
): string {
  if (!/^https?:\/\//i.test(article.link)) return config.site.url
  if (!config.clickCounts) return article.link
  return addressOf(config, `/click?token=${signToken(config.secretKeys, 'click', String(article.id), null)}`)
}
