// A story on a public page: headline, picture, first lines, byline, and links that share it.

import type { Config } from '../../base/config.ts'
import { shareLinks, type Shared } from '../../base/share-links.ts'
import { shownSource } from '../../articles/source.ts'
import type { Article } from '../../db/schema.ts'
import { safeImage } from '../../digests/story-values.ts'
import { html, safeUrl, type Html, to } from '../html.ts'
import type { PublicFace } from '../page-head.ts'
import type { Section } from '../reads/archive.ts'
import { longDate } from './words.ts'

interface TeaserOptions {
  isLead?: boolean
  isShared?: boolean
}

/** Pictures load when they come into view. Their place is kept by width and height, so nothing moves when they do. */
export function teaser(config: Config, story: Article, { isLead, isShared }: TeaserOptions = {}): Html {
  const source = shownSource(story.source, config.site.name)
  const picture = safeImage(config, story.imageUrl)
  const [width, height] = isLead ? [640, 360] : [160, 120]
  return html`<article class="${['teaser', isLead && 'lead', picture && 'pictured'].filter(Boolean).join(' ')}">
    <h3 dir="auto"><a href="${safeUrl(story.link)}">${story.title}</a></h3>
    ${
      picture && html`<img src="${picture}" alt="${altOf(story)}" width="${width}" height="${height}" loading="lazy" />`
    }
    ${isLead && story.excerpt && html`<p>${story.excerpt}</p>`}
    <p class="byline">
      ${[source, story.author && `By ${story.author}`].filter(Boolean).map((name) => html`${name} · `)}<time
        datetime="${story.publishedAt.toISOString()}"
        >${longDate(config, story.publishedAt)}</time
      >
    </p>
    ${isShared && shareFold(config, { title: story.title, url: safeUrl(story.link) })}
  </article>`
}

/** The headline stands beside the picture: nobody should hear it twice. */
const altOf = ({ imageAlt, title }: Article): string => (imageAlt === title ? '' : (imageAlt ?? ''))

/** A category with its stories, the first of them large. */
export function storySection(config: Config, { name, slug, stories }: Section, options: TeaserOptions = {}): Html {
  return html`<section class="latest" ${slug && html`id="latest-${slug}"`}>
    <h2 class="section-name">${slug ? html`<a href="${to(`/archive/${slug}`)}">${name}</a>` : name}</h2>
    ${stories.length === 0 && html`<p class="calm">No stories yet.</p>`}
    ${stories.map((story, index) => teaser(config, story, { ...options, isLead: index === 0 }))}
  </section>`
}

export function alsoLikeSection(config: Config, stories: readonly Article[]): Html | null {
  if (stories.length === 0) return null
  return html`<section class="latest also-like">
    <h2 class="section-name">You may also like</h2>
    ${stories.map((story) => teaser(config, story))}
  </section>`
}

/** For a whole page. */
export function shareRow(config: Config, shared: Shared): Html | null {
  const links = shareItems(config, shared)
  return (
    links &&
    html`<nav class="share" aria-label="Share this page">
      <p>Share: ${links}</p>
    </nav>`
  )
}

function shareFold(config: Config, shared: Shared): Html | null {
  const links = shareItems(config, shared)
  return (
    links &&
    html`<details class="share">
      <summary>Share<span class="hush">: ${shared.title}</span></summary>
      <p>${links}</p>
    </details>`
  )
}

/** null: the site wants none. */
function shareItems(config: Config, shared: Shared): Html[] | null {
  const links = shareLinks(config.site.shareLinks, shared)
  if (links.length === 0) return null
  return links.map(({ name, url }) => html`<a href="${url}" rel="nofollow">${name}</a> `)
}

/** The picture that a page is shared with: the first of its stories that has one. */
export function pictureOf(config: Config, stories: readonly Article[]): PublicFace['picture'] {
  for (const story of stories) {
    const url = safeImage(config, story.imageUrl)
    if (url) return { url, alt: story.imageAlt ?? story.title }
  }
  return null
}
