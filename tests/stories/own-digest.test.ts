// "View my digest": one subscriber's digest as a page, behind a signed link.

import assert from 'node:assert/strict'
import { triggerDigest } from '../../src/planning/trigger.ts'
import { endOlderLinks } from '../../src/subscribers/generation.ts'
import { viewDigestUrl } from '../../src/subscribers/links.ts'
import { type House, story } from '../support/house.ts'
import { addReader, addStory, tick } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories } from '../support/readers.ts'

async function send(house: House, options: { onlySubscriberId?: number } = {}): Promise<number> {
  const { id } = await triggerDigest(house.ctx, { actor: 'cli', ...options })
  await tick(house.ctx)
  await sendWaitingMail(house)
  return id
}

const linkOf = (house: House, id: number, editionId: number, generation = 0): string => {
  const url = new URL(viewDigestUrl(house.config, { id, generation }, editionId))
  return url.pathname + url.search
}
const headingsOf = (page: string) =>
  [...page.matchAll(/<h([23])[^>]*>(?:<a [^>]*>)?([^<]+)/g)].map((match) => match[2]!)

story(
  'it shows what was sent to this subscriber, in the order of the mail, and no way to change anything',
  async (house) => {
    await addCategories(house)
    for (let number = 1; number <= 7; number++) await addStory(house.ctx, `Politics ${number}`, [1])
    await addStory(house.ctx, 'In both', [1, 2])
    await addStory(house.ctx, 'World', [2])
    await addStory(house.ctx, 'Business', [3])
    // Bob puts World News first.
    const ada = await addReader(house.ctx, { email: 'ada@mail.example', choice: { 1: 'daily' } })
    const bob = await addReader(house.ctx, { email: 'bob@mail.example', choice: { 1: 'daily', 2: 'daily' } })
    for (const [position, categoryId] of [2, 1].entries())
      await house.db
        .updateTable('subscriptions')
        .set({ position })
        .where('subscriberId', '=', bob)
        .where('categoryId', '=', categoryId)
        .execute()
    const edition = await send(house)
    for (const [id, email] of [
      [ada, 'ada@mail.example'],
      [bob, 'bob@mail.example'],
    ] as const) {
      const page = await house.web.get(linkOf(house, id, edition)).expect(200)
      const known = new Set(headingsOf(page.text))
      const lines = house.inbox
        .last(email)
        .mail.text!.split('\n')
        .map((line) => line.trim())
      const mailed = lines.filter((line) => known.has(line) || line === 'You may also like')
      assert.ok(known.size > 6)
      assert.deepEqual(headingsOf(page.text), mailed, email)
      assert.equal(page.headers['cache-control'], 'no-store')
      assert.equal(page.headers['referrer-policy'], 'no-referrer')
      assert.equal(page.headers['x-robots-tag'], 'noindex')
      // Its own address in other languages has its own token.
      const rest = page.text.replace(/<nav[^>]* class="languages">.*?<\/nav>/s, '')
      assert.doesNotMatch(rest, /preferences|unsubscribe|mail\.example|token=|rel="canonical"|og:/)
    }
    assert.doesNotMatch((await house.web.get(linkOf(house, ada, edition))).text, /Business/)
    const withdrawn = await house.db
      .selectFrom('articles')
      .select('id')
      .where('title', '=', 'Politics 6')
      .executeTakeFirstOrThrow()
    await house.db
      .updateTable('articles')
      .set({ withdrawnAt: house.clock.now() })
      .where('id', '=', withdrawn.id)
      .execute()
    assert.doesNotMatch((await house.web.get(linkOf(house, ada, edition))).text, /Politics 6/)
  },
)

story('once the delivery is no longer stored it shows the public edition, and says so', async (house) => {
  await addCategories(house)
  await addStory(house.ctx, 'Of politics', [1])
  await addStory(house.ctx, 'Of business', [3])
  const ada = await addReader(house.ctx, { email: 'ada@mail.example', choice: { 1: 'daily' } })
  await addReader(house.ctx, { email: 'bob@mail.example', choice: { 3: 'daily' } })
  const edition = await send(house)
  await addStory(house.ctx, 'A later one', [1])
  const only = await send(house, { onlySubscriberId: ada })
  await house.web.get(linkOf(house, ada, only)).expect(200, /A later one/)
  await house.db.deleteFrom('deliveries').execute()
  const page = await house.web.get(linkOf(house, ada, edition)).expect(200)
  assert.match(page.text, /Of business/)
  assert.match(page.text, /no longer stored/)
  assert.equal(page.headers['x-robots-tag'], 'noindex')
  // What went to one address has no public edition.
  await house.web.get(linkOf(house, ada, only)).expect(410)
})

story('it ends with the subscriber’s generation, and only its own token opens it', async (house) => {
  await addCategories(house)
  await addStory(house.ctx, 'The ferry', [1])
  const ada = await addReader(house.ctx, { email: 'ada@mail.example', choice: { 1: 'daily' } })
  const edition = await send(house)
  const link = linkOf(house, ada, edition)
  for (const trail of ['.', ')', '%3E']) await house.web.get(link + trail).expect(200, /The ferry/)
  for (const [path, status] of [
    ['/digest', 400],
    ['/digest?token=x', 400],
    [link.slice(0, -1), 400],
    [`${link}&token=y`, 400],
    [linkOf(house, ada, edition + 1), 410],
    [linkOf(house, ada + 1, edition), 410],
    [linkOf(house, ada, edition, 1), 410],
  ] as const) {
    const page = await house.web.get(path).expect(status)
    assert.doesNotMatch(page.text, /The ferry/)
    assert.equal(page.headers['cache-control'], 'no-store')
  }
  await endOlderLinks(house.ctx, ada, { isMailed: false })
  const ended = await house.web.get(link).expect(410)
  assert.match(ended.text, new RegExp(`href="/archive/${edition}"`))
  await house.web.get(linkOf(house, ada, edition, 1)).expect(200, /The ferry/)
})
