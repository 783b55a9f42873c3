// What readers do, in one line each, so that a story mentions only what it is about.

import assert from 'node:assert/strict'
import { addCategory } from '../../src/articles/categories.ts'
import type { Subscriber } from '../../src/db/schema.ts'
import { findSubscriberByKey } from '../../src/subscribers/store.ts'
import type { House } from './house.ts'
import { linkIn } from './inbox.ts'
import { sendWaitingMail } from './post.ts'

export async function addCategories(
  house: Pick<House, 'ctx'>,
  names = ['Politics', 'World News', 'Business'],
): Promise<void> {
  for (const name of names) await addCategory(house.ctx, { name })
}

/** Posts the form as a browser would. */
export function signUp(house: House, email: string, frequency: Record<string, string> = { politics: 'daily' }) {
  const fields = Object.fromEntries(Object.entries(frequency).map(([slug, value]) => [`frequency[${slug}]`, value]))
  return house.web
    .post('/subscribe')
    .type('form')
    .send({ email, timezone: 'Europe/Berlin', ...fields })
}

export async function getSubscriber(house: House, email: string): Promise<Subscriber> {
  const subscriber = await findSubscriberByKey(house.db, email.toLowerCase())
  assert.ok(subscriber, `${email} is unknown`)
  return subscriber
}

/** The button's form of a page: where it posts, and what. */
export function buttonOf(page: string): { action: string; fields: Record<string, string> } {
  const form = /<form method="post" action="([^"]+)">([^]*?)<\/form>/.exec(page)
  assert.ok(form, `there is no button on ${page.slice(0, 2000)}`)
  const fields = [...form[2]!.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
  return { action: form[1]!, fields: Object.fromEntries(fields.map((match) => [match[1]!, match[2]!])) }
}

/** Opens a page and presses its one button. */
export async function pressButtonOn(house: House, url: string) {
  const { action, fields } = buttonOf((await house.web.get(url).expect(200)).text)
  return house.web.post(action).type('form').send(fields)
}

/** Signs up, gets the mail, confirms. */
export async function subscribeFully(
  house: House,
  email: string,
  frequency?: Record<string, string>,
): Promise<Subscriber> {
  await signUp(house, email, frequency).expect(303)
  await sendWaitingMail(house)
  const response = await pressButtonOn(house, linkIn(house.inbox.last(email).mail, /^\/confirm$/))
  assert.equal(response.status, 200)
  return getSubscriber(house, email)
}
