// The categories of a WordPress site, each with its feed: from its API, with counts, otherwise from the links of its pages. The
// result says what couldn't be read.

import type { Fetching } from './look-at.ts'
import { answered, lookAt } from './look-at.ts'
import { parser } from './parser.ts'
import { safeFetch } from './safe-fetch.ts'
import type { SiteCategory, WordPressPage } from './wordpress-page.ts'

export interface WordPressSite {
  home: string
  /** Those with most stories first. */
  categories: SiteCategory[]
  /** Sentences that say what couldn't be read. */
  notes: string[]
}

const perPage = 100
const mostPages = 10

export async function readWordPress(page: WordPressPage, pageUrl: string, fetching: Fetching): Promise<WordPressSite> {
  const { home } = page
  const asked = await askApi(page, fetching)
  if (asked.categories.length > 0) return { home, categories: inOrder(asked.categories), notes: asked.notes }
  let linked = page.categories
  if (linked.length === 0 && pageUrl !== home) {
    const front = await lookAt(home, fetching)
    if (front.outcome === 'page') linked = front.wordpress?.categories ?? []
  }
  const notes = [
    ...asked.notes,
    linked.length > 0
      ? 'These are the categories that its pages link to. There may be more, and how many stories they have isn’t known.'
      : 'Its pages link to no category either.',
  ]
  return { home, categories: withClearNames(linked), notes }
}

/** At the address that the page names, or at the usual ones. */
async function askApi(page: WordPressPage, fetching: Fetching): Promise<Pick<WordPressSite, 'categories' | 'notes'>> {
  const pretty = page.api ?? `${page.home}wp-json/`
  const plain = `${page.home}?rest_route=/`
  let why = ''
  for (const root of new Set([pretty, plain])) {
    const first = await askPage(root, 1, page.home, fetching)
    if ('categories' in first) return askRest(root, first, page.home, fetching)
    why ||= first.why
    // A site that forbids it there forbids it here too.
    if (first.status === 401 || first.status === 403) break
  }
  return { categories: [], notes: [`Its list of categories (WordPress’s API) can’t be read. ${why}`] }
}

interface ApiPage {
  categories: SiteCategory[]
  pages: number
  count: number | null
}

async function askRest(root: string, first: ApiPage, home: string, fetching: Fetching) {
  const categories = new Map(first.categories.map((category) => [category.id, category]))
  const notes: string[] = []
  let { pages } = first
  let read = 1
  while (read < Math.min(pages, mostPages)) {
    const next = await askPage(root, read + 1, home, fetching)
    if (!('categories' in next)) {
      // After the last page WordPress answers 400.
      if (first.count === null && next.status === 400) pages = read
      else notes.push(`Page ${read + 1} of its list of categories can’t be read. ${next.why}`)
      break
    }
    for (const category of next.categories) categories.set(category.id, category)
    pages = Math.max(next.pages, ++read)
  }
  if (read < pages) {
    const of = first.count === null ? '' : ` of ${first.count}`
    notes.push(`Only the first ${categories.size}${of} are shown.`)
  }
  return { categories: [...categories.values()], notes }
}

async function askPage(
  root: string,
  page: number,
  home: string,
  fetching: Fetching,
): Promise<ApiPage | { why: string; status: number | null }> {
  const result = await safeFetch(apiAddress(root, page), { ...fetching, accept: 'application/json' })
  const refused = (why: string) => ({ why, status: null })
  if (result.outcome === 'failed') return refused(result.reason)
  const { status, headers } = result
  if (status < 200 || status > 299) return { why: answered(status), status }
  const categories = await parser.siteCategories(result.bytes, home)
  if (typeof categories === 'string') return refused(categories)
  const count = /^\d{1,9}$/.test(headers['x-wp-total'] ?? '') ? Number(headers['x-wp-total']) : null
  const said = /^\d{1,9}$/.test(headers['x-wp-totalpages'] ?? '') ? Number(headers['x-wp-totalpages']) : null
  // Caches drop headers: then a full page may be followed by another.
  return { categories, pages: said ?? (categories.length >= perPage ? page + 1 : page), count }
}

/** `…/wp-json/wp/v2/categories?…`, or `…?rest_route=/wp/v2/categories&…` */
function apiAddress(root: string, page: number): string {
  const url = new URL(root)
  const route = 'wp/v2/categories'
  if (url.searchParams.has('rest_route')) url.searchParams.set('rest_route', `/${route}`)
  else url.pathname = `${url.pathname.replace(/\/?$/, '/')}${route}`
  const fields = 'id,name,slug,count,link,description,taxonomy'
  const query = { per_page: perPage, page, orderby: 'count', order: 'desc', _fields: fields }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
  return url.href
}

function inOrder(categories: readonly SiteCategory[]): SiteCategory[] {
  return withClearNames(categories).toSorted((a, b) => (b.count ?? 0) - (a.count ?? 0))
}

/** A site may have two categories of one name below different parents. */
function withClearNames(categories: readonly SiteCategory[]): SiteCategory[] {
  const names = new Map<string, number>()
  for (const { name } of categories) names.set(name, (names.get(name) ?? 0) + 1)
  return categories.map((one) => {
    const isClear = names.get(one.name) === 1 || !one.slug
    return isClear ? one : { ...one, name: `${one.name.slice(0, 60)} (${one.slug.slice(0, 17)})` }
  })
}
