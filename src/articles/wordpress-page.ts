// What a page of a WordPress site says about it: the address of its API, and the categories that it links to. Also reads the API's
// answer. Pure; the input is from strangers.

import { decodeHTML } from 'entities'
import { addressLength } from './entry.ts'
import { TagScanner } from './html-tags.ts'
import { cleanSpace } from './html-text.ts'
import { plainText } from './plain-text.ts'

export interface WordPressPage {
  /** The address of its API; null: the page doesn't say. */
  api: string | null
  /** Its front page, with a slash at the end. */
  home: string
  /** The categories that the page links to. */
  categories: SiteCategory[]
}

export interface SiteCategory {
  /** null: unknown, as a link doesn't contain it. */
  id: number | null
  name: string
  /** As the site writes it, in any script. */
  slug: string
  /** Number of stories; null: unknown, as a link doesn't contain it. */
  count: number | null
  description: string
  feedUrl: string
  /** WordPress's category for stories without one. */
  isUnfiled: boolean
}

const mostHtml = 3_000_000
const mostTags = 100_000
const mostCategories = 300

/** null: no sign of WordPress. `link`: the Link header. */
export function wordpressOfPage(html: string, pageUrl: string, link?: string): WordPressPage | null {
  let api = apiOfHeader(link, pageUrl)
  let isWordPress = api !== null
  let assets: string | null = null
  const links: PageLink[] = []
  for (const tag of linksOf(html.slice(0, mostHtml))) {
    const url = tag.href && tag.href.length <= addressLength ? URL.parse(tag.href, pageUrl) : null
    if (tag.rel.includes('api.w.org') && url) api ??= url.href
    const asset = url && /^(.*\/)wp-(?:content|includes)\//.exec(url.href)?.[1]
    if (asset && new URL(asset).host === new URL(pageUrl).host) assets ??= asset
    isWordPress ||= asset !== null && asset !== undefined
    isWordPress ||= api !== null || tag.isGenerator
    if (url && links.length < mostTags) links.push({ ...tag, url })
  }
  if (!isWordPress) return null
  const home = (api && homeOfApi(api)) ?? assets ?? new URL('/', pageUrl).href
  return { api, home, categories: linkedCategories(links, home) }
}

interface LinkTag {
  href: string
  rel: string
  title: string
  text: string
  /** The classes of its list item. */
  around: string
  isLink: boolean
  isGenerator: boolean
}
type PageLink = LinkTag & { url: URL }

/** `<a>`, `<link>`, and tags that load files, in the order of the page. The text of an anchor ends at the next `</a>`. */
function* linksOf(html: string): Generator<LinkTag> {
  const tags = new TagScanner(html)
  let around = ''
  let open: LinkTag | null = null
  let textFrom = 0
  let at = html.indexOf('<')
  for (let count = 0; at >= 0 && count < mostTags; count++) {
    const tag = tags.tagAt(at)
    const next = tag?.end ?? at + 1
    const name = tag && tag.name.length <= 6 ? tag.name.toLowerCase() : ''
    if (open && name === 'a') {
      yield { ...open, text: plainText(html.slice(textFrom, Math.min(at, textFrom + 500))) }
      open = null
    }
    if (tag && !tag.isClosing && /^(?:a|link|script|img|meta|li)$/.test(name)) {
      const attribute = attributesOf(tag.attributes)
      if (name === 'li') around = attribute('class')
      const found: LinkTag = {
        href: attribute(name === 'script' || name === 'img' ? 'src' : 'href'),
        rel: attribute('rel'),
        title: plainText(attribute('title')).slice(0, 300),
        text: '',
        around,
        isLink: name === 'link',
        isGenerator: name === 'meta' && /^WordPress\b/i.test(attribute('content')),
      }
      if (name === 'a') [open, textFrom] = [found, next]
      else if (name !== 'li') yield found
    } else if (tag?.isClosing && name === 'li') around = ''
    at = html.indexOf(
      '<',
      tag && !tag.isClosing && /^(?:script|style)$/.test(name) ? endOfCode(html, name, next) : next,
    )
  }
}

/** Skips an element whose content contains no tags. */
function endOfCode(html: string, name: string, from: number): number {
  const end = new RegExp(`</${name}`, 'gi')
  end.lastIndex = from
  return end.exec(html)?.index ?? html.length
}

function attributesOf(written: string): (name: string) => string {
  const text = written.slice(0, 4000)
  return (name) => {
    const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(text)
    return decodeHTML(match?.[1] ?? match?.[2] ?? match?.[3] ?? '').trim()
  }
}

/** `<https://paper.example/wp-json/>; rel="https://api.w.org/"` */
function apiOfHeader(link: string | undefined, pageUrl: string): string | null {
  const part = (link ?? '').split(',').find((one) => one.includes('api.w.org'))
  const named = part && /<([^<>]*)>/.exec(part)?.[1]
  return (named && URL.parse(named, pageUrl)?.href) || null
}

