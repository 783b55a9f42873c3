// A story on a public page: headline, picture, first lines, byline, and links that share it.

import { categoryName } from '../../articles/category-names.ts'
import type { Config } from '../../base/config.ts'
import { directionOf, isolate } from '../../base/direction.ts'
import { shareLinks, type Shared } from '../../base/share-links.ts'
import { shownSource } from '../../articles/source.ts'
import type { Article } from '../../db/schema.ts'
import type { Say } from '../../messages/messages.ts'
import { safeImage } from '../../digests/story-values.ts'
import { html, safeUrl, type Html, to } from '../html.ts'
import type { PublicFace } from '../page-head.ts'
import type { Section } from '../reads/archive.ts'

interface TeaserOptions {
  isLead?: boolean
  isShared?: boolean
}

/** Pictures load when they come into view. Their place is kept by width and height, so nothing moves when they do. Title, excerpt and
 * byline each have the direction of their own first letter. */
export function teaser(config: Config, say: Say, story: Article, { isLead, isShared }: TeaserOptions = {}): Html {
  const picture = safeImage(config, story.imageUrl)
  const [width, height] = isLead ? [640, 360] : [160, 120]
  return html`<article class="${['teaser', isLead && 'lead', picture && 'pictured'].filter(Boolean).join(' ')}">
    <h3 ${spoken(config, say, story.title)}><a href="${safeUrl(story.link)}">${story.title}</a></h3>
    ${
      picture && html`<img src="${picture}" alt="${altOf(story)}" width="${width}" height="${height}" loading="lazy" />`
    }
    ${isLead && story.excerpt && html`<p ${spoken(config, say, story.excerpt)}>${story.excerpt}</p>`}
    ${byline(config, say, story)}
    ${isShared && shareFold(config, say, { title: story.title, url: safeUrl(story.link) })}
  </article>`
}

/** The attributes of a story's text: its direction, and its language where the page is in another one. Stories are in the site's
 * language, unless their letters run the other way. */
export function spoken({ site }: Config, say: Say, text: string): Html {
  const dir = directionOf(text, say.dir)
  const own = new Intl.Locale(site.locale)
  const isForeign = own.language !== new Intl.Locale(say.locale).language
  return isForeign && own.getTextInfo().direction === dir
    ? html`lang="${site.locale}" dir="${dir}"`
    : html`dir="${dir}"`
}

/** "The Gazette · By Ada Byron · 2 March 2026". Its first part gives the direction, and the others keep their order. */
function byline(config: Config, say: Say, { source, author, publishedAt }: Article): Html {
  const names = [shownSource(source, config.site.name), author && say('archive.author', { author })].flatMap(
    (name) => name || [],
  )
  const date = say.date(publishedAt, 'date', config.digest.timezone)
  const dir = directionOf([...names, date].join(' '), say.dir)
  return html`<p class="byline" dir="${dir}">
    ${names.map((name) => `${isolate(name, dir)} · `)}<time datetime="${publishedAt.toISOString()}"
      >${isolate(date, dir)}</time
    >
  </p>`
}

/** The headline stands beside the picture: nobody should hear it twice. */
const altOf = ({ imageAlt, title }: Article): string => (imageAlt === title ? '' : (imageAlt ?? ''))

/** A category with its stories, the first of them large. */
export function storySection(config: Config, say: Say, section: Section, options: TeaserOptions = {}): Html {
  const { slug, stories } = section
  const name = categoryName(section, say.locale)
  const title = slug ? html`<a href="${to(`/archive/${slug}`)}">${name}</a>` : name
  return html`<section class="latest" ${slug && html`id="latest-${slug}"`}>
    <h2 class="section-name" dir="${directionOf(name, say.dir)}">${title}</h2>
    ${stories.length === 0 && html`<p class="calm">${say('archive.noStories')}</p>`}
    ${stories.map((story, index) => teaser(config, say, story, { ...options, isLead: index === 0 }))}
  </section>`
}

export function alsoLikeSection(config: Config, say: Say, stories: readonly Article[]): Html | null {
  if (stories.length === 0) return null
  return html`<section class="latest also-like">
    <h2 class="section-name">${say('archive.alsoLike')}</h2>
    ${stories.map((story) => teaser(config, say, story))}
  </section>`
}

/** For a whole page. */
export function shareRow(config: Config, say: Say, shared: Shared): Html | null {
  const links = shareItems(config, say, shared)
  return (
    links &&
    html`<nav class="share" aria-label="${say('archive.sharePage')}">
      <p>${say.rich('archive.share', { links })}</p>
    </nav>`
  )
}

function shareFold(config: Config, say: Say, shared: Shared): Html | null {
  const links = shareItems(config, say, shared)
  return (
    links &&
    html`<details class="share">
      <summary>
        ${say.rich('archive.shareStory', {
          title: shared.title,
          hidden: (within: (string | Html)[]) => html`<span class="hush">${within}</span>`,
        })}
      </summary>
      <p>${links}</p>
    </details>`
  )
}

/** null: the site wants none. */
function shareItems(config: Config, say: Say, shared: Shared): Html | null {
  const links = shareLinks(config.site.shareLinks, shared)
  if (links.length === 0) return null
  const nameOf = (network: string, name: string) => (network === 'mail' ? say('archive.shareByMail') : name)
  return html`${links.map(
    ({ network, name, url }) => html`<a href="${url}" rel="nofollow">${nameOf(network, name)}</a> `,
  )}`
}

/** The picture that a page is shared with: the first of its stories that has one. */
export function pictureOf(config: Config, stories: readonly Article[]): PublicFace['picture'] {
  for (const story of stories) {
    const url = safeImage(config, story.imageUrl)
    if (url) return { url, alt: story.imageAlt ?? story.title }
  }
  return null
}
