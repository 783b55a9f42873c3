// The only place that turns the path of a route into an address. PUBLIC_URL may have a path of its own
// (`https://paper.example/letters`), and ADMIN_URL may put the console on another host. Mails, feeds and the API use `addressOf`,
// pages write `${to('/archive')}` (web/html.ts), and redirects use `seeOther` (web/place.ts). Routes themselves are written
// without that path. Pure.

/**
 * The owner of a path, by its first word. A `shared` path is answered on both hosts, and a page links to the one that it is on.
 */
type Owner = 'public' | 'console' | 'shared'

/** The first word of every route. tests/rules/base-addresses.test.ts compares it with the routes. */
export const firstWords: Readonly<Record<string, Owner>> = {
  '': 'public',
  about: 'public',
  admin: 'console',
  api: 'public',
  archive: 'public',
  assets: 'shared',
  click: 'public',
  confirm: 'public',
  contact: 'public',
  digest: 'public',
  disclaimer: 'public',
  embed: 'public',
  'embed.js': 'public',
  'favicon.ico': 'shared',
  gazette: 'public',
  healthz: 'shared',
  inbound: 'public',
  less: 'public',
  mailbox: 'public',
  metrics: 'shared',
  preferences: 'public',
  privacy: 'public',
  readyz: 'shared',
  'robots.txt': 'shared',
  'sitemap.xml': 'public',
  subscribe: 'public',
  terms: 'public',
  'theme.css': 'shared',
  unsubscribe: 'public',
  websub: 'public',
}

/** Both without a slash at the end. They are the same if the console has no host of its own. */
export interface Homes {
  publicUrl: string
  adminUrl: string
}
/** The side of a page or a request. */
export type Side = 'public' | 'console'
/** Turns the path of a route into what a page writes. */
export type Links = (path: string) => string

const firstWordOf = (path: string): string => /^\/([^/?#]*)/.exec(path)?.[1] ?? ''

/** A path without a route: `public`. */
export function ownerOf(path: string): Owner {
  const word = firstWordOf(path)
  return Object.hasOwn(firstWords, word) ? firstWords[word]! : 'public'
}

/** The whole address of a route, for mails, feeds, the API and other programs. `path` starts with a slash. */
export function addressOf({ web }: { web: Homes }, path: string): string {
  return (ownerOf(path) === 'console' ? web.adminUrl : web.publicUrl) + path
}

/** How pages of one side write addresses: without the host, except for routes on the other host. */
export function linksOn({ web }: { web: Homes }, side: Side): Links {
  const home = homeOf(web, side)
  const own = pathOf(home)
  return (path) => {
    const address = ownerOf(path) === 'shared' ? home + path : addressOf({ web }, path)
    return address.startsWith(`${home}/`) ? own + address.slice(home.length) : address
  }
}

export function homeOf(web: Homes, side: Side): string {
  return side === 'console' ? web.adminUrl : web.publicUrl
}

/** The side of a request, by its Host header. A console without ADMIN_URL has no host of its own: `public`. */
export function sideOf(web: Homes, host: string | undefined): Side {
  if (!isConsoleApart(web)) return 'public'
  const { protocol, host: consoleHost } = new URL(web.adminUrl)
  return URL.parse(`${protocol}//${host ?? ''}`)?.host === consoleHost ? 'console' : 'public'
}

export function isConsoleApart({ publicUrl, adminUrl }: Homes): boolean {
  return adminUrl !== publicUrl
}

/** The path of an address, without a slash at its end: `` or `/letters`. */
export function pathOf(home: string): string {
  return new URL(home).pathname.replace(/\/+$/, '')
}

/**
 * The route of a request. A proxy may keep the path of PUBLIC_URL or strip it: `/letters/archive?before=7` and `/archive?before=7`
 * are the same.
 */
export function routeOf(home: string, requested: string): string {
  const path = pathOf(home)
  if (path === '' || !requested.startsWith(path) || !/^(?:[/?]|$)/.test(requested.slice(path.length))) return requested
  const rest = requested.slice(path.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

/**
 * What is wrong with a PUBLIC_URL or ADMIN_URL, as a sentence that follows the variable's name; null: nothing. A path that begins
 * like a route is refused: after stripping, its addresses couldn't be told from routes.
 */
export function homeProblem(address: string): string | null {
  const url = URL.parse(address)
  if (!url) return null
  if (url.username || url.password) return 'must not hold a user name or password'
  if (address.includes('?')) return 'must not have a query: leave out the ? and what follows it'
  if (address.includes('#')) return 'must not have a fragment: leave out the # and what follows it'
  const path = pathOf(address)
  if (path.includes('//')) return 'must not have two slashes in a row in its path'
  const word = firstWordOf(path)
  if (word === 'admin')
    return 'must not have a path that begins with /admin: leave it out, the console is there by itself'
  if (word !== '' && Object.hasOwn(firstWords, word))
    return `must not have a path that begins with /${word}, which is an address of this program; take another, such as /letters`
  return null
}
