// What every page and every mail of a news site leads to in its footer. Each address is the site's own where it is configured
// (ABOUT_URL, CONTACT_URL, …), else a page of ours with a text that is true of every newsletter. Pure.

import type { Config } from './config.ts'
import { formatDate } from './dates.ts'

/** `key` is the route of our own page, too: `/about`. */
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

/** In the order in which footers show them. */
export function siteLinks({ site }: Pick<Config, 'site'>): SiteLink[] {
  return siteLinkKeys.map((key) => ({ key, name: names[key], url: site[`${key}Url`] }))
}

/** © 2026 The Whale Gazette */
export function copyrightLine({ site, digest }: Pick<Config, 'site' | 'digest'>, at: Date): string {
  return `© ${formatDate(at, 'year', digest.timezone, 'en')} ${site.name}`
}
