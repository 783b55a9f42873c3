import assert from 'node:assert/strict'
import { signToken } from '../../src/base/tokens.ts'
import { storyUrl } from '../../src/articles/story-url.ts'
import { story } from '../support/house.ts'

story(
  'a counted link leads to its story, counts the story and no person, and can lead nowhere else',
  async ({ web, db, config }) => {
    const at = new Date('2026-03-02T06:00:00Z')
    const link = 'https://stories.example/1?a=b&c=d'
    const values = { title: 'One', link, publishedAt: at, firstSeenAt: at, sendableAt: at, updatedAt: at }
    await db.insertInto('articles').values(values).execute()
    const url = new URL(storyUrl(config, { id: 1, link }, 7))
    assert.equal(url.pathname, '/click')
    for (let i = 0; i < 2; i++)
      await web
        .get(url.pathname + url.search)
        .expect(302)
        .expect('Location', link)
    assert.deepEqual(await db.selectFrom('storyClicks').selectAll().execute(), [{ articleId: 1, clicks: 2 }])
    const other = signToken(config.secretKeys, 'unsubscribe', '1', null)
    for (const token of [
      '',
      'x',
      '1.0.AAAAAAAAAAAAAAAAAAAAAA',
      other,
      signToken(config.secretKeys, 'click', '2', null),
    ])
      await web.get(`/click?token=${token}&url=https://evil.example/`).expect(404)
    assert.deepEqual(await db.selectFrom('storyClicks').select('clicks').execute(), [{ clicks: 2 }])
  },
  { env: { CLICK_COUNTS: 'on' } },
)

story(
  'a counted link to the site gets its parameters when it is followed, with the edition that it was in',
  async ({ web, db, config }) => {
    const at = new Date('2026-03-02T06:00:00Z')
    const values = { title: 'One', publishedAt: at, firstSeenAt: at, sendableAt: at, updatedAt: at }
    const links = ['https://paper.example/1?a=b#c', 'https://other.example/2']
    const followed = ['https://paper.example/1?a=b&utm_campaign=7#c', 'https://other.example/2']
    for (const [index, link] of links.entries()) {
      await db
        .insertInto('articles')
        .values({ ...values, link })
        .execute()
      const url = new URL(storyUrl(config, { id: index + 1, link }, 7))
      await web
        .get(url.pathname + url.search)
        .expect(302)
        .expect('Location', followed[index]!)
    }
    assert.deepEqual(await db.selectFrom('storyClicks').select('clicks').execute(), [{ clicks: 1 }, { clicks: 1 }])
  },
  {
    env: { CLICK_COUNTS: 'on', SITE_URL: 'https://paper.example', LINK_PARAMETERS: 'utm_campaign={edition}' },
    on: 'embedded',
  },
)
