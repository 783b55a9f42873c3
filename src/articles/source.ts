// The source of a story: the name of its site without the rest of its feed's title ("Politics – The Whale Gazette"). Pure.

import { canonicalHost } from './canonical-link.ts'
import { labelKey } from './label-keys.ts'

/**
 * The name of a site from the title of one of its feeds. The part that matches the address is used; otherwise the usual order
 * decides.
 */
export function siteNameOf(feedTitle: string, siteUrl: string | null): string | null {
  const title = feedTitle.trim().slice(0, 300)
  const parts = partsOf(title)
  if (parts.length < 2) return title || null
  const host = letters(canonicalHost((siteUrl && URL.parse(siteUrl)?.hostname) || '').replace(/\.[^.]*$/, ''))
  const byHost = parts.find((part) => {
    const name = letters(part).replace(/^the/, '')
    return name.length >= 3 && host.length >= 3 && (host.includes(name) || name.includes(host))
  })
  // WordPress writes "Site » Category", most others "Category – Site".
  return byHost ?? (title.includes('»') ? parts[0]! : parts.at(-1)!)
}

/** null: the source is this site, which subscribers know. */
export function shownSource(source: string | null, siteName: string): string | null {
  if (!source) return null
  const own = bareName(siteName)
  return [source, ...partsOf(source.slice(0, 300))].some((part) => bareName(part) === own) ? null : source
}

function partsOf(title: string): string[] {
  return title
    .split(/ [–—|»«›·:-] | ?[|»›] ?|: /)
    .map((part) => part.trim())
    .filter(Boolean)
}

function bareName(name: string): string {
  return labelKey(name).replace(/^the /, '')
}

function letters(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
}
