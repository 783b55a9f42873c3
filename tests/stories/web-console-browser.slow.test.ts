// The console in a real browser: an editor signs in, triggers a digest and watches it go out without a reload; and every page
// fits 320 pixels, breaks no Content-Security-Policy, loads nothing from elsewhere, and has the contrast of WCAG AA in both schemes.

import assert from 'node:assert/strict'
import type { Server, ServerResponse } from 'node:http'
import { after, before } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { createEditor } from '../../src/access/editors.ts'
import { addPrintedLink, signInUrl } from '../../src/access/sign-in.ts'
import { addFeed } from '../../src/articles/feeds.ts'
import { pollFeed } from '../../src/articles/poll.ts'
import { moveEdition } from '../../src/desk/control.ts'
import { runTick } from '../../src/planning/tick.ts'
import { createServer } from '../../src/web/server.ts'
import { openBrowser } from '../support/browser.ts'
import { openFeedServer, rss } from '../support/feed-server.ts'
import { addBrake } from '../support/brakes.ts'
import { story, type House } from '../support/house.ts'
import { addReader, addStory } from '../support/newsroom.ts'
import { postAll } from '../support/post.ts'
import { freePort } from '../support/postgres.ts'
import { addCategories } from '../support/readers.ts'

const port = await freePort()
const home = `http://127.0.0.1:${port}`
const options = { env: { PUBLIC_URL: home } }
let browser: Browser
before(async () => {
  browser = await openBrowser()
})
after(() => browser.close())

