// An address becomes a feed: on the command line, in the console and by API. And what the command line does to feeds.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { addCategory } from '../../src/articles/categories.ts'
import { listRules } from '../../src/articles/feed-rules.ts'
import { getFeed, listFeeds } from '../../src/articles/feeds.ts'
import { allowHosts, typed } from '../support/command-line.ts'
import { type FeedServer, openFeedServer, rss } from '../support/feed-server.ts'
import { type House, story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'

const link = (href: string, title: string, type = 'application/rss+xml') =>
  `<link rel="alternate" type="${type}" title="${title}" href="${href}">`
const page = (...links: string[]) => `<!doctype html><html><head>${links.join('')}</head><body>News</body></html>`

/** Answers pages at their paths and a feed everywhere else that ends in .xml. */
async function withSite(house: House, pages: Record<string, string>, run: (site: FeedServer) => Promise<void>) {
  const site = await openFeedServer()
  allowHosts(house, site.host)
  site.answer = (request, response) => {
    const found = pages[request.url!]
    if (found !== undefined) return void response.setHeader('content-type', 'text/html').end(found)
    if (request.url!.endsWith('.xml'))
      return void response.end(rss([{ title: 'A', link: 'https://lantern.example/a' }]))
    response.writeHead(request.url!.startsWith('/busy') ? 503 : 404).end()
  }
  try {
    await addCategory(house.ctx, { name: 'Politics' })
    await run(site)
  } finally {
    await site.close()
  }
}

const pages = {
  '/one': page(link('/feed.xml', 'The Lantern')),
  '/with-comments': page(
    link('/comments/feed.xml', 'The Lantern » Comments Feed'),
    link('/story/feed.xml', 'The Lantern » Harbour reopens Comments Feed'),
    link('/main.xml', 'The Lantern » Feed'),
  ),
  '/several': page(link('/news.xml', 'News &amp; more'), link('/sport.xml', 'Sport')),
  '/none': page(),
  '/only-comments': page(link('/comments/feed/', 'Comments')),
  '/one-busy': page(link('/busy?feed', 'The Lantern')),
  '/broken': page(link('/gone', 'The Lantern')),
}

const urls = async (house: House) => (await listFeeds(house.db)).map((feed) => new URL(feed.url).pathname)

story('feed add follows a page to the one feed that it names, and lists several', async (house) => {
  await withSite(house, pages, async (site) => {
    const add = (path: string, ...more: string[]) => typed(house, ['feed', 'add', site.origin + path, ...more])
    const one = await add('/one', '--category', 'politics', '--json')
    assert.equal(one.code, 0, one.stderr)
    assert.deepEqual(one.lines(), [{ id: 1, url: `${site.origin}/feed.xml`, categories: ['politics'] }])
    assert.equal((await add('/with-comments')).code, 0)
    const several = await add('/several')
    assert.equal(several.code, 1)
    assert.match(several.stderr, /names 2 feeds.*\/news\.xml \(News & more\), .*\/sport\.xml \(Sport\)/)
    for (const [path, why] of [
      ['/none', /HTML page, not a feed/],
      ['/only-comments', /HTML page, not a feed/],
      ['/broken', /names .*\/gone, which is no feed: It answered 404/],
      ['/nowhere', /answered 404: there is nothing at this address/],
    ] as const) {
      const refused = await add(path)
      assert.equal(refused.code, 1, path)
      assert.match(refused.stderr, why)
      assert.doesNotMatch(refused.stderr, /\n {4}at /)
    }
    const busy = await add('/busy')
    assert.equal(busy.code, 0)
    assert.match(busy.stderr, /asked again.*503/)
    const behind = await add('/one-busy', '--json')
    assert.deepEqual(behind.lines(), [{ id: 4, url: `${site.origin}/busy?feed`, categories: [] }])
    assert.match((await add('/one')).stderr, /one of the feeds already/)
    assert.equal((await listFeeds(house.db)).length, 4)
  })
})

story('one feed in several formats is one feed; feeds that differ are a choice', async (house) => {
  const entry = '<entry><title>A</title><link href="https://lantern.example/a"/><id>a</id></entry>'
  const atom = `<feed xmlns="http://www.w3.org/2005/Atom"><title>The Lantern</title>${entry}</feed>`
  const more = {
    '/wordpress': page(
      link('/feed.xml', 'The Lantern &raquo; Feed'),
      link('/feed.xml?atom', 'The Lantern &raquo; Atom Feed', 'application/atom+xml'),
    ),
    '/versions': page(link('/v92.xml', 'The Lantern RSS 0.92'), link('/v2.xml', 'The Lantern RSS 2.0')),
    '/addresses': page(link('/rss/index.xml', ''), link('/atom/index.xml', '', 'application/atom+xml')),
    '/entries': page(link('/x.xml', 'Everything'), link('/same', 'All', 'application/atom+xml')),
    '/numbers': page(link('/feeds/7/rss.xml', 'Feed'), link('/feeds/8/rss.xml', 'Feed')),
    '/differ': page(link('/p.xml', 'Politics RSS'), link('/q', 'Sport Atom', 'application/atom+xml')),
    '/same': atom,
    '/q': atom.replaceAll('lantern.example/a', 'lantern.example/b'),
  }
  await withSite(house, { ...pages, ...more }, async (site) => {
    for (const [path, feed] of [
      ['/wordpress', '/feed.xml'],
      ['/versions', '/v92.xml'],
      ['/addresses', '/rss/index.xml'],
      ['/entries', '/x.xml'],
    ] as const) {
      const added = await typed(house, ['feed', 'add', site.origin + path, '--json'])
      assert.equal((added.lines()[0] as { url: string } | undefined)?.url, site.origin + feed, path + added.stderr)
    }
    for (const path of ['/numbers', '/differ'])
      assert.match((await typed(house, ['feed', 'add', site.origin + path])).stderr, /names 2 feeds/, path)
  })
})

story('the API follows a page to its one feed, and names several in its refusal', async (house) => {
  await withSite(house, pages, async (site) => {
    const api = await openApi(house, 'articles')
    const add = (path: string) => api('post', '/feeds').send({ url: site.origin + path, categories: ['politics'] })
    assert.equal((await add('/one').expect(201)).body.url, `${site.origin}/feed.xml`)
    const { body } = await add('/several').expect(409)
    assert.match(body.detail, /\/news\.xml \(News & more\), .*\/sport\.xml \(Sport\)/)
    assert.deepEqual(
      body.errors.map((error: { field: string }) => error.field),
      ['url', 'url'],
    )
    assert.match((await add('/none').expect(409)).body.errors[0].message, /HTML page/)
    assert.deepEqual(await urls(house), ['/feed.xml'])
  })
})

story('the console shows the feeds of a page to choose from', async (house) => {
  await withSite(house, pages, async (site) => {
    const console = await openConsole(house)
    const chosen = await console.post('/admin/feeds', { url: `${site.origin}/several` }).expect(303)
    const choice = await console.get(chosen.headers.location!).expect(200)
    assert.match(choice.text, /names 2 feeds\. Choose one/)
    assert.match(choice.text, /feeds\/try\?url=[^"]*news\.xml">News &amp; more</)
    await console.post('/admin/feeds', { url: `${site.origin}/one`, category: 'politics' }).expect(303)
    assert.deepEqual(await urls(house), ['/feed.xml'])
  })
})

story(
  'feeds are paused, resumed and removed on the command line, and each of it is in the audit log',
  async (house) => {
    await withSite(house, pages, async (site) => {
      await typed(house, ['feed', 'add', `${site.origin}/feed.xml`])
      assert.deepEqual((await typed(house, ['feed', 'pause', '1', '--json'])).lines(), [
        { id: 1, url: `${site.origin}/feed.xml`, state: 'paused' },
      ])
      assert.match((await typed(house, ['feed', 'resume', '1'])).stdout, /^Resumed .*It is due now/)
      assert.equal((await typed(house, ['feed', 'pause', 'x'])).code, 1)
      assert.match((await typed(house, ['feed', 'pause', '9'])).stderr, /no feed 9/)
      for (const says of [null, false]) {
        const asked = await typed(house, ['feed', 'remove', '1'], says)
        assert.equal(asked.code, 1)
        assert.match(asked.stderr, /Nothing was removed/)
      }
      assert.equal((await typed(house, ['feed', 'remove', '1'], true)).code, 0)
      assert.deepEqual(await urls(house), [])
      await typed(house, ['feed', 'add', `${site.origin}/feed.xml`])
      const told = await typed(house, ['feed', 'remove', '2', '--yes', '--json'])
      assert.deepEqual(told.lines(), [{ id: 2, url: `${site.origin}/feed.xml`, removed: true }])
      const lines = await house.db.selectFrom('auditLog').select(['action', 'actor']).orderBy('id').execute()
      assert.deepEqual(
        lines.filter(({ actor }) => actor === 'cli').map(({ action }) => action),
        ['feed.added', 'feed.paused', 'feed.resumed', 'feed.removed', 'feed.added', 'feed.removed'],
      )
    })
  },
)

story('rules are added, listed and removed on the command line, for one feed and for all', async (house) => {
  await withSite(house, pages, async (site) => {
    await typed(house, ['feed', 'add', `${site.origin}/feed.xml`])
    const rule = (...words: string[]) => typed(house, ['feed', 'rule', ...words])
    assert.equal((await rule('add', '1', 'label: Parliament = politics')).code, 0)
    assert.deepEqual((await rule('add', '1', 'title: sponsored = -', '--json')).lines(), [
      { number: 2, field: 'title', match: 'contains', pattern: 'sponsored', scheme: null, category: null },
    ])
    assert.equal((await rule('add', 'all', 'link: /ads/ = -')).code, 0)
    assert.match((await rule('list', '1')).stdout, /1 {2}label: Parliament = politics\n2 {2}title: sponsored = -/)
    assert.equal((await rule('list', 'all', '--json')).lines().length, 1)
    for (const [id, text, why] of [
      ['1', 'nonsense', /can’t be read/],
      ['1', 'label: x = nowhere', /no category nowhere/],
      ['7', 'label: x = politics', /no feed 7/],
    ] as const) {
      const refused = await rule('add', id, text)
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, why)
    }
    assert.match((await rule('remove', '1', '1')).stderr, /Nothing was removed/)
    assert.equal((await rule('remove', '1', '1', '--yes')).code, 0)
    assert.match((await rule('remove', '1', '5', '--yes')).stderr, /no rule 5/)
    assert.deepEqual(await listRules(house.db, 1), [
      { field: 'title', match: 'contains', pattern: 'sponsored', scheme: null, category: null },
    ])
    const written = 'label begins in https://paper.example/topics: Sport = politics'
    assert.equal((await rule('add', '1', written)).code, 0)
    assert.ok((await rule('list', '1')).stdout.includes(written))
    assert.equal((await typed(house, ['feed', 'change', '1', '--timezone', 'Mars/Base'])).code, 1)
    assert.equal((await typed(house, ['feed', 'change', '1', '--timezone', 'Asia/Tokyo', '--json'])).code, 0)
    assert.equal((await getFeed(house.db, 1)).timezone, 'Asia/Tokyo')
  })
})

const opml = (site: FeedServer) => `<?xml version="1.0"?><opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Politics"><outline text="The Lantern" type="rss" xmlUrl="${site.origin}/a.xml" htmlUrl="https://x.example/"/>
  <outline text="World &amp; Harbours"><outline title="Deep" type="rss" xmlUrl="${site.origin}/b.xml"/></outline></outline>
<outline text="Спорт"><OUTLINE TEXT="Twice" xmlURL="${site.origin}/a.xml"/><outline text="Inside" xmlUrl="http://10.0.0.1/feed"/>
  <outline text="Known" xmlUrl="feed://${site.host}/known.xml"/><outline text="A note"/></outline>
<outline text="Loose" xmlUrl="${site.origin}/c.xml" category="/News/Sea"/>
<outline text="Again" xmlUrl="${site.origin}/c.xml" category="Sea"/></body></opml>`

story(
  'a list of feeds is imported with its folders as categories, after a report that names duplicates',
  async (house) => {
    await withSite(house, pages, async (site) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'opml-'))
      try {
        const write = (name: string, text: string) => {
          writeFileSync(path.join(folder, name), text)
          return path.join(folder, name)
        }
        await typed(house, ['feed', 'add', `${site.origin}/known.xml`])
        const file = write('feeds.opml', opml(site).replace('feed://', 'http://'))
        const dry = await typed(house, ['feed', 'import', file, '--dry-run', '--json'])
        assert.equal(dry.code, 0, dry.stderr)
        assert.deepEqual(dry.lines().at(-1), {
          event: 'would-import',
          added: 3,
          duplicates: 3,
          refused: 1,
          newCategories: ['World & Harbours', 'Спорт', 'Sea'],
        })
        assert.deepEqual(await urls(house), ['/known.xml'])
        const asked = await typed(house, ['feed', 'import', file], false)
        assert.match(asked.stderr, /Nothing was imported/)
        assert.match(asked.stdout, /skip.*known\.xml {2}It is feed 1 already/)
        assert.match(asked.stdout, /skip.*10\.0\.0\.1\/feed {2}10\.0\.0\.1 is not a public address/)
        assert.deepEqual(await urls(house), ['/known.xml'])
        assert.equal((await typed(house, ['feed', 'import', file], true)).code, 0)
        assert.deepEqual(
          (await listFeeds(house.db)).map((feed) => [new URL(feed.url).pathname, feed.categories]),
          [
            ['/known.xml', []],
            ['/a.xml', ['politics', 'category']],
            ['/b.xml', ['world-harbours']],
            ['/c.xml', ['sea']],
          ],
        )
        assert.equal((await typed(house, ['feed', 'import', file, '--yes'])).code, 1, 'all are there')
        for (const [text, why] of [
          ['<rss><channel/></rss>', /no OPML file/],
          ['<opml><body/></opml>', /without feeds/],
          [`<opml>${'<outline text="x">'.repeat(60)}`, /nested more than 50/],
          [`<opml>${'<outline/>'.repeat(6000)}`, /more than 5000/],
        ] as const) {
          const refused = await typed(house, ['feed', 'import', write('bad.opml', text)])
          assert.equal(refused.code, 1)
          assert.match(refused.stderr, why)
        }
        assert.match((await typed(house, ['feed', 'import', path.join(folder, 'none')])).stderr, /no such file/)
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  },
)

story('the API imports a list: dry first, then its feeds and categories, and again nothing', async (house) => {
  await withSite(house, pages, async (site) => {
    const api = await openApi(house)
    const post = (body: object) => api('post', '/feeds/opml').send(body)
    const states = (body: { feeds: { url: string; state: string }[] }) =>
      body.feeds.map(({ url, state }) => `${state} ${url.replace(site.origin, '')}`)
    const { body: dry } = await post({ opml: opml(site), dryRun: true }).expect(200)
    assert.deepEqual(dry.newCategories, ['World & Harbours', 'Спорт', 'Sea'])
    assert.deepEqual(await urls(house), [])
    const { body } = await post({ opml: opml(site) }).expect(200)
    assert.deepEqual(states(body), states(dry))
    assert.deepEqual(states(body).slice(0, 4), [
      'added /a.xml',
      'added /b.xml',
      'duplicate /a.xml',
      'refused http://10.0.0.1/feed',
    ])
    assert.deepEqual(await urls(house), ['/a.xml', '/b.xml', '/known.xml', '/c.xml'])
    const { actor } = await house.db
      .selectFrom('auditLog')
      .select('actor')
      .where('action', '=', 'category.added')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow()
    assert.match(actor, /^api-key:/)
    const again = await post({ opml: opml(site) }).expect(200)
    assert.ok(states(again.body).every((one) => !one.startsWith('added')))
    for (const text of ['', 'not a list', '<opml><body/></opml>']) {
      const refused = await post({ opml: text })
      assert.equal(refused.status, 409, text)
      assert.equal(refused.body.errors[0].field, 'opml')
    }
  })
})

story('the console shows what a pasted list would bring before it adds anything', async (house) => {
  await withSite(house, pages, async (site) => {
    const console = await openConsole(house)
    await console.get('/admin/feeds/import').expect(200)
    const shown = await console.post('/admin/feeds/import', { opml: opml(site) }).expect(200)
    assert.match(shown.text, /would be added/)
    assert.match(shown.text, /not a public address/)
    assert.deepEqual(await urls(house), [])
    const done = await console.post('/admin/feeds/import', { opml: opml(site), decided: 'yes' }).expect(200)
    assert.match(done.text, /were added/)
    assert.deepEqual(await urls(house), ['/a.xml', '/b.xml', '/known.xml', '/c.xml'])
    await console.post('/admin/feeds/import', { opml: 'nonsense' }).expect(400)
  })
})
