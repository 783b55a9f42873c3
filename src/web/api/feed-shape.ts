// Feeds in the API: a feed, the result of a poll, the result of a try, a mapping rule.

import { z } from 'zod'
import { prose, slug } from './texts.ts'

const at = z.iso.datetime().nullable()
const report = z
  .object({
    at: z.iso.datetime(),
    entries: z.int(),
    taken: z.int(),
    changed: z.int(),
    unchanged: z.int(),
    ignored: z.int(),
    later: z.int().optional().meta({ description: 'of the ignored: dated so far ahead that they are taken later' }),
    reasons: z.array(z.object({ title: z.string(), why: z.string() })),
  })
  .meta({ id: 'FeedReport' })

export const timezone = prose(64).nullable()

export const feed = z
  .object({
    id: z.int(),
    url: z.string(),
    title: z.string(),
    state: z.enum(['active', 'paused', 'gone']),
    categories: z.array(z.string()),
    lastPolledAt: at,
    lastSuccessAt: at,
    lastNewAt: at,
    nextPollAt: at,
    intervalSeconds: z.int(),
    failures: z.int().meta({ description: 'in a row' }),
    lastError: z.string().nullable(),
    lastReport: report.nullable(),
    ignoresDatesAhead: z.boolean().meta({ description: 'its stories never wait: a date ahead counts as none' }),
    timezone: z.string().nullable().meta({ description: 'of its dates without one; null: the site’s' }),
    warning: z.string().nullable().meta({ description: 'what seems wrong with it although it can be read' }),
    movedFrom: z.string().nullable().meta({ description: 'its address before it moved for good' }),
    movedAt: at,
    hasHub: z.boolean().meta({ description: 'a WebSub hub tells us of news' }),
  })
  .meta({ id: 'Feed' })

const triedEntry = z
  .object({
    format: z.string(),
    title: z.string().nullable(),
    link: z.string().nullable(),
    guid: z.string().nullable(),
    publishedAt: z.iso.datetime(),
    dateSource: z.enum(['feed', 'first-seen']),
    categories: z.array(z.string()).meta({ description: 'the item’s own categories, as its feed wrote them' }),
    mappedTo: z.array(z.string()).meta({ description: 'ours' }),
    mappedBecause: z.array(z.string()).meta({ description: 'why, for each of mappedTo: the feed, a label or a rule' }),
    author: z.string().nullable(),
    source: z.string().nullable().meta({ description: 'the site or paper that the item itself names' }),
    excerpt: z.string(),
    cut: z.array(z.string()).meta({ description: 'what was left out of the excerpt' }),
    image: z.string().nullable(),
    imageAlt: z.string().nullable(),
    imageNote: z.string().nullable().meta({ description: 'where the picture comes from, and whether a mail shows it' }),
    verdict: z.string(),
    sendableAt: at.meta({ description: 'when it can be in a mail; null: it is not taken' }),
  })
  .meta({ id: 'TriedEntry' })

export const tried = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('feed'),
    url: z.string(),
    title: z.string(),
    format: z.string(),
    siteUrl: z.string().nullable(),
    entries: z.array(triedEntry),
  }),
  z.object({
    outcome: z.literal('page'),
    url: z.string(),
    feeds: z.array(z.object({ url: z.string(), title: z.string() })),
  }),
  z.object({ outcome: z.literal('refused'), reason: z.string() }),
])

export const polled = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('polled'), report }),
  z.object({ outcome: z.literal('not-modified') }),
  z.object({ outcome: z.literal('failed'), reason: z.string() }),
  z.object({ outcome: z.literal('gone') }),
])

export const rule = z.strictObject({
  field: z.enum(['label', 'title', 'link']),
  match: z
    .enum(['equals', 'begins', 'contains'])
    .optional()
    .meta({ description: 'default: equals for a label, contains for title and link' }),
  pattern: prose(200),
  scheme: prose(200).nullable().optional().meta({ description: 'the domain (Atom: scheme) of a label; null: any' }),
  category: slug.nullable().meta({ description: 'null leaves the item out' }),
})
