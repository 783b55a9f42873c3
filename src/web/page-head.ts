// The head of a public page for search engines, networks and feed readers: its canonical address, description, picture, and feeds.
// Pages with a token have none of it.

import { addressOf } from '../base/addresses.ts'
import type { Config } from '../base/config.ts'
import { languagesOf, type Say } from '../messages/messages.ts'
import { html, type Html } from './html.ts'
import { withLanguage } from './language.ts'

/** The route of this page, whatever address led to it: the canonical link. */
export interface PublicFace {
  /** The route that this page has whatever led to it: the canonical link. */
  path: string
  /** A picture of its subject; default: the site's logo, otherwise the program's icon. */
  description: string
  /** A picture that shows what it is about; default: the site's logo, else the program's icon. */
  picture?: { url: string; alt: string } | null
  /** Listed next to the feeds of all categories. */
  publishedAt?: Date
  /** Announced beside the feeds of all categories. */
  category?: { slug: string; name: string }
}

const feedTypes = { 'feed.xml': 'application/rss+xml', 'feed.json': 'application/feed+json' } as const

/** `asked`: the language that the address names. Without one, a page has its address alone and each reader's language. */
export function publicHead(
  config: Config,
  title: string,
  face: PublicFace,
  { say, asked }: { say: Say; asked: string | null },
): Html {
  const { site } = config
  const addressIn = (language: string) => addressOf(config, withLanguage(face.path, language))
  const address = asked ? addressIn(asked) : addressOf(config, face.path)
  const picture = face.picture ?? { url: site.logoUrl ?? addressOf(config, '/assets/icon-512.png'), alt: site.name }
  return html`<link rel="canonical" href="${address}" />
    <meta name="description" content="${face.description}" />
    ${languagesOf(config).map(
      (language) => html`<link rel="alternate" hreflang="${language}" href="${addressIn(language)}" />`,
    )}
    <link rel="alternate" hreflang="x-default" href="${addressOf(config, face.path)}" />
    <meta property="og:locale" content="${networkLocale(say.locale)}" />
    <meta property="og:site_name" content="${site.name}" />
    <meta property="og:type" content="${face.publishedAt ? 'article' : 'website'}" />
    <meta property="og:title" content="${title}" />
    <meta property="og:description" content="${face.description}" />
    <meta property="og:url" content="${address}" />
    <meta property="og:image" content="${picture.url}" />
    <meta property="og:image:alt" content="${picture.alt}" />
    ${face.publishedAt && html`<meta property="article:published_time" content="${face.publishedAt.toISOString()}" />`}
    <meta name="twitter:card" content="${face.picture ? 'summary_large_image' : 'summary'}" />
    ${face.category && feedLinks(config, `${face.category.name} – ${site.name}`, `/archive/${face.category.slug}`)}
    ${feedLinks(config, site.name, '/archive')}`
}

function feedLinks(config: Config, title: string, folder: string): Html[] {
  return Object.entries(feedTypes).map(
    ([file, type]) =>
      html`<link rel="alternate" type="${type}" title="${title}" href="${addressOf(config, `${folder}/${file}`)}" />`,
  )
}

/** As Open Graph writes it, with a country: de → de_DE. */
function networkLocale(tag: string): string {
  const { language, region } = new Intl.Locale(tag).maximize()
  return `${language}_${region}`
}
