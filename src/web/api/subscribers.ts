// Subscribers by API. A subscriber who is added here must confirm by mail like everybody else.

import { z } from 'zod'
import { noteAction } from '../../access/audit.ts'
import { Refusal } from '../../base/errors.ts'
import { listCategories } from '../../articles/store.ts'
import { frequencies, subscriberStatuses } from '../../db/schema.ts'
import { chosen, readChoices, readTimezone } from '../../subscribers/choices.ts'
import { eraseSubscriber } from '../../subscribers/erase.ts'
import { endOlderLinks } from '../../subscribers/generation.ts'
import { personalData } from '../../subscribers/personal-data.ts'
import { changePreferences, readLocale } from '../../subscribers/preferences.ts'
import { readAddress, subscribe } from '../../subscribers/subscribe.ts'
import { findObstacleAt } from '../../subscribers/standing.ts'
import { unsubscribe } from '../../subscribers/unsubscribe.ts'
import { endpoint, idParams, listOf, pageQuery } from '../endpoint.ts'
import {
  findShownSubscriber,
  findSubscribersByAddress,
  listSubscribers,
  type ShownSubscriber,
} from '../reads/subscribers.ts'
import type { WebContext } from '../web-context.ts'
import { pageOf, readCursor } from './cursors.ts'
import { emailAddress, language, slug, text, timeZone, webAddress } from './texts.ts'

const at = z.iso.datetime().nullable()
const subscriber = z
  .object({
    id: z.int(),
    email: z.string(),
    status: z.enum(subscriberStatuses),
    subscriptions: z.array(
      z.object({ category: z.string(), name: z.string(), frequency: z.enum(frequencies), position: z.int() }),
    ),
    requested: z
      .object({
        at: z.iso.datetime(),
        isExpired: z.boolean().meta({ description: 'the link in its mail is too old' }),
        subscriptions: z.array(z.object({ category: z.string(), name: z.string(), frequency: z.enum(frequencies) })),
      })
      .nullable()
      .meta({ description: 'what was chosen in a sign-up that isn’t confirmed yet' }),
    locale: z.string().nullable(),
    timezone: z.string().nullable(),
    sendHour: z.int().nullable(),
    weeklyDay: z.int().nullable(),
    monthlyDay: z.int().nullable(),
    pausedUntil: at,
    nextDueAt: at,
    createdAt: z.iso.datetime(),
    confirmedAt: at,
    unsubscribedAt: at,
  })
  .meta({ id: 'Subscriber', description: 'null in locale, timezone, sendHour and the days: the site’s own.' })

export const frequency = z
  .record(slug, z.enum([...frequencies, 'off']))
  .meta({ description: 'category slug → frequency', example: { politics: 'daily', investing: 'weekly' } })

const changes = z.strictObject({
  frequency: frequency.optional().meta({ description: 'categories that aren’t named keep their frequency' }),
  order: z.array(slug).max(200).optional(),
  timezone: timeZone.nullable().optional(),
  locale: language.nullable().optional(),
  sendHour: z.int().min(0).max(23).nullable().optional(),
  weeklyDay: z.int().min(1).max(7).nullable().optional(),
  monthlyDay: z.int().min(1).max(31).nullable().optional(),
  pausedUntil: z.iso.datetime({ offset: true }).regex(/^2/, 'is not a time of this millennium').nullable().optional(),
})

const scope = 'subscribers' as const
const tag = 'subscribers'

function show({ subscriptions, request, ...row }: ShownSubscriber) {
  const { id, email, status, locale, timezone, sendHour, weeklyDay, monthlyDay } = row
  const { pausedUntil, nextDueAt, createdAt, confirmedAt, unsubscribedAt } = row
  return {
    id,
    email,
    status,
    subscriptions: subscriptions.map((line, position) => ({
      category: line.slug,
      name: line.name,
      frequency: line.frequency,
      position,
    })),
    requested: request && {
      at: request.requestedAt.toISOString(),
      isExpired: request.isExpired,
      subscriptions: request.choices.map(({ slug, name, frequency }) => ({ category: slug, name, frequency })),
    },
    locale,
    timezone,
    sendHour,
    weeklyDay,
    monthlyDay,
    pausedUntil,
    nextDueAt,
    createdAt,
    confirmedAt,
    unsubscribedAt,
  }
}

const unknown = (id: number) => new Refusal('not_found', `There is no subscriber ${id}.`)

async function showOne(web: WebContext, id: number) {
  const row = await findShownSubscriber(web, id)
  if (!row) throw unknown(id)
  return show(row)
}

