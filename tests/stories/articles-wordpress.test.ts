// A WordPress site's categories become ours, each with its feed: from its API, from its links, and what can't be read is said.

import assert from 'node:assert/strict'
import { addCategory, retireCategory } from '../../src/articles/categories.ts'
import { listFeeds } from '../../src/articles/feeds.ts'
import { listCategories } from '../../src/articles/store.ts'
import { allowHosts, typed } from '../support/command-line.ts'
import { type House, story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import {
  openWordPress,
  type Term,
  usualTerms,
  type WordPress,
  type WordPressOptions,
} from '../support/wordpress-site.ts'

async function withWordPress(
  house: House,
  options: WordPressOptions,
  run: (site: WordPress) => Promise<void>,
  terms: readonly Term[] = usualTerms,
): Promise<void> {
  const site = await openWordPress(options, terms)
  allowHosts(house, site.host)
  try {
    await run(site)
  } finally {
    await site.close()
  }
}

const add = (house: House, site: WordPress, ...more: string[]) => typed(house, ['feed', 'add', site.url, ...more])
const feeds = async (house: House) => (await listFeeds(house.db)).map(({ url, categories }) => [url, ...categories])

story('feed add offers the categories of a WordPress site, with counts and what to type', async (house) => {
  for (const isPlain of [false, true])
    for (const home of ['/', '/news/'])
      for (const isNamed of [true, false])
        await withWordPress(house, { isPlain, home, isNamed }, async (site) => {
          const offered = await add(house, site)
          assert.equal(offered.code, 1)
          assert.match(offered.stdout, /^ {2}World {2}\(120 stories\)/)
          assert.match(offered.stdout, /Politics & Society {2}\(41 stories\)/)
          assert.match(offered.stdout, /Gesellschaft & Küche/)
          assert.match(offered.stdout, /Спорт/)
          assert.ok(offered.stdout.includes(site.feedOf('politics')), offered.stdout)
          assert.match(offered.stderr, /--category "World" "Politics & Society"/)
          const lines = (await add(house, site, '--json')).lines()
          assert.deepEqual(lines[1], {
            event: 'offered',
            name: 'Politics & Society',
            slug: 'politics',
            stories: 41,
            url: site.feedOf('politics'),
          })
        })
  assert.deepEqual(await feeds(house), [])
  assert.deepEqual(await listCategories(house.db), [])
})

story('the chosen categories are made with their feeds in one step; one that is ours gets the feed', async (house) => {
  await withWordPress(house, { isPlain: true, brokenFeeds: ['gesellschaft-kueche'] }, async (site) => {
    await addCategory(house.ctx, { name: 'world' })
    const added = await add(house, site, '--category', 'politics & society', 'world', 'Спорт', 'gesellschaft-kueche')
    assert.equal(added.code, 1, 'one could not be read')
    assert.match(added.stderr, /Gesellschaft & Küche was not added\. Its feed can’t be read\. It answered 500/)
    assert.deepEqual(await feeds(house), [
      [site.feedOf('politics'), 'politics'],
      [site.feedOf('world'), 'world'],
      [site.feedOf(usualTerms[4]!.slug), 'category-6'],
    ])
    assert.deepEqual(
      (await listCategories(house.db)).map(({ name, description }) => [name, description]),
      [
        ['world', ''],
        ['Politics & Society', 'All about it.'],
        ['Спорт', 'All about it.'],
      ],
    )
    const again = await add(house, site, '--category', 'politics')
    assert.match(again.stderr, /It is feed 1 already/)
    const missing = await add(house, site, '--category', 'Gardening')
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /no category Gardening\. It has: World, Politics & Society/)
    await retireCategory(house.ctx, 'world')
    assert.equal((await listFeeds(house.db)).length, 3)
    const lines = await house.db.selectFrom('auditLog').select('action').orderBy('id').execute()
    assert.deepEqual(
      lines.map(({ action }) => action),
      ['category.added', 'feed.added', 'feed.added', 'category.added', 'feed.added'],
    )
  })
})

story('--all takes what has stories, and says what it leaves out', async (house) => {
  await withWordPress(house, {}, async (site) => {
    const added = await add(house, site, '--all', '--json')
    assert.equal(added.code, 0, added.stderr)
    assert.match(added.stderr, /Left out.*: Uncategorized, Weather/)
    assert.deepEqual(
      added.lines().map(({ categories }) => categories),
      [['world'], ['politics'], ['category-6'], ['gesellschaft-kueche']],
    )
    // By name it is taken all the same: it has a feed without stories.
    assert.equal((await add(house, site, '--category', 'Weather')).code, 0)
  })
})

story('without its API the categories that its pages link to are offered, and why is said', async (house) => {
  const whys = {
    off: /can’t be read\. It answered 404/,
    forbidden: /can’t be read\. It answered 401/,
    junk: /can’t be read\./,
    broken: /can’t be read\. It answered broken JSON/,
    'not-a-list': /can’t be read\. It answered something that is no list/,
    html: /can’t be read\. It answered broken JSON/,
  } as const
  const menu = ['politics', 'world', usualTerms[4]!.slug]
  for (const isPlain of [false, true])
    for (const [api, why] of Object.entries(whys))
      await withWordPress(house, { api: api as keyof typeof whys, isPlain, menu, home: '/news/' }, async (site) => {
        const offered = await add(house, site, '--json')
        assert.match(offered.stderr, why, api)
        assert.match(offered.stderr, /There may be more/)
        assert.deepEqual(
          offered.lines().map(({ name, stories, url }) => [name, stories, url]),
          menu.map((slug) => {
            const { name } = usualTerms.find((term) => term.slug === slug)!
            return [name.replace('&amp;', '&'), null, site.feedOf(slug)]
          }),
          api,
        )
      })
  await withWordPress(house, { api: 'off', menu }, async (site) => {
    assert.equal((await add(house, site, '--all')).code, 0)
    assert.equal((await feeds(house)).length, 3)
  })
})

