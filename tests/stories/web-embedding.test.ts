// The sign-up form on another site, in a real browser: as a script that answers in place, as a frame, as plain HTML.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http, { type Server } from 'node:http'
import { after, before } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { createServer } from '../../src/web/server.ts'
import { snippets } from '../../src/web/pages/snippets.ts'
import { openBrowser } from '../support/browser.ts'
import { type House, story } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { sendWaitingMail } from '../support/post.ts'
import { freePort } from '../support/postgres.ts'
import { addCategories } from '../support/readers.ts'

const port = await freePort()
const sitePort = await freePort()
const home = `http://127.0.0.1:${port}/letters`
const site = `http://127.0.0.1:${sitePort}`
const named = { env: { PUBLIC_URL: home, EMBED_ORIGINS: site, SITE_URL: 'https://paper.example' } }
const unnamed = { env: { PUBLIC_URL: home, SITE_URL: 'https://paper.example' } }

let browser: Browser
before(async () => {
  browser = await openBrowser()
})
after(() => browser.close())

/** A page of another site with a snippet in it, and our server. */
async function visit(house: House, body: string): Promise<{ page: Page } & AsyncDisposable> {
  const ours = createServer(house.ctx).listen(port, '127.0.0.1')
  const theirs = http
    .createServer((_request, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.end(`<!doctype html><title>A page</title>
        <style>body { font-family: monospace; color: rgb(10, 20, 120); background: rgb(240, 250, 240) }
          * { text-transform: uppercase; white-space: nowrap }</style>
        <h1>A page of another site</h1>${body}`)
    })
    .listen(sitePort, '127.0.0.1')
  await Promise.all([once(ours, 'listening'), once(theirs, 'listening')])
  const context = await browser.newContext({ timezoneId: 'Asia/Kathmandu' })
  const page = await context.newPage()
  await page.goto(`${site}/news?from=mail#top`)
  return {
    page,
    async [Symbol.asyncDispose]() {
      await context.close()
      for (const server of [ours, theirs] satisfies Server[]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

story(
  'the script puts the form into the page, in its font and colours, and answers in place',
  async (house) => {
    await addCategories(house, ['politics', 'business'])
    await using there = await visit(house, snippets(house.config).script)
    const { page } = there
    const email = page.getByLabel('Your e-mail address')
    await email.waitFor()
    const look = `(({ fontFamily, color, textTransform, whiteSpace }) => [fontFamily, color, textTransform, whiteSpace])(getComputedStyle(document.querySelector('script')
      .nextElementSibling.shadowRoot.querySelector('form')))`
    assert.deepEqual(await page.evaluate(look), ['monospace', 'rgb(10, 20, 120)', 'none', 'normal'])

    await email.fill('nobody')
    await page.getByRole('button', { name: 'Subscribe' }).click()
    await page.getByRole('alert').waitFor()
    assert.equal(await email.getAttribute('aria-invalid'), 'true')
    const focused = `document.activeElement.shadowRoot.activeElement.name`
    assert.equal(await page.evaluate(focused), 'email')

    await email.fill('ana@example.com')
    await page.getByRole('button', { name: 'Subscribe' }).click()
    await page.getByText('If ana@example.com can receive our mail now').waitFor()
    assert.equal(page.url(), `${site}/news?from=mail#top`)
    assert.equal(there.page.context().pages().length, 1)

    const subscriber = await house.db.selectFrom('signupRequests').select('timezone').executeTakeFirstOrThrow()
    assert.equal(subscriber.timezone, 'Asia/Kathmandu')
    await sendWaitingMail(house)
    await page.goto(`http://127.0.0.1:${port}${linkIn(house.inbox.last('ana@example.com').mail, /confirm$/)}`)
    await page.getByRole('button', { name: 'Confirm my subscription' }).click()
    await page.getByRole('link', { name: 'Back to 127.0.0.1' }).click()
    await page.waitForURL(`${site}/news`)
  },
  named,
)

story(
  'on a site that isn’t named the answer opens in a tab of its own, and nothing is lost',
  async (house) => {
    await addCategories(house, ['politics'])
    await using there = await visit(house, snippets(house.config).script)
    await there.page.getByLabel('Your e-mail address').fill('ana@example.com')
    const opened = there.page.context().waitForEvent('page')
    await there.page.getByRole('button', { name: 'Subscribe' }).click()
    const tab = await opened
    await tab.waitForURL(`${home}/subscribe/check-your-mail?lang=en`)
    const rows = await house.db.selectFrom('subscribers').select('email').execute()
    assert.deepEqual(rows, [{ email: 'ana@example.com' }])
  },
  unnamed,
)

story(
  'the frame has a transparent background, and plain HTML needs no script',
  async (house) => {
    await addCategories(house, ['politics'])
    {
      await using there = await visit(house, snippets(house.config).frame)
      const form = there.page.frameLocator('iframe').locator('form')
      await form.waitFor()
      const frame = there.page.frames().find((one) => one.url() === `${home}/embed?lang=en`)!
      assert.equal(await frame.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgba(0, 0, 0, 0)')
    }
    await using there = await visit(house, snippets(house.config).html)
    await there.page.getByLabel('E-mail address').fill('ben@example.com')
    const opened = there.page.context().waitForEvent('page')
    await there.page.getByRole('button', { name: 'Subscribe' }).click()
    await (await opened).waitForURL(`${home}/subscribe/check-your-mail?lang=en`)
  },
  { ...unnamed, on: 'embedded' },
)

story(
  'POST /subscribe takes JSON from named origins, and says the same for every state of an address',
  async (house) => {
    await addCategories(house, ['politics'])
    const send = (body: object, origin = site) =>
      house.web.post('/letters/subscribe').set({ Origin: origin, Accept: 'application/json' }).send(body)
    const first = await send({ email: 'ana@example.com', frequency: { politics: 'weekly' } }).expect(200)
    assert.equal(first.headers['access-control-allow-origin'], site)
    assert.match(first.headers['vary']!, /Origin/)
    const again = await send({ email: 'ana@example.com' }).expect(200)
    assert.equal(again.text, first.text)
    const elsewhere = await send({ email: 'ana@example.com' }, 'https://other.example')
    assert.equal(elsewhere.headers['access-control-allow-origin'], undefined)

    const wrong = await send({ email: 'nobody' }).expect(400)
    assert.equal(wrong.body.errors[0].field, 'email')
    assert.equal(wrong.headers['access-control-allow-origin'], site)
    await send([]).expect(400)
    await house.web.post('/letters/subscribe').type('application/json').send('{').expect(400)

    const ask = (origin: string) => house.web.options('/letters/subscribe').set({ Origin: origin })
    const permission = await ask(site).expect(204)
    assert.equal(permission.headers['access-control-allow-methods'], 'POST')
    assert.equal((await ask('https://other.example')).headers['access-control-allow-origin'], undefined)
  },
  named,
)

story(
  'a reader returns to the site’s own page, and to no other site',
  async (house) => {
    await addCategories(house, ['politics'])
    const lead = async (return_to: string) =>
      (
        await house.web
          .post('/letters/subscribe')
          .type('form')
          .send({ email: 'ana@example.com', return_to })
          .expect(303)
      ).headers['location']
    assert.equal(await lead('https://paper.example/thanks?a=1'), 'https://paper.example/thanks?a=1')
    assert.equal(await lead(`${site}/thanks`), `${site}/thanks`)
    for (const page of [
      'https://paper.example.evil.example/',
      'https://evil.example/https://paper.example',
      'https://ada@paper.example/',
      'https://paper.example:8443/',
      '//evil.example',
      'javascript:alert(1)',
      'blob:https://paper.example/1',
      'https://paper.example\t.evil.example/',
      '\\\\evil.example',
      'http://paper.example/',
    ])
      assert.equal(await lead(page), '/letters/subscribe/check-your-mail', page)
  },
  named,
)
