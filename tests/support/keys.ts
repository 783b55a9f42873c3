// API keys and signed-in editors for stories.

import { createApiKey } from '../../src/access/api-keys.ts'
import { createEditor } from '../../src/access/editors.ts'
import { addPrintedLink, signInUrl } from '../../src/access/sign-in.ts'
import type { House } from './house.ts'

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** A program with a key: `api('post', '/editions')`, to be sent with supertest. */
export async function openApi(house: House, scope = 'all') {
  const { key, apiKey } = await createApiKey(house.ctx, { name: `a ${scope} program`, scope, actor: 'cli' })
  const call = (method: Method, path: string) =>
    house.web[method](`/api/v1${path}`).set('Authorization', `Bearer ${key}`)
  return Object.assign(call, { key, id: apiKey.id })
}

/** An editor's browser, signed in through the link's own page. It posts as a browser does, with Sec-Fetch-Site. */
export async function openConsole(house: House, email = 'ada@news.example') {
  const { editor } = await createEditor(house.ctx, { email, actor: 'cli' })
  const link = new URL(signInUrl(house.config, await addPrintedLink(house.ctx, editor)))
  const browser = house.browser()
  const post = (path: string, fields: Record<string, string | string[]> = {}) =>
    browser.post(path).set('Sec-Fetch-Site', 'same-origin').type('form').send(fields)
  const signedIn = await post('/admin/sign-in', { token: link.searchParams.get('token')! }).expect(303)
  const cookie = String(signedIn.headers['set-cookie']).split(';')[0]!
  return { get: (path: string) => browser.get(path), post, browser, editor, cookie }
}