export const subscriberEndpoints = [
  endpoint({
    method: 'get',
    path: '/subscribers',
    scope,
    tag,
    summary: 'Subscribers, newest first, or the one with an address',
    query: pageQuery.extend({ email: text(320).optional(), status: z.enum(subscriberStatuses).optional() }),
    status: 200,
    answer: listOf(subscriber),
    async handle(web, { query: { email, status, limit, cursor } }) {
      if (email !== undefined) return { items: (await findSubscribersByAddress(web, email)).map(show), next: null }
      const rows = await listSubscribers(web, { status, before: readCursor(cursor), limit: limit + 1 })
      const { items, next } = pageOf(rows, limit)
      return { items: items.map(show), next }
    },
  }),
  endpoint({
    method: 'post',
    path: '/subscribers',
    scope,
    tag,
    summary: 'Sign an address up: a confirmation is mailed',
    description:
      'Pending until the reader confirms. An active subscriber stays as they are and gets a preferences link. Give the reader’s own `ip` and the address of the form: they go into the consent record.',
    body: z.strictObject({
      email: emailAddress,
      frequency,
      timezone: timeZone.nullable().optional(),
      locale: language
        .nullable()
        .optional()
        .meta({ description: 'language of the reader, such as de; null: the site’s' }),
      ip: z.union([z.ipv4(), z.ipv6()], { error: 'is not an IP address' }).optional(),
      formUrl: webAddress(500).optional(),
    }),
    status: 202,
    answer: subscriber,
    refuses: ['rate_limited'],
    async handle(web, { body, actor }) {
      const address = readAddress(body.email)
      if ((await findObstacleAt(web, address)) === 'final')
        throw new Refusal('conflict', 'This address is on the suppression list: it must not be mailed.', [
          { field: 'email', message: 'is suppressed' },
        ])
      const choices = chosen(readChoices(body.frequency, await listCategories(web.db)))
      const origin = { ip: body.ip ?? null, formUrl: body.formUrl ?? null }
      const [timezone, locale] = [readTimezone(body.timezone), readLocale(body.locale, 'locale')]
      await subscribe(web, { email: body.email, choices, timezone, locale, origin })
      const [row] = await findSubscribersByAddress(web, body.email)
      if (!row) throw new Refusal('conflict', 'This address must not be mailed.')
      await noteAction(web, { actor: actor.name, action: 'subscriber.signed_up', subject: `subscriber:${row.id}` })
      return show(row)
    },
  }),
  endpoint({
    method: 'get',
    path: '/subscribers/:id',
    scope,
    tag,
    summary: 'One subscriber',
    params: idParams,
    status: 200,
    answer: subscriber,
    handle: (web, { params }) => showOne(web, params.id),
  }),
  endpoint({
    method: 'patch',
    path: '/subscribers/:id',
    scope,
    tag,
    summary: 'Change what an active subscriber gets',
    params: idParams,
    body: changes,
    status: 200,
    answer: subscriber,
    async handle(web, { params: { id }, body, actor }) {
      const { frequency: given, pausedUntil, timezone, locale, ...rest } = body
      const choices = given && readChoices(given, await listCategories(web.db))
      const changed = {
        ...rest,
        choices,
        ...(timezone === undefined ? {} : { timezone: readTimezone(timezone) }),
        ...(locale === undefined ? {} : { locale: readLocale(locale, 'locale') }),
        ...(pausedUntil === undefined ? {} : { pausedUntil: pausedUntil === null ? null : new Date(pausedUntil) }),
      }
      const { outcome } = await changePreferences(web, id, changed, { ip: null, formUrl: null })
      if (outcome === 'unknown') throw unknown(id)
      if (outcome === 'not-active') throw new Refusal('conflict', 'Only an active subscriber’s choices can be changed.')
      const detail = { changed: Object.keys(body) }
      await noteAction(web, { actor: actor.name, action: 'subscriber.changed', subject: `subscriber:${id}`, detail })
      return showOne(web, id)
    },
  }),
  endpoint({
    method: 'post',
    path: '/subscribers/:id/unsubscribe',
    scope,
    tag,
    summary: 'No further digest or announcement, at once',
    params: idParams,
    status: 200,
    answer: subscriber,
    async handle(web, { params: { id }, actor }) {
      if (!(await unsubscribe(web, id, { way: 'api', origin: { ip: null, formUrl: null } }))) throw unknown(id)
      await noteAction(web, { actor: actor.name, action: 'subscriber.unsubscribed', subject: `subscriber:${id}` })
      return showOne(web, id)
    },
  }),
  endpoint({
    method: 'post',
    path: '/subscribers/:id/end-links',
    scope,
    tag,
    summary: 'End all older links in this subscriber’s mails, except those that unsubscribe',
    description: 'Nothing is mailed: the next digest has new links, and the preferences page mails one on request.',
    params: idParams,
    status: 200,
    answer: subscriber,
    async handle(web, { params: { id }, actor }) {
      if (!(await endOlderLinks(web, id, { isMailed: false }))) throw unknown(id)
      await noteAction(web, { actor: actor.name, action: 'subscriber.links_ended', subject: `subscriber:${id}` })
      return showOne(web, id)
    },
  }),
  endpoint({
    method: 'get',
    path: '/subscribers/:id/data',
    scope,
    tag,
    summary: 'Everything that is kept about one subscriber',
    params: idParams,
    status: 200,
    answer: z.record(z.string(), z.unknown()),
    async handle(web, { params }) {
      const data = await personalData(web.db, params.id)
      if (!data) throw unknown(params.id)
      return data
    },
  }),
  endpoint({
    method: 'delete',
    path: '/subscribers/:id',
    scope,
    tag,
    summary: 'Erase: nothing stays but a keyed fingerprint that keeps the address from being mailed',
    params: idParams,
    status: 204,
    answer: z.null(),
    async handle(web, { params: { id }, actor }) {
      if (!(await eraseSubscriber(web, id))) throw unknown(id)
      await noteAction(web, { actor: actor.name, action: 'subscriber.erased', subject: `subscriber:${id}` })
    },
  }),
]
