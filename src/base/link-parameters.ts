// Parameters for the site's analytics on links in mails (LINK_PARAMETERS), such as utm_source=newsletter. Only links to the site
// get them; other sites and the pages of this program don't. They say which edition a link was in, and nothing about a person.
// Pure.

import type { Homes } from './addresses.ts'

export type LinkParameters = readonly (readonly [name: string, value: string])[]

/** Replaced by the number of the edition, or `preview`; in other mails by the name of the mail, such as `welcome`. */
const blank = '{edition}'

/** `utm_source=newsletter&utm_campaign={edition}` as pairs; null: not of that form. */
export function readLinkParameters(given: string): LinkParameters | null {
  const pairs: [string, string][] = []
  for (const part of given.replace(/^\?/, '').split('&').filter(Boolean)) {
    const equals = part.indexOf('=')
    const name = decoded(part.slice(0, Math.max(equals, 0)))
    const value = decoded(part.slice(equals + 1))
    if (!name || value === null || /[{}]/.test(name + value.replaceAll(blank, ''))) return null
    // oxlint-disable-next-line no-control-regex
    if (/[\x00-\x1f\x7f]/.test(name + value) || pairs.some(([other]) => other === name)) return null
    pairs.push([name, value])
  }
  return pairs
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

export interface LinkHomes {
  web: Homes
  site: { url: string; linkParameters: LinkParameters }
}

/**
 * Adds the site's parameters to a link to the site: SITE_URL's host, with or without `www.`, and not below PUBLIC_URL. Query and
 * fragment stay as they are. A parameter that the link already has isn't added.
 */
export function siteLink({ web, site }: LinkHomes, link: string, edition: number | string | null): string {
  if (site.linkParameters.length === 0 || !isOfSite(web, site.url, link)) return link
  const hash = link.indexOf('#')
  const [address, fragment] = hash < 0 ? [link, ''] : [link.slice(0, hash), link.slice(hash)]
  const { searchParams } = new URL(link)
  const added = site.linkParameters
    .filter(([name]) => !searchParams.has(name))
    .map(([name, value]) => {
      const filled = value.replaceAll(blank, String(edition ?? 'preview'))
      return `${encodeURIComponent(name)}=${encodeURIComponent(filled)}`
    })
  if (added.length === 0) return link
  const joint = !address.includes('?') ? '?' : /[?&]$/.test(address) ? '' : '&'
  return address + joint + added.join('&') + fragment
}

function isOfSite(web: Homes, siteUrl: string, link: string): boolean {
  const url = URL.parse(link)
  const site = new URL(siteUrl)
  if (!url || !/^https?:$/.test(url.protocol) || bareHost(url) !== bareHost(site)) return false
  // The trial's site lies below PUBLIC_URL: the longer of the two addresses decides.
  const own = [web.publicUrl, web.adminUrl].map((home) => new URL(home)).filter((home) => isBelow(url, home))
  return own.every((home) => isBelow(url, site) && isBelow(site, home) && site.pathname !== home.pathname)
}

const bareHost = ({ host }: URL): string => host.replace(/^www\./, '')
const withSlash = (path: string): string => `${path.replace(/\/+$/, '')}/`

function isBelow(url: URL, home: URL): boolean {
  return url.host === home.host && withSlash(url.pathname).startsWith(withSlash(home.pathname))
}
