// The reader's path in a real browser, with and without script: what people see and press, and that every page holds together
// at 320 pixels, loads nothing from elsewhere, breaks no Content-Security-Policy, and can be used by keyboard alone.

import assert from 'node:assert/strict'
import { preferencesUrl, unsubscribeUrl } from '../../src/subscribers/links.ts'
import { story } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, getSubscriber, subscribeFully } from '../support/readers.ts'
import { home, visit } from '../support/visit.ts'

const options = { env: { PUBLIC_URL: home } }

for (const javaScriptEnabled of [true, false])
  story(
    `a reader signs up, confirms, chooses anew and leaves, ${javaScriptEnabled ? 'with' : 'without'} script`,
    async (house) => {
      await addCategories(house)
      await using visiting = await visit(house, { javaScriptEnabled })
      const { page, troubles } = visiting
      await page.goto(`${home}/`)
      await page.getByLabel('Your e-mail address').fill('ada@example.com')
      await page.getByText('Choose topics and how often').click()
      await page.getByRole('checkbox', { name: 'World News' }).uncheck()
      await page.getByText('Choose a frequency for each topic').click()
      await page.getByRole('group', { name: 'Business' }).getByRole('radio', { name: 'Weekly' }).check()
      if (!javaScriptEnabled) {
        await page.getByText('(change)').click()
        await page.getByLabel('Your time zone').selectOption('Asia/Kathmandu')
      }
      await page.getByText(`At 07:00, ${javaScriptEnabled ? 'Kathmandu time' : 'UTC'}`).waitFor()
      await page.getByRole('button', { name: 'Subscribe' }).click()
      await page.waitForURL(`${home}/subscribe/check-your-mail`)

      await sendWaitingMail(house)
      const confirmation = linkIn(house.inbox.last('ada@example.com').mail, /^\/confirm$/)
      for (let look = 0; look < 20; look++) await page.goto(home + confirmation)
      assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'pending')
      await page.getByRole('button').click()
      await page.getByText('Your next digest comes').waitFor()
      const ada = await getSubscriber(house, 'ada@example.com')
      assert.equal(ada.status, 'active')
      assert.ok(['Asia/Kathmandu', 'Asia/Katmandu'].includes(ada.timezone!), ada.timezone!)

      await sendWaitingMail(house)
      const welcome = house.inbox.last('ada@example.com')
      await page.goto(home + linkIn(welcome.mail, /^\/preferences$/))
      await page.getByRole('group', { name: 'Politics' }).getByRole('radio', { name: 'Off' }).check()
      await page.getByLabel('At', { exact: true }).selectOption('18')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Saved.').waitFor()
      const changed = await getSubscriber(house, 'ada@example.com')
      assert.equal(changed.sendHour, 18)
      assert.equal(changed.frequencies, 2)

      const leave = linkIn(welcome.mail, /^\/unsubscribe$/)
      for (let look = 0; look < 3; look++) await page.goto(home + leave)
      assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'active')
      await page.getByRole('button', { name: 'Unsubscribe' }).click()
      await page.getByRole('heading', { name: 'Unsubscribed' }).waitFor()
      assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'unsubscribed')
      house.inbox.clear()
      await sendWaitingMail(house)
      assert.equal(house.inbox.received.length, 0)
      assert.deepEqual(troubles, [])
    },
    options,
  )

story(
  'what was typed survives a mistake, and the page says where it is',
  async (house) => {
    await addCategories(house)
    await using visiting = await visit(house)
    const { page, troubles } = visiting
    await page.goto(`${home}/`)
    await page.getByLabel('Your e-mail address').fill('ada@example')
    await page.getByText('Choose topics and how often').click()
    await page.getByText('Choose a frequency for each topic').click()
    await page.getByRole('group', { name: 'World News' }).getByRole('radio', { name: 'Monthly' }).check()
    await page.getByRole('button', { name: 'Subscribe' }).click()
    await page.getByRole('alert').getByText('complete e-mail address').waitFor()
    assert.equal(await page.getByLabel('Your e-mail address').inputValue(), 'ada@example')
    assert.ok(await page.getByRole('group', { name: 'World News' }).getByRole('radio', { name: 'Monthly' }).isChecked())
    assert.equal(await page.evaluate('document.activeElement.id'), 'problems')
    await page.getByRole('alert').getByRole('link').click()
    assert.equal(await page.evaluate('document.activeElement.id'), 'email')
    assert.deepEqual(troubles, [])
  },
  options,
)

story(
  'a reader can sign up with the keyboard alone',
  async (house) => {
    await addCategories(house)
    await using visiting = await visit(house)
    const { page } = visiting
    await page.goto(`${home}/`)
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.className'), 'skip')
    while ((await page.evaluate('document.activeElement.id')) !== 'email') await page.keyboard.press('Tab')
    await page.keyboard.type('ada@example.com')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    for (const key of ['Tab', 'ArrowRight', 'Tab', 'Space', 'Tab', 'Space', 'Enter']) await page.keyboard.press(key)
    await page.waitForURL(`${home}/subscribe/check-your-mail`)
    const { choices } = await house.db.selectFrom('signupRequests').select('choices').executeTakeFirstOrThrow()
    assert.deepEqual(choices, { business: 'weekly' })
  },
  options,
)

story(
  'no page is wider than a small phone, and every target there is large enough to touch',
  async (house) => {
    await addCategories(house)
    const { id } = await subscribeFully(house, 'a.rather.long.address.of.a.patient.reader@subdomain.example.com')
    await using visiting = await visit(house, { width: 320 })
    const { page, troubles } = visiting
    const paths = [
      '/',
      '/subscribe/check-your-mail',
      '/preferences',
      '/archive',
      '/embed',
      '/privacy',
      '/terms',
      '/confirm?token=x',
      preferencesUrl(house.config, { id, generation: 0 }, house.clock.now()).replace(home, ''),
      unsubscribeUrl(house.config, id).replace(home, ''),
    ]
    for (const path of paths) {
      await page.goto(home + path)
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320, path)
      // WCAG 2.2, 2.5.8: 24 by 24 pixels; links within a sentence are exempt.
      const small = await page.evaluate(`
        [...document.querySelectorAll('button:not([hidden]), select, input:not([type=hidden]):not([tabindex="-1"]), nav a')]
          .map((one) => (one.closest('label') ?? one).getBoundingClientRect())
          .filter((box) => box.width < 24 || box.height < 24).length`)
      assert.equal(small, 0, path)
    }
    assert.deepEqual(troubles, [])
  },
  options,
)
