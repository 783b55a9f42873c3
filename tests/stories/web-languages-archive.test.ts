// The archive, the site's own pages and the form for other sites in other languages: whole sentences, true lang and dir, names of
// categories and texts of the site as editors gave them, and stories of the other direction.

import assert from 'node:assert/strict'
import { triggerDigest } from '../../src/planning/trigger.ts'
import { english } from '../../src/messages/english.ts'
import { messagesFor } from '../../src/messages/messages.ts'
import { story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addReader, addStory, tick } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories } from '../support/readers.ts'

/** Sentences of the pages' frame, as they are; what has blanks is found by its words between them. */
const frameOf = (areas: RegExp) =>
  Object.entries(english).flatMap(([key, text]) => {
    const words = text.split(/[{<][^]*/)[0]!.trim()
    return areas.test(key) && words.length > 4 ? [{ key, words: words.replaceAll('’', '&#39;|’').split('|') }] : []
  })

story(
  'archive, own pages and embedded form in German and Arabic, with Hebrew stories',
  async (house) => {
    await addCategories(house, ['Politics', 'World News'])
    await addReader(house.ctx, { email: 'ada@mail.example', choice: { 1: 'daily', 2: 'daily' } })
    await addReader(house.ctx, { email: 'ben@xn--exmple-cua.com', choice: { 1: 'daily' } })
    await addStory(house.ctx, 'The ferry', [1])
    await addStory(house.ctx, 'חדשות: המעבורת (BBC).', [1])
    const { id } = await triggerDigest(house.ctx, { actor: 'cli' })
    await tick(house.ctx)
    await sendWaitingMail(house)

    const api = await openApi(house)
    const german = { de: { name: 'Politik', description: 'Aus Bund und Ländern' }, ar: { name: 'سياسة' } }
    const { body } = await api('patch', '/categories/politics').send({ translations: german }).expect(200)
    assert.deepEqual(body.translations, german)
    await api('patch', '/categories/politics')
      .send({ translations: { de: { name: '<b>' } } })
      .expect(400)
    const editor = await openConsole(house)
    assert.match((await editor.get('/admin/subscribers')).text, />ben@exämple\.com</)
    assert.match((await editor.get('/admin/categories/politics')).text, /value="Politik"/)
    await editor
      .post('/admin/categories/world-news', { name: 'World News', 'translations[de][name]': 'Welt' })
      .expect(303)
    assert.match((await editor.get('/admin/site-texts')).text, /Deutsch[^]*name="optInStatement"/)
    await editor.post('/admin/site-texts/de', { tagline: 'Nachrichten für Sie' }).expect(303)
    const { body: given } = await api('get', '/site-texts').expect(200)
    assert.deepEqual(given.items, [{ language: 'de', tagline: 'Nachrichten für Sie' }])

    const paths = ['/archive', `/archive/${id}`, '/archive/politics', '/about', '/contact', '/privacy', '/terms']
    for (const language of ['de', 'ar']) {
      const say = messagesFor(house.config, language)
      for (const path of [...paths, '/disclaimer', '/embed']) {
        const { text, headers } = await house.web.get(`${path}?lang=${language}`).expect(200)
        assert.match(text, new RegExp(`<html lang="${language}" dir="${say.dir}"`), path)
        assert.equal(headers['content-language'], language, path)
        const frame = frameOf(path === '/embed' ? /^site\./ : /^(archive|embed|site)\./)
        for (const { key, words } of frame)
          assert.ok(!words.some((each) => text.includes(`>${each}<`) || text.includes(`"${each}"`)), `${path}: ${key}`)
      }
    }
    const pageIn = async (path: string) => (await house.web.get(path).expect(200)).text
    assert.match(await pageIn('/archive/politics?lang=de'), /<h1 dir="ltr">Politik<[^]*Aus Bund und Ländern/)
    assert.match(await pageIn('/archive?lang=de'), />Welt<\/a>[^]*>0 Artikel</)
    const arabic = await pageIn(`/archive/${id}?lang=ar`)
    assert.match(arabic, /<h3 lang="en" dir="ltr"><a [^>]*>The ferry</)
    assert.match(arabic, /<h2 class="section-name" dir="rtl"><a [^>]*>سياسة</)
    assert.match(arabic, /href="\/archive\?lang=ar">جميع الأعداد</)
    assert.match(arabic, /<meta property="og:locale" content="ar_EG" \/>/)
    assert.match(arabic, /<link rel="canonical" href="http:\/\/news\.example\/archive\/1\?lang=ar" \/>/)
    assert.match(arabic, /<link rel="alternate" hreflang="de" href="http:\/\/news\.example\/archive\/1\?lang=de" \/>/)
    assert.match(await pageIn(`/archive/${id}`), /<h3 dir="rtl"><a [^>]*>חדשות/)
    assert.match(
      await pageIn('/archive'),
      /<li class="" dir="rtl">\s*<a [^>]*>חדשות[^]*<span class="byline" dir="ltr">/,
    )

    assert.match(await pageIn('/archive/feed.xml?lang=de'), /<language>de<[^]*<category>Politik</)
    assert.match(await pageIn('/archive/feed.xml'), /<language>en<[^]*<category>Politics</)
    assert.match(
      await pageIn('/embed?lang=de'),
      /<title>The Whale Gazette abonnieren<[^]*Nachrichten für Sie[^]*>Politik/,
    )
    assert.match(await pageIn('/embed/form?lang=ar'), /^<div lang="ar" dir="rtl">[^]*\/subscribe\?lang=ar"/)
    assert.match(await pageIn('/embed.js'), /"de":\{"frame":"Newsletter abonnieren"/)
    const broken = await house.web.get('/digest?token=x&lang=de').expect(400)
    assert.match(broken.text, /<h1>Dieser Link funktioniert nicht</)
    assert.match((await house.web.get('/archive/99?lang=de').expect(404)).text, /Diese Ausgabe gibt es/)
  },
  { on: 'embedded' },
)
