// The whole product for one reader: sign-up, welcome, a digest of exactly what was chosen, one click, silence.

import assert from 'node:assert/strict'
import { runTick } from '../../src/planning/tick.ts'
import { story, type House } from '../support/house.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, getSubscriber, subscribeFully } from '../support/readers.ts'
import { addStory } from '../support/newsroom.ts'

/** What the scheduler and the worker do in a minute. */
async function passAMinute(house: House): Promise<void> {
  await runTick(house.ctx)
  await sendWaitingMail(house)
  await runTick(house.ctx)
}

story(
  'sign up, get the digest that was chosen, leave by one click, hear nothing more',
  async (house) => {
    await addCategories(house)
    await subscribeFully(house, 'ada@example.com', { politics: 'daily', business: 'weekly' })
    await subscribeFully(house, 'bob@example.com', { 'world-news': 'daily' })
    await addStory(house.ctx, 'The ferry is back', [1])
    await addStory(house.ctx, 'Far away', [2])
    await addStory(house.ctx, 'The price of rope', [3])
    await passAMinute(house)
    assert.equal(house.inbox.to('ada@example.com').length, 2, 'a confirmation and a welcome, and no digest at once')
    house.inbox.clear()

    // Tuesday, 07:00 in Berlin: Business is weekly, on Mondays.
    house.clock.set('2026-03-03T06:00:00Z')
    await passAMinute(house)
    const [first, ...more] = house.inbox.to('ada@example.com')
    assert.equal(more.length, 0)
    assert.match(first!.mail.html!, /The ferry is back/)
    assert.doesNotMatch(first!.mail.html!, /The price of rope|Far away/)
    assert.match(house.inbox.last('bob@example.com').mail.html!, /Far away/)
    await passAMinute(house)
    assert.equal(house.inbox.to('ada@example.com').length, 1, 'a second tick sends nothing')

    const archive = await house.web.get('/archive').expect(200)
    const [, path] = /href="(\/archive\/\d+)"/.exec(archive.text)!
    const edition = await house.web.get(path!).expect(200)
    assert.match(edition.text, /The ferry is back/)
    assert.doesNotMatch(edition.text, /@example\.com/)

    const header = first!.mail.headers.find(({ key }) => key === 'list-unsubscribe')!.value
    const oneClick = new URL(/<(http[^>]+)>/.exec(header)![1]!)
    await house.web
      .post(oneClick.pathname + oneClick.search)
      .type('form')
      .send('List-Unsubscribe=One-Click')
      .expect(200)
    assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'unsubscribed')
    house.inbox.clear()
    for (let day = 4; day < 12; day++) {
      await addStory(house.ctx, `News of the ${day}th`, [1, 2, 3])
      house.clock.set(`2026-03-${String(day).padStart(2, '0')}T06:00:00Z`)
      await passAMinute(house)
    }
    assert.equal(house.inbox.to('ada@example.com').length, 0)
    assert.equal(house.inbox.to('bob@example.com').length, 8)
  },
  { env: { DIGEST_HOUR: '7', DIGEST_WEEKDAY: '1' } },
)
