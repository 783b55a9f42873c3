// The footer links of every page and mail. Each address is the site's own if it is configured (ABOUT_URL, CONTACT_URL, …).
// Otherwise it is a page of ours with a text that is true of every newsletter. Pure.

import type { Config } from './config.ts'
import { formatDate } from './dates.ts'

/** `key` is also the route of our own page: `/about`. */
export const siteLinkKeys = ['about', 'contact', 'privacy', 'terms', 'disclaimer'] as const
export type SiteLinkKey = (typeof siteLinkKeys)[number]

export interface SiteLink {
  key: SiteLinkKey
  name: string
  /** http(s), or mailto for a contact. */
  url: string
}

const names: Record<SiteLinkKey, string> = {
  about: 'About',
  contact: 'Contact',
  privacy: 'Privacy',
  terms: 'Terms',
  disclaimer: 'Disclaimer',
}

/** In the order of footers. */
export function siteLinks({ site }: Pick<Config, 'site'>): SiteLink[] {
  return siteLinkKeys.map((key) => ({ key, name: names[key], url: site[`${key}Url`] }))
}

/** © 2026 The Whale Gazette */
export function copyrightLine({ site, digest }: Pick<Config, 'site' | 'digest'>, at: Date): string {
  return `© ${formatDate(at, 'year', digest.timezone, 'en')} ${site.name}`
}
