// The preferences page in a real browser: where the keyboard is after a mistake, and the order of the categories by buttons without
// script, by buttons in place, by arrow keys and by dragging.

import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { preferencesUrl } from '../../src/subscribers/links.ts'
import { listSubscriptions } from '../../src/subscribers/store.ts'
import { story, type House } from '../support/house.ts'
import { addCategories, getSubscriber, subscribeFully } from '../support/readers.ts'
import { home, visit } from '../support/visit.ts'

const options = { env: { PUBLIC_URL: home }, on: 'embedded' } as const

async function subscribe(house: House): Promise<{ id: number; url: string }> {
  await addCategories(house)
  const all = { politics: 'daily', 'world-news': 'daily', business: 'weekly' }
  const { id } = await subscribeFully(house, 'ada@example.com', all)
  return { id, url: preferencesUrl(house.config, { id, generation: 0 }, house.clock.now()) }
}

const namesOn = (page: Page) =>
  page.locator('.choice').evaluateAll((rows) => rows.map((row) => row.querySelector('legend')!.firstChild!.textContent))
const slugsOf = async (house: House, id: number) => (await listSubscriptions(house.db, id)).map(({ slug }) => slug)
const focusOn = (page: Page) => page.evaluate('document.activeElement.ariaLabel ?? document.activeElement.id')

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with' : 'without'
  story(
    `after a mistake the keyboard is on the summary, and every edit is there, ${how} script`,
    async (house) => {
      const { url } = await subscribe(house)
      await using visiting = await visit(house, { javaScriptEnabled, width: 320 })
      const { page, troubles } = visiting
      await page.goto(url)
      await page.getByRole('group', { name: 'Politics' }).getByRole('radio', { name: 'Monthly' }).check()
      await page.getByLabel('Weekly digests on').selectOption('5')
      await page.getByLabel('Until a date:').check()
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Please fix the highlighted fields').waitFor()
      assert.equal(await focusOn(page), 'problems')
      assert.equal(await page.getByLabel('Weekly digests on').inputValue(), '5')
      assert.ok(await page.getByRole('group', { name: 'Politics' }).getByRole('radio', { name: 'Monthly' }).isChecked())
      const date = page.getByLabel('Digests resume on')
      assert.equal(await date.getAttribute('aria-invalid'), 'true')
      assert.match((await page.locator(`#${await date.getAttribute('aria-describedby')}`).textContent())!, /resume/)
      await page.getByRole('alert').getByRole('link').click()
      assert.equal(await focusOn(page), 'paused_until')
      assert.deepEqual(troubles, [])
    },
    options,
  )

  story(
    `buttons move a category and keep every edit, ${how} script; Enter saves`,
    async (house) => {
      const { id, url } = await subscribe(house)
      await using visiting = await visit(house, { javaScriptEnabled })
      const { page, troubles } = visiting
      await page.goto(url)
      await page.getByRole('group', { name: 'Politics' }).getByRole('radio', { name: 'Monthly' }).check()
      await page.getByLabel('At', { exact: true }).selectOption('18')
      await page.getByRole('button', { name: 'Move Business up' }).click()
      await page.getByRole('button', { name: 'Move Business up' }).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: 'Move Business up', disabled: true }).waitFor()
      assert.deepEqual(await namesOn(page), ['Business', 'Politics', 'World News'])
      assert.equal(await focusOn(page), 'Move Business down', 'the keyboard stays with the category')
      assert.equal(await page.getByLabel('At', { exact: true }).inputValue(), '18')
      assert.deepEqual(await slugsOf(house, id), ['politics', 'world-news', 'business'], 'nothing is saved yet')
      await page.getByLabel('Digests resume on').focus()
      await page.keyboard.press('Enter')
      await page.getByText('Saved.').waitFor()
      assert.deepEqual(await slugsOf(house, id), ['business', 'politics', 'world-news'])
      const ada = await getSubscriber(house, 'ada@example.com')
      assert.equal(ada.sendHour, 18)
      await page.getByRole('button', { name: 'Undo', exact: true }).click()
      await page.getByText('Undone. Everything').waitFor()
      assert.deepEqual(await slugsOf(house, id), ['politics', 'world-news', 'business'])
      assert.equal((await getSubscriber(house, 'ada@example.com')).sendHour, null)
      assert.deepEqual(troubles, [])
    },
    options,
  )
}

story(
  'a category is dragged by its grip, or moved by the arrow keys on it',
  async (house) => {
    const { id, url } = await subscribe(house)
    await using visiting = await visit(house)
    const { page, troubles } = visiting
    await page.goto(url)
    const grip = page.getByRole('button', { name: 'Move Business: drag' })
    const from = (await grip.boundingBox())!
    const first = (await page.locator('.choice').first().boundingBox())!
    await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2)
    await page.mouse.down()
    await page.mouse.move(from.x, first.y + 2, { steps: 12 })
    await page.mouse.up()
    assert.deepEqual(await namesOn(page), ['Business', 'Politics', 'World News'])
    await page.getByText('Business is number 1 of 3').waitFor()
    await page.getByRole('button', { name: 'Move Politics: drag' }).focus()
    await page.keyboard.press('ArrowDown')
    assert.deepEqual(await namesOn(page), ['Business', 'World News', 'Politics'])
    assert.match(String(await focusOn(page)), /^Move Politics: drag/)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    assert.deepEqual(await slugsOf(house, id), ['business', 'world-news', 'politics'])
    assert.deepEqual(troubles, [])
  },
  options,
)
