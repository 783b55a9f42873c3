// The whole program below https://paper.example/letters: behind a proxy that leaves the path, and behind one that strips it, with the
// console on another host. In a real browser a reader signs up, confirms, chooses anew and unsubscribes, and an editor signs in and
// sends an edition; then everything that anything leads to is read.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { openBrowser } from '../support/browser.ts'
import { crawl } from '../support/crawl.ts'
import { startPathProxy } from '../support/path-proxy.ts'
import { freePort, runCommand, startProgram } from '../support/program.ts'

let browser: Browser
before(async () => {
  browser = await openBrowser()
})
after(() => browser.close())

const reader = 'ada@example.org'

for (const { title, strips, isApart } of [
  { title: 'behind a proxy that leaves the path', strips: false, isApart: false },
  { title: 'behind a proxy that strips the path, with the console on another host', strips: true, isApart: true },
])
  test(`everything lies below PUBLIC_URL and works there, ${title}`, async () => {
    const port = await freePort()
    await using proxy = await startPathProxy({ toPort: port, path: '/letters', strips })
    const home = `http://127.0.0.1:${proxy.port}/letters`
    const adminHome = isApart ? `http://localhost:${proxy.port}/letters` : home
    const dataDir = mkdtempSync(path.join(tmpdir(), 'below-'))
    const program = await startProgram(dataDir, port, {
      PUBLIC_URL: `${home}/`,
      CLICK_COUNTS: 'on',
      ...(isApart ? { ADMIN_URL: adminHome } : {}),
    })
    try {
      const context = await browser.newContext()
      const page = await context.newPage()
      const troubles: string[] = []
      page.on('console', (message) => message.type() === 'error' && troubles.push(`${page.url()}: ${message.text()}`))
      page.on('request', (request) => {
        if (![home, adminHome].some((one) => request.url().startsWith(`${one}/`)) && !request.url().startsWith('data:'))
          troubles.push(`${page.url()} asked for ${request.url()}`)
      })
      /** Opens the newest mail of that subject in the mailbox, and returns where its link of this path leads. */
      const linkInMail = async (subject: RegExp, route: string): Promise<string> => {
        await page.goto(`${home}/mailbox`)
        await page.locator('#messages').getByRole('link', { name: subject }).first().click()
        await page.getByRole('link', { name: 'Text', exact: true }).click()
        const link = page.locator(`pre a[href^="${route.startsWith('/admin') ? adminHome : home}${route}?token="]`)
        return (await link.first().getAttribute('href'))!
      }

      await page.goto(`${home}/`)
      await page.getByLabel('Your e-mail address').fill(reader)
      await page.getByRole('button', { name: 'Subscribe' }).click()
      await page.waitForURL(`${home}/subscribe/check-your-mail`)
      await page.getByRole('link', { name: 'Change it' }).click()
      await page.waitForURL(`${home}/subscribe/change`)
      assert.equal(await page.getByLabel('Your e-mail address').inputValue(), reader)
      await page.goto(await linkInMail(/confirm/i, '/confirm'))
      await page.getByRole('button', { name: /Confirm/ }).click()
      await page.getByText('Your next digest comes').waitFor()
      await page.goto(await linkInMail(/welcome/i, '/preferences'))
      await page.getByRole('group', { name: 'Business' }).getByRole('radio', { name: 'Daily' }).check()
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Saved.').waitFor()

      const consoleLink = /The console +(\S+)/.exec(program.output())![1]!
      assert.ok(consoleLink.startsWith(`${adminHome}/admin/sign-in?token=`), consoleLink)
      await page.goto(consoleLink)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.waitForURL(`${adminHome}/admin`)
      await page.getByRole('link', { name: 'Articles' }).click()
      await page.locator('.rows li').first().waitFor()
      await page.getByRole('link', { name: 'Overview' }).click()
      await page.getByRole('link', { name: 'Send a digest now' }).click()
      await page.getByRole('button', { name: 'See whom it reaches' }).click()
      await page.getByRole('button', { name: 'Send to 1 subscriber' }).click()
      await page.getByRole('row', { name: /Sent 1 100\.0 %/ }).waitFor()
      await page.goto(`${home}/api/docs`)
      await page.getByText('/editions/{id}/pause').waitFor()

      const leave = await linkInMail(/./, '/unsubscribe')
      const cookies = await context.cookies(`${adminHome}/admin`)
      assert.match(cookies[0]!.name, /^broadsheet-[0-9a-f]{8}$/)
      // What leads where doesn't depend on the proxy: everything is read once.
      if (strips) await readEverything({ home, adminHome, dataDir, port, leave, cookies })
      for (const route of ['/healthz', '/readyz', '/metrics'])
        assert.equal((await fetch(`http://127.0.0.1:${port}${route}`)).status, 200)

      await page.goto(leave)
      await page.getByRole('button', { name: 'Unsubscribe' }).click()
      await page.getByRole('heading', { name: 'Unsubscribed' }).waitFor()
      assert.deepEqual(troubles, [])
      assert.deepEqual(proxy.astray, [])
      assert.doesNotMatch(program.output(), /warn|error|\n {4}at /i)
      await context.close()
    } finally {
      await program.end('SIGKILL')
      rmSync(dataDir, { recursive: true, force: true })
    }
  })

/** Each mail as HTML, text and headers. */
async function mailPages(home: string): Promise<string[]> {
  const mails = (await (await fetch(`${home}/mailbox/messages.json`)).json()) as { id: string }[]
  assert.ok(mails.length >= 3)
  return mails.flatMap(({ id }) => [
    `${home}/mailbox/messages/${id}.html`,
    ...['text', 'headers'].map((view) => `${home}/mailbox/messages/${id}?view=${view}`),
  ])
}

interface Site {
  home: string
  adminHome: string
  dataDir: string
  port: number
  leave: string
  cookies: { name: string; value: string }[]
}

/** Follows every address that pages, feeds, mails and API answers lead to. */
async function readEverything({ home, adminHome, dataDir, port, leave, cookies }: Site): Promise<void> {
  const made = await runCommand(dataDir, port, ['api-key', 'create', 'crawler', '--scope', 'read', '--json'])
  const { key } = JSON.parse(made.stdout) as { key: string }
  const document = (await (await fetch(`${home}/api/v1/openapi.json`)).json()) as { servers: unknown }
  assert.deepEqual(document.servers, [{ url: `${home}/api/v1` }])
  const routes = ['/', '/archive', '/embed', '/embed.js', '/gazette/', '/mailbox', '/mailbox/messages.json']
  const lists = ['articles', 'categories', 'editions', 'feeds', 'subscribers', 'audit']
  const crawled = await crawl({
    homes: [...new Set([home, adminHome])],
    from: [
      home,
      leave,
      ...[...routes, ...lists.map((list) => `/api/v1/${list}`)].map((route) => home + route),
      ...['/healthz', '/readyz', '/metrics'].flatMap((route) => [home + route, adminHome + route]),
      `${adminHome}/admin`,
      ...(await mailPages(home)),
    ],
    headersFor: (address): Record<string, string> =>
      address.includes('/api/')
        ? { Authorization: `Bearer ${key}`, Accept: 'application/json' }
        : { Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') },
  })
  assert.deepEqual(crawled.troubles, [])
  for (const kind of [
    '/click?token=',
    '/gazette/pictures/',
    '/feed/',
    '/admin/preview',
    '/assets/',
    '/mailbox/messages/',
  ])
    assert.ok(
      crawled.read.some((address) => address.includes(kind)),
      `nothing of ${kind} was read`,
    )
}
