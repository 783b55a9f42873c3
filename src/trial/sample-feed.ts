// The Gazette's feeds, in WordPress's format: excerpt in `description`, the whole text with its picture in `content:encoded`, a
// guid that isn't a link. Pure.

import type { Links } from '../base/addresses.ts'
import { rfcDate } from '../base/dates.ts'
import { sampleCategories, type SampleStory } from './stories.ts'

export const sampleSiteName = 'The Whale Gazette'
/** The path of the sample site. */
export const samplePath = '/gazette'

export const storyPath = (story: Pick<SampleStory, 'slug' | 'publishedAt'>): string =>
  `${samplePath}/${story.publishedAt.toISOString().slice(0, 10).replaceAll('-', '/')}/${story.slug}/`
export const picturePath = (story: Pick<SampleStory, 'slug'>): string => `${samplePath}/pictures/${story.slug}.png`
export const categoryPath = (slug: string): string => `${samplePath}/category/${slug}/`
export const feedPath = (slug: string): string => `${categoryPath(slug)}feed/`

/** RSS 2.0 of one category. */
export function sampleFeed(links: Links, category: { slug: string; name: string }, stories: SampleStory[]): string {
  const newest = stories[0]?.publishedAt
  return `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
	xmlns:content="http://purl.org/rss/1.0/modules/content/"
	xmlns:dc="http://purl.org/dc/elements/1.1/"
	xmlns:atom="http://www.w3.org/2005/Atom"
	xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"
	>

<channel>
	<title>${escapeXml(category.name)} &#8211; ${sampleSiteName}</title>
	<atom:link href="${escapeXml(links(feedPath(category.slug)))}" rel="self" type="application/rss+xml" />
	<link>${escapeXml(links(categoryPath(category.slug)))}</link>
	<description>News of Port Lantern, all of it invented</description>
${newest ? `	<lastBuildDate>${rfcDate(newest)}</lastBuildDate>\n` : ''}	<language>en</language>
	<sy:updatePeriod>hourly</sy:updatePeriod>
	<sy:updateFrequency>6</sy:updateFrequency>
${stories.map((story) => item(links, story)).join('\n')}
</channel>
</rss>
`
}

function item(links: Links, story: SampleStory): string {
  const link = escapeXml(links(storyPath(story)))
  const labels = story.categories.map((slug) => sampleCategories.find((one) => one.slug === slug)?.name ?? slug)
  const more = `<p>The post <a href="${link}">${escapeXml(story.title)}</a> appeared first on <a href="${escapeXml(links(`${samplePath}/`))}">${sampleSiteName}</a>.</p>`
  const picture = `<div><img src="${escapeXml(links(picturePath(story)))}" alt="" width="600" height="338" /></div>`
  return `	<item>
		<title>${escapeXml(story.title)}</title>
		<link>${link}</link>
		<dc:creator>${cdata(story.author)}</dc:creator>
		<pubDate>${rfcDate(story.publishedAt)}</pubDate>
${labels.map((label) => `		<category>${cdata(label)}</category>`).join('\n')}
		<guid isPermaLink="false">https://gazette.example/?story=${story.slug}</guid>
		<description>${cdata(`<p>${escapeXml(story.summary)} [&#8230;]</p>\n${more}`)}</description>
		<content:encoded>${cdata(`${picture}\n${story.body.map((text) => `<p>${escapeXml(text)}</p>`).join('\n')}\n${more}`)}</content:encoded>
	</item>`
}

function cdata(text: string): string {
  return `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`
}

/** Non-ASCII as decimal entities, as WordPress does. */
function escapeXml(text: string): string {
  return text.replace(/[&<>"]|[^\n\x20-\x7e]/gu, (character) => `&#${character.codePointAt(0)};`)
}
