// Many feeds at once by API: a list from another program (OPML), or the categories of a WordPress site. The command line and the
// console use the same functions.

import { z } from 'zod'
import { discoverFeed } from '../../articles/discover.ts'
import { importFeeds, planImport } from '../../articles/feed-import.ts'
import { listFeeds } from '../../articles/feeds.ts'
import { parser } from '../../articles/parser.ts'
import { addSiteCategories, chooseCategories, mostChosen, slugFor } from '../../articles/site-categories.ts'
import { invalid } from '../../base/errors.ts'
import { endpoint } from '../endpoint.ts'
import type { WebContext } from '../web-context.ts'
import { feedAddress, prose, text } from './texts.ts'

const shared = { tag: 'feeds', scope: 'articles', status: 200 } as const

const listed = z
  .object({
    url: z.string(),
    title: z.string(),
    categories: z.array(z.string()).meta({ description: 'names, from the folders of the list' }),
    state: z.enum(['added', 'duplicate', 'refused']).meta({ description: 'with `dryRun`: what it would be' }),
    why: z.string().nullable(),
  })
  .meta({ id: 'ListedFeed' })

const siteCategory = z
  .object({
    name: z.string(),
    slug: z.string().meta({ description: 'the slug that it gets here, if we have no category of its name' }),
    stories: z.int().nullable().meta({ description: 'null: not known' }),
    feedUrl: z.string(),
    feedId: z.int().nullable().meta({ description: 'null: we don’t follow its feed' }),
    isUnfiled: z.boolean().meta({ description: 'where WordPress puts what nobody has filed' }),
  })
  .meta({ id: 'SiteCategory' })

async function readSite(web: WebContext, url: string) {
  const found = await discoverFeed(web, url, { orSite: true })
  if (found.outcome === 'site') return found
  const note = found.outcome === 'feed' ? (found.note ?? '') : ''
  throw invalid('url', `${url} is not a WordPress site whose categories can be read. ${note}`.trim())
}

export const feedSourceEndpoints = [
  endpoint({
    ...shared,
    method: 'post',
    path: '/feeds/opml',
    summary: 'Add the feeds of a list that another program exported (OPML)',
    description:
      'Folders become categories, made where they don’t exist. Feeds that are there already are left as they are.',
    body: z.strictObject({
      opml: text(2_000_000).meta({ description: 'the text of the file' }),
      dryRun: z.boolean().default(false).meta({ description: 'say what would happen, change nothing' }),
    }),
    bodyLimit: 5_000_000,
    answer: z.object({ feeds: z.array(listed), newCategories: z.array(z.string()) }),
    async handle(web, { body, actor }) {
      const list = await parser.feedList(Buffer.from(body.opml))
      if (typeof list === 'string') throw invalid('opml', list)
      const plan = body.dryRun ? await planImport(web, list) : await importFeeds(web, list, actor.name)
      const feeds = plan.feeds.map(({ url, title, categories, why, isDuplicate }) => ({
        url,
        title,
        categories,
        state: why === null ? 'added' : isDuplicate ? 'duplicate' : 'refused',
        why,
      }))
      return { feeds, newCategories: plan.newCategories }
    },
  }),
  endpoint({
    ...shared,
    method: 'get',
    path: '/feeds/wordpress',
    summary: 'The categories of a WordPress site, each with its feed',
    query: z.object({ url: feedAddress }),
    answer: z.object({
      home: z.string(),
      categories: z.array(siteCategory),
      notes: z.array(z.string()).meta({ description: 'what could not be read' }),
    }),
    async handle(web, { query }) {
      const { site } = await readSite(web, query.url)
      const there = new Map((await listFeeds(web.db)).map((feed) => [feed.url, feed.id]))
      const categories = site.categories.map((one) => ({
        name: one.name,
        slug: slugFor(one),
        stories: one.count,
        feedUrl: one.feedUrl,
        feedId: there.get(one.feedUrl) ?? null,
        isUnfiled: one.isUnfiled,
      }))
      return { home: site.home, categories, notes: site.notes }
    },
  }),
  endpoint({
    ...shared,
    method: 'post',
    path: '/feeds/wordpress',
    summary: 'Make categories of a WordPress site ours, each with its feed',
    description:
      'One that is ours already, by name or slug, gets the feed. A feed that can’t be read brings no category along.',
    body: z.strictObject({
      url: feedAddress,
      categories: z.array(prose(200)).max(mostChosen).default([]).meta({ description: 'their names or slugs' }),
      all: z.boolean().default(false).meta({ description: 'all that have stories' }),
    }),
    answer: z.object({
      added: z.array(
        z.object({
          feedId: z.int(),
          url: z.string(),
          slug: z.string(),
          name: z.string(),
          isNew: z.boolean().meta({ description: 'we had no such category' }),
        }),
      ),
      left: z.array(z.object({ name: z.string(), url: z.string(), why: z.string() })),
    }),
    async handle(web, { body, actor }) {
      const { site } = await readSite(web, body.url)
      const chosen = chooseCategories(site.categories, body.categories, { all: body.all, field: 'categories' })
      if (chosen.length === 0) throw invalid('categories', 'Name at least one category, or say `all`.')
      return addSiteCategories(web, chosen, actor.name)
    },
  }),
]
