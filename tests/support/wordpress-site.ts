// A WordPress site on loopback: front page, API and category feeds, with whatever a real one may lack. What it says is fiction.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type FeedServer, openFeedServer, rss } from './feed-server.ts'

export interface Term {
  id: number
  /** As WordPress writes it: with entities. */
  name: string
  slug: string
  count: number
}

export interface WordPressOptions {
  /** What /wp-json answers. `junk`: PHP's warnings instead of JSON. */
  api?: 'on' | 'off' | 'forbidden' | 'junk' | 'broken' | 'not-a-list' | 'html'
  /** Addresses as ?cat=3 instead of /category/politics/. */
  isPlain?: boolean
  /** Where it is installed: '/', '/news/'. */
  home?: string
  /** Whether its pages name the API. */
  isNamed?: boolean
  /** Which categories the menu links to. */
  menu?: readonly string[]
  /** Slugs whose feed answers 500. */
  brokenFeeds?: readonly string[]
  /** Whether the API says how many pages it has. */
  hasTotals?: boolean
  /** The page of the API that fails. */
  failingPage?: number
}

export const usualTerms: readonly Term[] = [
  { id: 1, name: 'Uncategorized', slug: 'uncategorized', count: 4 },
  { id: 3, name: 'Politics &amp; Society', slug: 'politics', count: 41 },
  { id: 4, name: 'World', slug: 'world', count: 120 },
  { id: 5, name: 'Weather', slug: 'weather', count: 0 },
  { id: 6, name: 'Спорт', slug: '%d1%81%d0%bf%d0%be%d1%80%d1%82', count: 9 },
  { id: 7, name: 'Gesellschaft &#038; Küche', slug: 'gesellschaft-kueche', count: 3 },
]

export interface WordPress extends FeedServer {
  /** The front page. */
  url: string
  /** Where this category's feed is. */
  feedOf(slug: string): string
}

export async function openWordPress(
  options: WordPressOptions = {},
  terms: readonly Term[] = usualTerms,
): Promise<WordPress> {
  const server = await openFeedServer()
  const home = options.home ?? '/'
  const linkOf = (term: Term) =>
    options.isPlain ? `${server.origin}${home}?cat=${term.id}` : `${server.origin}${home}category/${term.slug}/`
  const feedOf = (term: Term) =>
    options.isPlain ? `${server.origin}${home}?feed=rss2&cat=${term.id}` : `${linkOf(term)}feed/`
  server.answer = (request, response) => {
    const url = new URL(request.url!, server.origin)
    const path = url.pathname.startsWith(home) ? url.pathname.slice(home.length) : null
    const route = url.searchParams.get('rest_route') ?? /^wp-json(\/.*)?$/.exec(path ?? '')?.[1] ?? null
    if (path === null) return void response.writeHead(404).end()
    const isPretty = path.startsWith('wp-json')
    if (isPretty && options.isPlain) return void response.writeHead(404).end('<html>Not found</html>')
    if (route !== null) return answerApi(route, url, response)
    const term = terms.find((one) =>
      options.isPlain ? url.searchParams.get('cat') === String(one.id) : path === `category/${one.slug}/feed/`,
    )
    const isFeed = options.isPlain ? url.searchParams.has('feed') : path.endsWith('feed/')
    if (isFeed && term && options.brokenFeeds?.includes(term.slug)) return void response.writeHead(500).end()
    if (isFeed && (term || path === 'feed/' || url.searchParams.get('feed') === 'rss2'))
      return void response
        .setHeader('content-type', 'application/rss+xml')
        .end(term?.count === 0 ? rss([]) : rss([{ title: 'A story', link: `${server.origin}/s/${term?.id ?? 0}` }]))
    if (path === '') return void response.setHeader('content-type', 'text/html').end(frontPage(request))
    response.writeHead(404).end()
  }

  function answerApi(route: string, url: URL, response: ServerResponse): void {
    const { api = 'on' } = options
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (api === 'off') return void json(404, { code: 'rest_no_route', message: 'No route.' })
    if (api === 'forbidden') return void json(401, { code: 'rest_forbidden', message: 'Only for members.' })
    if (api === 'html') return void response.setHeader('content-type', 'text/html').end('<html>Our front page</html>')
    if (api === 'junk') return void response.end('<br />Warning: Undefined array key in /srv/plugin.php')
    if (api === 'broken') return void response.end('[{"id":3,"name":"Poli')
    if (api === 'not-a-list') return void json(200, { code: 'maintenance' })
    if (route !== '/wp/v2/categories') return void json(200, { name: 'The Lantern' })
    const page = Number(url.searchParams.get('page') ?? 1)
    const size = Number(url.searchParams.get('per_page') ?? 10)
    const pages = Math.ceil(terms.length / size)
    if (page === options.failingPage) return void json(503, {})
    if (page > pages) return void json(400, { code: 'rest_post_invalid_page_number' })
    if (options.hasTotals !== false) {
      response.setHeader('X-WP-Total', terms.length)
      response.setHeader('X-WP-TotalPages', pages)
    }
    json(
      200,
      terms.slice((page - 1) * size, page * size).map((term) => ({
        ...term,
        link: linkOf(term),
        description: '<p>All about it.</p>',
        taxonomy: 'category',
      })),
    )
  }

  function frontPage(_request: IncomingMessage): string {
    const api = options.isPlain ? `${home}index.php?rest_route=/` : `${home}wp-json/`
    const feed = (name: string, comments: boolean) =>
      options.isPlain ? `${home}?feed=${comments ? 'comments-' : ''}rss2` : `${home}${comments ? 'comments/' : ''}feed/`
    const menu = terms.filter((term) => options.menu?.includes(term.slug))
    return `<!DOCTYPE html><html lang="en"><head><title>The Lantern</title>
<link rel="alternate" type="application/rss+xml" title="The Lantern &raquo; Comments Feed" href="${feed('', true)}" />
<link rel="alternate" type="application/rss+xml" title="The Lantern &raquo; Feed" href="${feed('', false)}" />
${options.isNamed === false ? '' : `<link rel="https://api.w.org/" href="${server.origin}${api}" />`}
<link rel='stylesheet' href='${home}wp-content/themes/lantern/style.css' />
<script>var a = '<a href="/category/not-a-link/">No</a>'</script></head><body><ul>
<li class="menu-item menu-item-home"><a href="${home}">Home</a></li>
${menu.map((term) => `<li class="cat-item cat-item-${term.id}"><a href="${linkOf(term)}">${term.name}</a> <a href="${feedOf(term)}">RSS</a></li>`).join('\n')}
<li><a href="https://elsewhere.example/category/other/">Elsewhere</a></li></ul>
<a href="${home}about/">About</a></body></html>`
  }

  return Object.assign(server, {
    url: `${server.origin}${home}`,
    feedOf: (slug: string) => new URL(feedOf(terms.find((term) => term.slug === slug)!)).href,
  })
}
