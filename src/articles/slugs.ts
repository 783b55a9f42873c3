// The names of categories in addresses, forms and programs. A slug contains a letter, because a number in /archive/7 is an
// edition, and isn't `feed`, because /archive/feed.xml is the feed of all categories. Pure.

/** Groups of lower-case letters and digits, joined by hyphens; at least one group contains a letter. */
export const slugPattern = /^([0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*$/
export const longestSlug = 60
const reserved: ReadonlySet<string> = new Set(['feed'])

export function isSlug(text: string): boolean {
  return slugPattern.test(text) && text.length <= longestSlug && !reserved.has(text)
}

/**
 * `World News` → `world-news`, `2024` → `c-2024`, `Feed` → `feed-1`. Letters of other scripts are dropped, so the result may be
 * ''.
 */
export function slugify(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, longestSlug - 2)
    .replace(/-+$/, '')
  if (reserved.has(slug)) return `${slug}-1`
  return /^[0-9-]+$/.test(slug) ? `c-${slug}` : slug
}
