// A reader's whole way in German and in Arabic: no sentence of the frames is English, and every page names its language.

import assert from 'node:assert/strict'
import { story, type House } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, buttonOf, getSubscriber } from '../support/readers.ts'
import { english } from '../../src/messages/english.ts'
import { preferencesUrl, unsubscribeUrl } from '../../src/subscribers/links.ts'

/** Of pages: the parts of the English messages that are longer than three words. */
const sentences = Object.entries(english)
  .filter(([key]) => /^(?:common|form|preferences)\./.test(key))
  .flatMap(([, text]) => text.split(/<[^>]*>|[{}]/))
  .map((part) => part.trim())
  .filter((part) => part.split(/\s+/).length > 3 && !/^\w+, (?:plural|select),/.test(part))

function isIn(language: string, answer: { text: string; headers: Record<string, string> }): void {
  const dir = language === 'ar' ? 'rtl' : 'ltr'
  assert.match(answer.text, new RegExp(`<html lang="${language}" dir="${dir}">`))
  assert.equal(answer.headers['content-language'], language)
  assert.match(answer.headers['vary']!, /Accept-Language/)
  const words = answer.text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
  assert.deepEqual(
    sentences.filter((sentence) => words.includes(sentence)),
    [],
  )
  // The switch leads to this very page in the other languages.
  assert.match(answer.text, /href="\/[^"]*[?&](?:amp;)?lang=en"[^>]*hreflang="en" lang="en"[^>]*>English</)
}

const pathOf = (url: string) => url.replace('http://news.example', '')

async function press(house: House, language: string, path: string, where: RegExp): Promise<{ text: string }> {
  const page = await house.web.get(path).set('Accept-Language', 'en').expect(200)
  isIn(language, page)
  const { action, fields } = buttonOf(page.text)
  assert.match(action, where)
  const answer = await house.web.post(action).set('Accept-Language', 'en').type('form').send(fields).expect(200)
  isIn(language, answer)
  return answer
}

for (const [language, accepted] of [
  ['de', 'sv, de-CH;q=0.9, en;q=0.8'],
  ['ar', 'ar-EG'],
] as const)
  story(`a reader signs up, confirms, changes the language and unsubscribes, all in ${language}`, async (house) => {
    await addCategories(house)
    const { web } = house
    const front = await web.get('/').set('Accept-Language', accepted).expect(200)
    isIn(language, front)
    const email = 'ada@example.com'
    const send = (fields: Record<string, string>) =>
      web.post(`/subscribe?lang=${language}`).set('Accept-Language', 'en').type('form').send(fields)
    const refused = await send({ email: 'jörg@example.com', 'frequency[politics]': 'daily' }).expect(400)
    isIn(language, refused)
    assert.match(refused.text, /[„«]\u2068?ö\u2069?[“»]/)
    const sent = await send({ email, 'frequency[politics]': 'daily' }).expect(303)
    assert.equal(sent.headers['location'], `/subscribe/check-your-mail?lang=${language}`)
    isIn(language, await web.get(sent.headers['location']).expect(200))
    const consent = await house.db.selectFrom('consents').select(['wording', 'language']).executeTakeFirstOrThrow()
    assert.ok(front.text.includes(consent.wording.replaceAll('&', '&amp;')), consent.wording)

    await sendWaitingMail(house)
    const link = linkIn(house.inbox.last(email).mail, /^\/confirm$/)
    await press(house, language, link, /^\/confirm$/)
    const subscriber = await getSubscriber(house, email)
    assert.equal(subscriber.locale, language)
    isIn(language, await web.get(link).expect(200))
    isIn(language, await web.get(link.replace('token=', 'token=x')).set('Accept-Language', accepted).expect(400))

    const preferences = pathOf(preferencesUrl(house.config, subscriber, house.clock.now()))
    isIn(language, await web.get(preferences).expect(200))
    isIn('fr', await web.get(`${preferences}&lang=fr`).expect(200))
    const token = new URL(preferences, 'http://x').searchParams.get('token')!
    const wrong = await web.post('/preferences').type('form').send({ token, pause: 'date' }).expect(400)
    isIn(language, wrong)
    const saved = await web.post('/preferences?lang=fr').type('form').send({ token, language: 'es' }).expect(303)
    assert.match(saved.headers['location']!, /&lang=es$/)
    isIn('es', await web.get(preferences).set('Accept-Language', 'en').expect(200))
    await web.post('/preferences').type('form').send({ token, language }).expect(303)
    isIn(language, await web.get(pathOf(preferences).replace('/preferences?', '/preferences/next?')).expect(200))

    await press(house, language, pathOf(unsubscribeUrl(house.config, subscriber.id)), /^\/unsubscribe$/)
    isIn(language, await web.get(preferences).expect(200))
    isIn(language, await web.get('/nowhere').set('Accept-Language', accepted).expect(404))
    isIn(language, await web.delete('/').set('Accept-Language', accepted).expect(405))
  })

story('a form that answers in place is answered in its language; the API stays English', async (house) => {
  await addCategories(house)
  const ask = (path: string, fields: object) =>
    house.web.post(path).set('Accept', 'application/json').set('Accept-Language', 'de').send(fields)
  const wrong = await ask('/subscribe', { email: 'ada', frequency: { politics: 'daily' } }).expect(400)
  assert.equal(wrong.body.detail, 'Bitte berichtigen Sie die markierten Felder.')
  assert.deepEqual(wrong.body.errors, [
    { field: 'email', message: 'Das ist keine vollständige E-Mail-Adresse wie name@example.com.' },
  ])
  const taken = await ask('/subscribe', { email: 'ada@bücher.example', frequency: { politics: 'daily' } }).expect(200)
  assert.match(taken.body.message, /^Wenn ada@bücher\.example jetzt/)
  const api = await ask('/api/v1/subscribers', { email: 'ada' }).expect(401)
  assert.equal(api.body.title, 'Please sign in')
})
