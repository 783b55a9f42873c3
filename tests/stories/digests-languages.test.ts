// One edition with subscribers of several languages: each gets their own, and all the same stories.

import assert from 'node:assert/strict'
import type { ClaimedDelivery } from '../../src/delivery/composer.ts'
import { digestComposer } from '../../src/digests/compose.ts'
import { makeSnapshot } from '../../src/digests/snapshot.ts'
import { countWords, moreWords } from '../../src/digests/layout.ts'
import { makeFrame, makeSource, readMail } from '../support/digest-mail.ts'
import { story } from '../support/house.ts'
import { addCategories, addReader, addStory, tick } from '../support/newsroom.ts'
import { test } from 'node:test'

story(
  'each subscriber gets the digest in their language, also in one that is chosen after the edition was rendered',
  async (house) => {
    const { ctx, db } = house
    const [politics] = await addCategories(db, 'politics')
    await db
      .updateTable('categories')
      .set({ translations: JSON.stringify({ ar: { name: 'السياسة' } }) })
      .execute()
    const titles = ['Harbour opens', 'רכבת לילה חוזרת!', '«قطار الليل» يعود', 'Tide tables', 'Fog', 'Ferry', 'Lamp']
    for (const title of titles) await addStory(ctx, title, [politics!])
    const locales = [null, 'de-AT', 'ar', 'de']
    for (const locale of locales) {
      const id = await addReader(ctx, { choice: { [politics!]: 'daily' } })
      await db.updateTable('subscribers').set({ locale }).where('id', '=', id).execute()
    }
    house.clock.set('2026-03-02T07:00:00Z')
    await tick(ctx)
    const rows = await db.selectFrom('deliveries').selectAll().orderBy('subscriberId').execute()
    const compose = async (composer = digestComposer(ctx)) => {
      const deliveries = rows.map((row) => ({
        ...row,
        payload: null,
        articleIds: null,
        attempt: 0,
      })) as ClaimedDelivery[]
      const run = await composer.prepare(deliveries)
      return Promise.all(
        deliveries.map(async (delivery) => {
          const composed = await run(delivery)
          assert.equal(composed.outcome, 'mail')
          if (composed.outcome !== 'mail') throw new Error('no mail')
          const { mail, record } = composed
          const { html, text } = await readMail(mail)
          assert.equal(mail.htmlBytes, Buffer.byteLength(html.trimEnd()) + 2)
          const language = Object.fromEntries(mail.headers)['Content-Language']
          const [, lang, dir] = /<html lang="([^"]*)" dir="([^"]*)"/.exec(html)!
          return { html, text, language, lang, dir, ids: record!.articleIds }
        }),
      )
    }
    const [english, austrian, arabic, german] = await compose()
    assert.deepEqual(
      [english, austrian, arabic, german].map((mail) => [mail!.language, mail!.lang, mail!.dir]),
      [
        ['en', 'en', 'ltr'],
        ['de', 'de', 'ltr'],
        ['ar', 'ar', 'rtl'],
        ['de', 'de', 'ltr'],
      ],
    )
    for (const mail of [austrian, arabic, german]) assert.deepEqual(mail!.ids, english!.ids)
    assert.match(english!.html, />Unsubscribe</)
    assert.match(german!.html, />Abmelden</)
    assert.match(german!.html, /Montag, 2\. März 2026/)
    assert.match(arabic!.html, />إلغاء الاشتراك</)
    assert.match(arabic!.html, /<h2 [^>]*>السياسة</)
    assert.doesNotMatch(arabic!.html, /direction:ltr|text-align:left|padding:4px 0 0 16px/)
    assert.doesNotMatch(arabic!.text, /Unsubscribe|more in|Share|You get/)
    // In both directions a story says its own.
    assert.match(arabic!.html, /<h3 dir="ltr" align="left"[^>]*>(?:<[^>]*>)*Harbour opens</)
    assert.match(english!.html, /<h3 dir="rtl" align="right"[^>]*>(?:<[^>]*>)*רכבת לילה חוזרת!</)

    await db.updateTable('subscribers').set({ locale: 'fr' }).where('locale', '=', 'de-AT').execute()
    const [, french] = await compose()
    assert.equal(french!.lang, 'fr')
    assert.match(french!.html, />Se désabonner</)
    assert.deepEqual(french!.ids, english!.ids)

    // An edition in one language has no slots in its stories.
    await db.updateTable('subscribers').set({ locale: null }).execute()
    const { id } = await db.selectFrom('editions').select('id').executeTakeFirstOrThrow()
    await makeSnapshot(ctx, id)
    const [again] = await compose()
    assert.equal(again!.text, english!.text)
    assert.ok(again!.html.length < english!.html.length)
  },
)

test('counts are whole sentences with the plurals of each language', async () => {
  const frame = await makeFrame({ ...makeSource(1, 1), languages: ['de', 'ar'] })
  const said = (locale: string) => {
    const own = frame.inLanguage(locale)
    const category = own.edition.categories.get(1)!
    return [0, 1, 2, 3, 11, 100].map((count) => {
      const more = moreWords(own, category, count)
      assert.ok(more.html.size > 0 && countWords(own, count).text.size > 0)
      return own.say('digest.stories', { count })
    })
  }
  assert.deepEqual(said('en'), ['0 stories', '1 story', '2 stories', '3 stories', '11 stories', '100 stories'])
  assert.deepEqual(said('de'), ['0 Artikel', '1 Artikel', '2 Artikel', '3 Artikel', '11 Artikel', '100 Artikel'])
  assert.deepEqual(said('ar'), ['لا أخبار', 'خبر واحد', 'خبران', '3 أخبار', '11 خبرًا', '100 خبر'])
})