/** Without `wp-json/`, `index.php` and `?rest_route=/`. */
function homeOfApi(api: string): string | null {
  const url = URL.parse(api)
  if (!url || !/^https?:$/.test(url.protocol)) return null
  const path = url.pathname.replace(/(?:index\.php\/?)?(?:wp-json\/?)?$/, '')
  return `${url.origin}${path.endsWith('/') ? path : `${path}/`}`
}

/** The word before a category in addresses, in common languages. */
const categoryPath = /\/(?:categor(?:y|ies?|ias?)|categories|kategorien?|kategoria|rubriken?|rubriques?)\/[^?#]+/i

function linkedCategories(links: readonly PageLink[], home: string): SiteCategory[] {
  const host = (url: URL) => url.host.replace(/^www\./, '')
  const found = new Map<string, SiteCategory>()
  for (const { url, rel, title, text, around, isLink } of links) {
    if (host(url) !== host(new URL(home)) || found.size >= mostCategories) continue
    const id = Number(/^\d{1,9}$/.exec(url.searchParams.get('cat') ?? '')?.[0] ?? 0) || null
    const isFeed = /\/feed\/?$/.test(url.pathname) || url.searchParams.has('feed')
    const isNamed =
      /(?:^|\s)(?:cat-item|menu-item-object-category)(?:\s|$)/.test(around) || /(?:^|\s)category(?:\s|$)/.test(rel)
    if (isLink && !isFeed) continue
    if (id === null && !categoryPath.test(url.pathname) && !(isNamed && url.href !== home)) continue
    const path = url.pathname.replace(/\/(?:feed(?:\/(?:rss2?|atom|rdf))?|page\/\d+)\/?$/, '/')
    const slug = id === null ? decoded(path.split('/').findLast(Boolean) ?? '') : ''
    const feedUrl = feedOfCategory(id === null ? new URL(path + url.search, url).href : url.href, id, home)
    const name = readableName(isLink ? titled(title) : text)
    const known = found.get(feedUrl)
    if (!known)
      found.set(feedUrl, {
        id,
        name: name || readableName(slug.replaceAll('-', ' ')),
        slug,
        count: null,
        description: '',
        feedUrl,
        isUnfiled: isUnfiled(id, slug),
      })
    // A feed's link says "RSS", or nothing; the category's own link says its name.
    else if (name && !isFeed) known.name = name
  }
  return [...found.values()].filter(({ name }) => name !== '')
}

/** "Lantern » Politics Category Feed" */
function titled(title: string): string {
  return /[»›>|]\s*(.+?)\s*(?:category feed|kategorie-feed|feed)?$/i.exec(title)?.[1] ?? ''
}

/** As WordPress builds it: `…/feed/` below the category's page, or `?feed=rss2&cat=3`. */
function feedOfCategory(link: string, id: number | null, home: string): string {
  const url = URL.parse(link)
  const isPlain = !url || url.searchParams.has('cat')
  if (isPlain && id !== null) return `${home}?feed=rss2&cat=${id}`
  const at = url ?? new URL(home)
  at.searchParams.delete('feed')
  at.pathname = `${at.pathname.replace(/\/{1,20}$/, '')}/feed/`
  at.hash = ''
  return at.href
}

/** A parsed answer of /wp/v2/categories. A string: a sentence why it isn't a list of categories. */
export function categoriesOfApi(answer: unknown, home: string): SiteCategory[] | string {
  if (!Array.isArray(answer)) return 'It answered something that is no list of categories.'
  const categories: SiteCategory[] = []
  for (const one of (answer as unknown[]).slice(0, mostCategories)) {
    if (typeof one !== 'object' || one === null) continue
    const { id, name, slug, count, link, description, taxonomy } = one as Record<string, unknown>
    if (!Number.isSafeInteger(id) || typeof name !== 'string' || (taxonomy ?? 'category') !== 'category') continue
    const known = typeof slug === 'string' ? decoded(slug) : ''
    const readable = readableName(name) || readableName(known)
    if (!readable) continue
    const isAddress = typeof link === 'string' && link.length <= addressLength && /^https?:/i.test(link)
    categories.push({
      id: id as number,
      name: readable,
      slug: known,
      count: Number.isSafeInteger(count) ? (count as number) : null,
      description: typeof description === 'string' ? plainText(description.slice(0, 2000)).slice(0, 200) : '',
      feedUrl: feedOfCategory(isAddress ? link : '', id as number, home),
      isUnfiled: isUnfiled(id as number, known),
    })
  }
  return categories.length > 0 || answer.length === 0
    ? categories
    : 'It answered something that is no list of categories.'
}

/** WordPress creates it first, with the number 1, and names it in the site's language. */
function isUnfiled(id: number | null, slug: string): boolean {
  return (
    id === 1 ||
    /^(?:uncategori[sz]ed|allgemein|unkategorisiert|non-classe|sin-categoria|senza-categoria|sem-categoria|geen-categorie)$/.test(
      slug,
    )
  )
}

function readableName(written: string): string {
  return [...cleanSpace(plainText(written.slice(0, 1000)).replace(/[<>\p{Cc}]/gu, ' '))].slice(0, 80).join('').trim()
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.slice(0, 600))
  } catch {
    return text.slice(0, 600)
  }
}