async function openConsolePage(house: House, how: { javaScriptEnabled?: boolean } = {}) {
  const server = await new Promise<Server>((resolve) => {
    const listening = createServer(house.ctx).listen(port, '127.0.0.1', () => resolve(listening))
  })
  const context = await browser.newContext({ javaScriptEnabled: how.javaScriptEnabled ?? true })
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('console', (message) => message.type() === 'error' && troubles.push(`${page.url()}: ${message.text()}`))
  page.on('request', (request) => request.url().startsWith(home) || troubles.push(`asked for ${request.url()}`))
  const { editor } = await createEditor(house.ctx, { email: 'ada@news.example', actor: 'cli' })
  await page.goto(signInUrl(house.config, await addPrintedLink(house.ctx, editor)))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  return {
    page,
    troubles,
    async [Symbol.asyncDispose]() {
      await context.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function newsroom(house: House) {
  await addCategories(house, ['Politics', 'Investing'])
  await addStory(house.ctx, 'The lighthouse strike ends', [1])
  for (const name of ['one', 'two', 'three'])
    await addReader(house.ctx, { email: `${name}@mail.example`, choice: { 1: 'daily' } })
  await addBrake(house.db)
}

async function triggerPolitics(page: Page) {
  await page.getByRole('link', { name: 'Send a digest now' }).click()
  await page.getByLabel('Investing').uncheck()
  await page.getByRole('button', { name: 'See whom it reaches' }).click()
  await page.getByRole('button', { name: 'Send to 3 subscribers' }).click()
  await page.getByText('Triggered.').waitFor()
}

story(
  'an editor triggers a digest and watches it go out without a reload',
  async (house) => {
    await newsroom(house)
    await using console = await openConsolePage(house)
    const { page } = console
    await triggerPolitics(page)
    await runTick(house.ctx)
    await page.getByRole('row', { name: /Open 3/ }).waitFor()
    await postAll(house)
    await page.getByRole('row', { name: /Sent 3 100\.0 %/ }).waitFor()
    assert.deepEqual(console.troubles, [])
  },
  options,
)

story(
  'buttons, notice and state follow an edition without a reload; focus stays, and counts aren’t read out',
  async (house) => {
    await newsroom(house)
    await using console = await openConsolePage(house)
    const { page } = console
    await triggerPolitics(page)
    const button = (name: RegExp) => page.locator('.actions').getByRole('link', { name })
    assert.equal(await button(/Pause/).count(), 0)
    await runTick(house.ctx)
    await button(/Pause/).waitFor()
    await page.getByText('Triggered. It is being sent.').waitFor()
    await page.evaluate(`window.readOut = []; for (const place of document.querySelectorAll('[role=status]'))
      new MutationObserver(() => readOut.push(place.textContent.trim())).observe(place, { childList: true, subtree: true })`)
    await button(/Cancel/).focus()
    await postAll(house, { limit: 1 })
    await page.getByRole('row', { name: /Sent 1/ }).waitFor()
    const focused = () => page.evaluate(`document.activeElement.textContent.trim()`)
    assert.equal(await focused(), 'Cancel…')
    assert.deepEqual(await page.evaluate('readOut'), [])
    await page.getByRole('link', { name: 'Sent', exact: true }).focus()
    await postAll(house, { limit: 1 })
    await page.getByRole('row', { name: /Sent 2/ }).waitFor()
    assert.equal(await focused(), 'Sent')
    // Somebody else pauses it.
    await button(/Pause/).focus()
    await moveEdition(house.ctx, { editionId: 1, move: 'pause', actor: 'editor:1' })
    await button(/Resume/).waitFor()
    assert.equal(await button(/Pause/).count(), 0)
    assert.equal(await page.evaluate(`document.activeElement.dataset.part`), 'actions')
    await page.getByText('Triggered.').waitFor({ state: 'detached' })
    await page.locator('.history').getByText('paused').waitFor()
    assert.deepEqual(await page.evaluate('[...new Set(readOut)].sort()'), ['', '! paused'])
    assert.deepEqual(console.troubles, [])
  },
  options,
)

story(
  'the same works without script, by reload',
  async (house) => {
    await newsroom(house)
    await using console = await openConsolePage(house, { javaScriptEnabled: false })
    const { page } = console
    await triggerPolitics(page)
    await runTick(house.ctx)
    await page.reload()
    await page.getByRole('link', { name: 'Pause' }).click()
    await page.getByRole('button', { name: /Pause edition/ }).click()
    await page.getByText('Paused.', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  },
  options,
)

const pages = [
  '',
  '/editions',
  '/editions/1',
  '/editions/1/deliveries',
  '/editions/1/cancel',
  '/trigger',
  '/trigger/confirm?categories=politics',
  '/announcement',
  '/preview',
  '/articles',
  '/feeds',
  '/feeds/import',
  '/categories',
  '/subscribers',
  '/subscribers/1',
  '/suppressions',
  '/brakes',
  '/brakes/1',
  '/brakes/1/addresses-are-dead',
  '/editors',
  '/api-keys',
  '/audit',
]

story(
  'every page of the console fits a small phone, is readable in both schemes, and keeps to its policy',
  async (house) => {
    await newsroom(house)
    await using console = await openConsolePage(house)
    const { page } = console
    await triggerPolitics(page)
    await runTick(house.ctx)
    await postAll(house, { limit: 1 })
    await page.setViewportSize({ width: 320, height: 700 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      for (const path of pages) {
        await page.goto(`${home}/admin${path}`)
        const found = await page.evaluate(lookAtPage)
        assert.deepEqual(found, { tooWide: 0, faint: [], unnamed: [] }, `${path} in ${colorScheme}`)
      }
    }
    assert.deepEqual(console.troubles, [])
  },
  options,
)

story(
  'feeds with long names, every health and much to ignore fit 320 to 1280 pixels without scrolling sideways, and are worked from the list',
  async (house) => {
    await addCategories(house, ['Politics', 'Investing', 'World News'])
    const path = `/${'a-long-path-without-a-space'.repeat(5)}`
    const answers: Record<string, (response: ServerResponse) => void> = {
      [path]: (response) =>
        response.end(
          rss([
            { title: 'Taken '.repeat(30), link: 'https://lantern.example/1', date: house.clock.now() },
            { title: 'Old', link: 'https://lantern.example/2', date: new Date(0.9e12) },
            { title: 'No link' },
            { title: 'No link either' },
          ]),
        ),
      '/broken': (response) => response.writeHead(503).end(),
      '/gone': (response) => response.writeHead(410).end(),
    }
    const server = await openFeedServer()
    server.answer = (request, response) => answers[request.url ?? '']!(response)
    const ctx = {
      ...house.ctx,
      config: { ...house.config, feeds: { ...house.config.feeds, allowHosts: [server.host] } },
    }
    for (const url of Object.keys(answers)) {
      const { id } = await addFeed(ctx, {
        url: server.origin + url,
        categories: ['politics', 'investing', 'world-news'],
      })
      await pollFeed(ctx, id)
    }
    await addFeed(ctx, { url: 'https://lantern.example/never', categories: [] })
    await using console = await openConsolePage(house, { javaScriptEnabled: false })
    const { page } = console
    for (const width of [320, 768, 1280]) {
      await page.setViewportSize({ width, height: 900 })
      for (const section of ['feeds', 'feeds/1', 'articles', 'categories']) {
        await page.goto(`${home}/admin/${section}`)
        assert.deepEqual(await page.evaluate(scrolling), [], `${section} at ${width}`)
      }
    }
    await page.goto(`${home}/admin/feeds`)
    const row = (words: string) => page.getByRole('listitem').filter({ hasText: words })
    await row('1 taken, 0 changed, 0 known, 3 ignored').getByText('2 × it has no link; 1 × it is older').waitFor()
    await row('/gone').getByText('It answered 410 Gone').waitFor()
    await row('/broken').getByText('failing (1)').waitFor()
    await row('never')
      .getByRole('button', { name: /^Pause/ })
      .focus()
    await page.keyboard.press('Enter')
    await page.getByText('Paused. Nothing is fetched').waitFor()
    await row('never')
      .getByRole('button', { name: /^Resume/ })
      .click()
    await page.getByText('Resumed.').waitFor()
    await row('/gone')
      .getByRole('button', { name: /^Poll now/ })
      .click()
    await page.getByText('the fetch failed').waitFor()
    await row('1 taken').getByRole('link', { name: /^Map/ }).click()
    await page.getByRole('heading', { name: 'Where its stories go' }).waitFor()
    await server.close()
  },
  options,
)

story(
  'every checkbox stands beside its label, at every width',
  async (house) => {
    await addCategories(house, [
      'Politics',
      'World News',
      'Business',
      'Investing and the quiet art of losing money slowly',
    ])
    const { id } = await addFeed(house.ctx, { url: 'https://lantern.example/never', categories: [] })
    await using console = await openConsolePage(house)
    const { page } = console
    for (const width of [320, 500, 800, 1000, 1200]) {
      await page.setViewportSize({ width, height: 900 })
      for (const path of ['trigger', 'preview', `feeds/${id}`, 'api-keys']) {
        await page.goto(`${home}/admin/${path}`)
        assert.deepEqual(await page.evaluate(strayBoxes), [], `${path} at ${width}`)
      }
    }
  },
  options,
)

/** Runs in the page: checkboxes that don't stand left of the first line of their label, at its height. */
const strayBoxes = `[...document.querySelectorAll('label.choice')].flatMap((label) => {
  const box = label.querySelector('input').getBoundingClientRect()
  const words = document.createRange()
  words.selectNodeContents(label.querySelector('span'))
  const line = words.getClientRects()[0]
  const columns = getComputedStyle(label.parentElement).columnWidth
  const gap = line.left - box.right
  const offset = Math.abs((box.top + box.bottom) / 2 - (line.top + line.bottom) / 2)
  return gap > 0 && gap < 16 && offset < 4 && columns === 'auto' ? [] : [label.textContent.trim() + ' ' + gap + ' ' + offset + ' ' + columns]
})`

/** Runs in the page: what scrolls sideways, or would if it weren't clipped. */
const scrolling = `[document.documentElement, ...document.querySelectorAll('main, main *')]
  .filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline')
  .map((element) => element.outerHTML.slice(0, 80))`

/** Runs in the page: sideways overflow, text below 4.5:1 (3:1 when large), controls without a name. */
const lookAtPage = `(() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number)
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const paperOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor)
      if (colour.length < 4 || colour[3] === 1) return colour
    }
    return parse(getComputedStyle(document.body).backgroundColor)
  }
  const faint = []
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    if (!hasText || !element.checkVisibility() || element.closest('svg, noscript, option')) continue
    const style = getComputedStyle(element)
    const [a, b] = [light(parse(style.color)), light(paperOf(element))].sort((x, y) => y - x)
    const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && style.fontWeight >= 700)
    const ratio = (a + 0.05) / (b + 0.05)
    if (ratio < (isLarge ? 3 : 4.5)) faint.push(element.textContent.trim().slice(0, 30) + ' ' + ratio.toFixed(2))
  }
  const unnamed = [...document.querySelectorAll('input:not([type=hidden]), select, textarea:not([hidden]), button, iframe')]
    .filter((control) => !(control.labels?.length || control.getAttribute('aria-label') || control.title || control.textContent.trim()))
    .map((control) => control.outerHTML.slice(0, 80))
  const root = document.documentElement
  return { tooWide: root.scrollWidth - root.clientWidth, faint, unnamed }
})()`
