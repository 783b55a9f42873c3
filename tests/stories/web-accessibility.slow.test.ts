// axe-core finds nothing on any public page, nor on pages of the console, in either colour scheme. Pages that a POST answers with are
// shown to the browser as they were answered.

import assert from 'node:assert/strict'
import axe from 'axe-core'
import { lessUrl, unsubscribeUrl, viewDigestUrl } from '../../src/subscribers/links.ts'
import { triggerDigest } from '../../src/planning/trigger.ts'
import { story, type House } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { openConsole } from '../support/keys.ts'
import { addStory, tick } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, subscribeFully } from '../support/readers.ts'
import { home, visit } from '../support/visit.ts'

const consolePages = [
  '',
  '/categories',
  '/editions/1',
  '/articles',
  '/subscribers/1',
  '/unsubscribes',
  '/editors',
  '/embed',
]

/** Every page of a reader, by its address, and the answers of forms by their HTML. */
async function readersPages(house: House): Promise<{ paths: string[]; answers: Record<string, string> }> {
  await addCategories(house)
  for (let n = 0; n < 6; n++) await addStory(house.ctx, `A story of some length, number ${n}`, [1 + (n % 2)])
  const ada = await subscribeFully(house, 'ada@example.com')
  await triggerDigest(house.ctx, { actor: 'cli' })
  await tick(house.ctx)
  await sendWaitingMail(house)
  const confirm = linkIn(house.inbox.last('ada@example.com', /confirm/i).mail, /^\/confirm$/)
  const preferences = linkIn(house.inbox.last('ada@example.com', /welcome/i).mail, /^\/preferences$/)
  const token = new URL(preferences, home).searchParams.get('token')!
  const path = (url: string) => url.replace(home, '')
  const leave = path(unsubscribeUrl(house.config, ada.id, 1))
  const post = async (to: string, fields: Record<string, string>) =>
    (await house.web.post(to).type('form').send(fields)).text
  return {
    paths: [
      '/',
      '/subscribe/check-your-mail',
      '/preferences',
      '/archive',
      '/archive/1',
      '/archive/politics',
      '/about',
      '/contact',
      '/privacy',
      '/terms',
      '/disclaimer',
      '/embed',
      '/embed/example/script',
      '/nothing',
      confirm,
      '/confirm?token=x',
      preferences,
      preferences.replace('?', '/next?'),
      leave,
      path(viewDigestUrl(house.config, { id: ada.id, generation: 0 }, 1)),
      path(`${lessUrl(house.config, { id: ada.id, generation: 0 })}&c=politics`),
      ...consolePages.map((page) => `/admin${page}`),
    ],
    answers: {
      'a form with mistakes': await post('/subscribe', { email: 'x', 'frequency[politics]': 'hourly' }),
      'did you mean': await post('/subscribe', { email: 'ana@gmial.com' }),
      'preferences with mistakes': await post('/preferences', { token, timezone: 'Mars', language: '-' }),
      unsubscribed: await post('/unsubscribe', { token: new URL(leave, home).searchParams.get('token')! }),
    },
  }
}

story(
  'axe finds nothing on any page',
  async (house) => {
    const { paths, answers } = await readersPages(house)
    const { cookie } = await openConsole(house)
    await using visiting = await visit(house)
    const { page } = visiting
    const [name, value] = String(cookie).split(';')[0]!.split('=') as [string, string]
    await page.context().addCookies([{ name, value, url: home }])
    for (const [what, body] of Object.entries(answers))
      await page.route(`${home}/${encodeURIComponent(what)}`, (route) =>
        route.fulfill({ body, contentType: 'text/html' }),
      )
    const found: string[] = []
    const all = [...paths, ...Object.keys(answers).map((what) => `/${encodeURIComponent(what)}`)]
    for (const [index, path] of all.entries()) {
      await page.goto(home + path)
      await page.evaluate(axe.source)
      assert.equal(page.url(), home + path)
      // Both schemes are the same few colours everywhere, so a third of the pages is looked at in the dark.
      const isAlsoDark = index % 3 === 0
      for (const [colorScheme, rules] of [
        ['light', '{}'],
        ...(isAlsoDark ? [['dark', '{ runOnly: ["color-contrast"] }'] as const] : []),
      ] as const) {
        await page.emulateMedia({ colorScheme })
        const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
          `axe.run(${rules})`,
        )
        for (const { id, nodes } of violations) found.push(`${path} in ${colorScheme}: ${id}: ${nodes[0]!.html}`)
      }
    }
    assert.deepEqual(found, [])
  },
  { env: { PUBLIC_URL: home }, on: 'embedded' },
)
