// Feeds by API: their health, adding and changing them, trying one before it is added, polling one now.

import { z } from 'zod'
import { noteAction } from '../../access/audit.ts'
import { listRules, setRules } from '../../articles/feed-rules.ts'
import {
  allowedHosts,
  changeFeed,
  type FeedReport,
  type FeedView,
  getFeed,
  listFeeds,
  removeFeed,
  warningOf,
} from '../../articles/feeds.ts'
import { addFoundFeed } from '../../articles/discover.ts'
import { getCategory } from '../../articles/categories.ts'
import { pollFeed } from '../../articles/poll.ts'
import { listCategories } from '../../articles/store.ts'
import { tryFeedUrl } from '../../articles/try-feed.ts'
import { Refusal } from '../../base/errors.ts'
import { endpoint, intIdParams, listOf } from '../endpoint.ts'
import { feed, polled, rule, timezone, tried } from './feed-shape.ts'
import { feedAddress, slug, text } from './texts.ts'

const slugs = z.array(slug).max(100)

function answerOf(one: FeedView, now: Date) {
  const { id, url, title, state, categories, intervalSeconds, failures, lastError } = one
  const time = (date: Date | null) => date?.toISOString() ?? null
  return {
    id,
    url,
    title,
    state,
    categories,
    lastPolledAt: time(one.lastPolledAt),
    lastSuccessAt: time(one.lastSuccessAt),
    lastNewAt: time(one.lastNewAt),
    nextPollAt: state === 'active' ? time(one.nextPollAt) : null,
    intervalSeconds,
    failures,
    lastError,
    lastReport: (one.lastReport as FeedReport | null) ?? null,
    ignoresDatesAhead: one.ignoresDatesAhead,
    timezone: one.timezone,
    warning: warningOf(one),
    movedFrom: one.movedFrom,
    movedAt: time(one.movedAt),
    hasHub: one.hubExpiresAt !== null && one.hubExpiresAt > now,
  }
}

const shared = { tag: 'feeds', scope: 'articles' } as const

export const feedEndpoints = [
  endpoint({
    ...shared,
    method: 'get',
    path: '/feeds',
    summary: 'All feeds and how they are',
    status: 200,
    answer: listOf(feed),
    async handle(web) {
      const now = web.clock.now()
      return { items: (await listFeeds(web.db)).map((one) => answerOf(one, now)), next: null }
    },
  }),
  endpoint({
    ...shared,
    method: 'post',
    path: '/feeds',
    summary: 'Add a feed, or the one that a page names; it is fetched at the next tick',
    description:
      'The address is looked at: a page that names several feeds is refused with these, and so is what is no feed. One that doesn’t ' +
      'answer now is added as it is given.',
    body: z.strictObject({
      url: feedAddress,
      categories: slugs.default([]),
      title: text(200).optional(),
      ignoresDatesAhead: z.boolean().default(false),
      timezone: timezone.optional(),
    }),
    status: 201,
    answer: feed,
    async handle(web, { body, actor }) {
      const added = await addFoundFeed(web, body)
      await noteAction(web, {
        actor: actor.name,
        action: 'feed.added',
        subject: `feed:${added.id}`,
        detail: { url: added.url },
      })
      return answerOf(added, web.clock.now())
    },
  }),
  endpoint({
    ...shared,
    method: 'post',
    path: '/feeds/try',
    summary: 'What the ingester would make of a feed, or of the feeds that a page names',
    body: z.strictObject({ url: feedAddress, categories: slugs.default([]), timezone: timezone.optional() }),
    status: 200,
    answer: tried,
    async handle(web, { body }) {
      const categories = await listCategories(web.db)
      const feedCategoryIds: number[] = []
      for (const slug of body.categories) feedCategoryIds.push((await getCategory(web, slug, 'categories')).id)
      const tried = await tryFeedUrl(
        body.url,
        { userAgent: web.config.feeds.userAgent, allowHosts: allowedHosts(web.config) },
        {
          now: web.clock.now(),
          firstHours: web.config.feeds.firstHours,
          timezone: body.timezone ?? web.config.digest.timezone,
          mapping: { categories, feedCategoryIds, rules: [] },
        },
      )
      if (tried.outcome !== 'feed') return tried
      const { title, format, siteUrl } = tried.feed
      return { outcome: 'feed', url: tried.url, title, format, siteUrl, entries: tried.entries }
    },
  }),
  endpoint({
    ...shared,
    method: 'get',
    path: '/feeds/:id',
    summary: 'One feed',
    params: intIdParams,
    status: 200,
    answer: feed,
    async handle(web, { params }) {
      return answerOf(await getFeed(web.db, params.id), web.clock.now())
    },
  }),
  endpoint({
    ...shared,
    method: 'patch',
    path: '/feeds/:id',
    summary: 'Move, map, pause or resume it',
    params: intIdParams,
    body: z.strictObject({
      url: feedAddress.optional(),
      title: text(200).optional(),
      categories: slugs.optional(),
      state: z.enum(['active', 'paused']).optional(),
      ignoresDatesAhead: z.boolean().optional(),
      timezone: timezone.optional(),
    }),
    status: 200,
    answer: feed,
    async handle(web, { params, body, actor }) {
      const changed = await changeFeed(web, { id: params.id, ...body })
      await noteAction(web, { actor: actor.name, action: 'feed.changed', subject: `feed:${changed.id}`, detail: body })
      return answerOf(changed, web.clock.now())
    },
  }),
  endpoint({
    ...shared,
    method: 'delete',
    path: '/feeds/:id',
    summary: 'Remove it; its articles stay',
    params: intIdParams,
    status: 204,
    answer: z.undefined(),
    async handle(web, { params, actor }) {
      await removeFeed(web, params.id)
      await noteAction(web, { actor: actor.name, action: 'feed.removed', subject: `feed:${params.id}` })
    },
  }),
  endpoint({
    ...shared,
    method: 'get',
    path: '/feeds/:id/rules',
    summary: 'Its mapping rules, in order',
    params: intIdParams,
    status: 200,
    answer: listOf(rule),
    async handle(web, { params }) {
      await getFeed(web.db, params.id)
      return { items: await listRules(web.db, params.id), next: null }
    },
  }),
  endpoint({
    ...shared,
    method: 'put',
    path: '/feeds/:id/rules',
    summary: 'Replace its mapping rules',
    params: intIdParams,
    body: z.strictObject({ rules: z.array(rule).max(200) }),
    bodyLimit: 1_000_000,
    status: 200,
    answer: listOf(rule),
    async handle(web, { params, body, actor }) {
      await getFeed(web.db, params.id)
      await setRules(web, params.id, body.rules)
      await noteAction(web, { actor: actor.name, action: 'feed.mapped', subject: `feed:${params.id}` })
      return { items: await listRules(web.db, params.id), next: null }
    },
  }),
  endpoint({
    ...shared,
    method: 'post',
    path: '/feeds/:id/poll',
    summary: 'Fetch it now',
    params: intIdParams,
    status: 200,
    answer: polled,
    async handle(web, { params }) {
      const polled = await pollFeed(web, params.id)
      if (!polled) throw new Refusal('not_found', `There is no feed ${params.id}.`)
      return polled
    },
  }),
]
