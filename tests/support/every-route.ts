// What a reader and an editor can open and send on a large site: every GET route, each link of a subscriber, the forms.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  addressChangeUrl,
  addressUndoUrl,
  confirmUrl,
  lessUrl,
  preferencesUrl,
  resubscribeUrl,
  unsubscribeUrl,
  viewDigestUrl,
} from '../../src/subscribers/links.ts'
import { inboundFilters } from '../../src/web/reads/returned.ts'
import type { House } from './house.ts'
import { openConsole } from './keys.ts'
import { routesOf } from './routes.ts'

const hash = (text: string) => createHash('md5').update(text).digest('hex')

/** Every route that answers GET, for what is there and what isn't, and each link of a subscriber. */
export async function readRoutes(house: House): Promise<number> {
  const { config, ctx, clock, db } = house
  const console = await openConsole(house)
  const newest = async (table: 'editions' | 'subscribers' | 'imports' | 'articles') =>
    (
      await db
        .selectFrom(table)
        .select((eb) => eb.fn.max('id').as('id'))
        .executeTakeFirstOrThrow()
    ).id
  const edition = await newest('editions')
  const ids = ['1', '999999', ...(await Promise.all((['subscribers', 'imports', 'articles'] as const).map(newest)))]
  const values: Record<string, readonly (string | number)[]> = {
    id: [...ids, edition],
    edition: ['1', '999999', edition],
    category: ['politics', 'nowhere'],
    slug: ['politics', 'nowhere'],
    hash: [hash('1'), hash('none')],
  }
  const paths = routesOf(ctx).flatMap(({ method, path, slots }) => {
    if (method !== 'get' || path.startsWith('/api') || path.endsWith('/live')) return []
    return (values[slots[0] ?? ''] ?? ['x']).map((value) => path.replace(/:\w+/, String(value)).replace(/:\w+/g, 'x'))
  })
  const holder = { id: 1, generation: 0 }
  const now = clock.now()
  const links = [
    preferencesUrl(config, holder, now),
    unsubscribeUrl(config, holder.id, edition),
    confirmUrl(config, 1, now),
    resubscribeUrl(config, holder, now),
    addressChangeUrl(config, 1, now),
    addressUndoUrl(config, 1, now),
    viewDigestUrl(config, holder, edition),
    `${lessUrl(config, holder)}&c=politics`,
  ].map((link) => link.slice(config.web.publicUrl.length))
  const token = links[0]!.split('?')[1]!
  const filters = [
    '/admin/suppressions?reason=hard_bounce',
    '/admin/suppressions?domain=gone.example&from=2026-01-01T00:00&to=2026-12-01T00:00',
    '/admin/suppressions?domain=nowhere.example&reason=manual',
    '/admin/suppressions/undo?domain=gone.example',
    ...inboundFilters.map((filter) => `/admin/returned?filter=${filter}`),
    '/admin/subscribers?q=nobody%40nowhere.example',
    '/admin/trigger/confirm?categories=politics&categories=business',
  ]
  const all = [...paths, ...links, `/preferences/data?${token}`, `/preferences/next?${token}`, ...filters]
  for (const path of all) {
    const { status } = await console.get(path)
    assert.ok(status < 500, `${path}: ${status}`)
  }
  return all.length
}

/** A subscriber's own forms, in the order in which their links stay good. Returns those that were refused. */
export async function postForms(house: House): Promise<string[]> {
  const { config, clock, web } = house
  const tokenIn = (link: string) => new URL(link).searchParams.get('token')!
  const holder = { id: 2, generation: 0 }
  const now = clock.now()
  const token = tokenIn(preferencesUrl(config, holder, now))
  const forms: [path: string, fields: Record<string, string>][] = [
    ['/subscribe', { email: 'new@reader.example', 'frequency[politics]': 'daily' }],
    ['/subscribe', { email: 'pending7@x.example', 'frequency[politics]': 'daily' }],
    ['/preferences', { email: 'unsubscribed7@x.example' }],
    ['/preferences', { token, 'frequency[politics]': 'weekly' }],
    ['/preferences/address', { token, new_email: 'moved@reader.example' }],
    ['/less', { token: tokenIn(lessUrl(config, holder)), c: 'politics', to: 'off' }],
    [`/unsubscribe?token=${tokenIn(unsubscribeUrl(config, 3, 1))}`, { 'List-Unsubscribe': 'One-Click' }],
    ['/unsubscribe', { token: tokenIn(unsubscribeUrl(config, 4, 1)) }],
    ['/unsubscribe/undo', { token: tokenIn(resubscribeUrl(config, { id: 4, generation: 0 }, now)) }],
    ['/preferences/end-links', { token }],
    ['/preferences/erase', { token: tokenIn(preferencesUrl(config, { id: 5, generation: 0 }, now)), erase: 'yes' }],
  ]
  const refused: string[] = []
  for (const [path, fields] of forms) {
    const { status, text } = await web.post(path).type('form').send(fields)
    if (status >= 400) refused.push(`${path} ${JSON.stringify(fields)}: ${status} ${text.slice(-2000)}`)
  }
  return refused
}