story('where no category can be read, the one feed of the site is added, and that is said', async (house) => {
  await addCategory(house.ctx, { name: 'News' })
  await withWordPress(house, { api: 'forbidden' }, async (site) => {
    const added = await add(house, site, '--category', 'news')
    assert.equal(added.code, 0, added.stderr)
    assert.match(added.stderr, /can’t be read\. It answered 401.*link to no category either/)
    assert.deepEqual(await feeds(house), [[`${site.url}feed/`, 'news']])
  })
})

story(
  'hundreds of categories are read page by page, with and without totals, and a page that fails is said',
  async (house) => {
    const many = Array.from({ length: 250 }, (_, n): Term => ({
      id: n + 2,
      name: `Town ${n}`,
      slug: `town-${n}`,
      count: 1,
    }))
    const count = async (options: WordPressOptions, terms: readonly Term[] = many) => {
      let offered = ''
      let said = ''
      await withWordPress(
        house,
        options,
        async (site) => {
          const { stdout, stderr } = await add(house, site, '--json')
          offered = stdout
          said = stderr
        },
        terms,
      )
      return { offered: offered.split('\n').length - 1, said }
    }
    assert.equal((await count({})).offered, 250)
    assert.equal((await count({ hasTotals: false })).offered, 250)
    assert.equal((await count({ hasTotals: false }, many.slice(0, 200))).offered, 200)
    const broken = await count({ failingPage: 2 })
    assert.equal(broken.offered, 100)
    assert.match(broken.said, /Page 2 of its list of categories can’t be read\. It answered 503/)
    assert.match(broken.said, /Only the first 100 of 250 are shown/)
  },
)

story('the console offers the categories with checkboxes, and adds those that are ticked', async (house) => {
  await withWordPress(house, { brokenFeeds: ['world'] }, async (site) => {
    const console = await openConsole(house)
    const tried = await console.get(`/admin/feeds/try?url=${encodeURIComponent(site.url)}`).expect(303)
    const offer = await console.get(tried.headers.location!).expect(200)
    assert.match(offer.text, /Politics &amp; Society/)
    assert.match(offer.text, /41 stories/)
    const send = (...slugs: string[]) =>
      console.post('/admin/feeds/site', { url: site.url, feed: slugs.map((slug) => site.feedOf(slug)) })
    await send('politics').expect(303)
    assert.deepEqual(await feeds(house), [[site.feedOf('politics'), 'politics']])
    assert.match((await console.get(tried.headers.location!)).text, /feed 1 already/)
    const partly = await send('weather', 'world').expect(200)
    assert.match(partly.text, /fetched within a minute: Weather/)
    assert.match(partly.text, /<b>World<\/b>: Its feed can’t be read\. It answered 500/)
    await send().expect(400)
    // What the site doesn't offer isn't taken from the form.
    await console.post('/admin/feeds/site', { url: site.url, feed: 'https://elsewhere.example/feed/' }).expect(400)
    assert.equal((await feeds(house)).length, 2)
  })
})

story('the API offers the categories of a site, and makes the chosen ones', async (house) => {
  await withWordPress(house, {}, async (site) => {
    const api = await openApi(house)
    const offered = () => api('get', `/feeds/wordpress?url=${encodeURIComponent(site.url)}`).expect(200)
    const { body } = await offered()
    assert.deepEqual(body.categories[1], {
      name: 'Politics & Society',
      slug: 'politics',
      stories: 41,
      feedUrl: site.feedOf('politics'),
      feedId: null,
      isUnfiled: false,
    })
    assert.deepEqual(await feeds(house), [])
    const choose = (more: object) => api('post', '/feeds/wordpress').send({ url: site.url, ...more })
    const { added, left } = (await choose({ categories: ['Politics & Society', 'world'] }).expect(200)).body
    assert.deepEqual(added[0], {
      feedId: 1,
      url: site.feedOf('politics'),
      slug: 'politics',
      name: 'Politics & Society',
      isNew: true,
    })
    assert.deepEqual([added.length, left], [2, []])
    assert.equal((await offered()).body.categories[1].feedId, 1)
    assert.match((await choose({ categories: ['politics'] })).body.left[0].why, /feed 1 already/)
    for (const [more, field] of [
      [{}, 'categories'],
      [{ categories: ['Nowhere'] }, 'categories'],
      [{ url: 'https://127.0.0.1:1/', all: true }, 'url'],
    ] as const) {
      const refused = await choose(more)
      assert.deepEqual([refused.status, refused.body.errors?.[0]?.field], [409, field], JSON.stringify(refused.body))
    }
    await choose({ all: true }).expect(200)
    const cli = await house.db.selectFrom('auditLog').select('actor').distinct().execute()
    assert.ok(
      cli.every(({ actor }) => actor.startsWith('api-key:') || actor === 'cli'),
      JSON.stringify(cli),
    )
  })
})
