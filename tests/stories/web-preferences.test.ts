// The preferences page: every edit is kept, every change can be undone from the page that acknowledges it, the next digest is shown,
// and what shows or deletes everything asks for a fresh link.

import assert from 'node:assert/strict'
import { runTick } from '../../src/planning/tick.ts'
import { preferencesUrl } from '../../src/subscribers/links.ts'
import { changePreferences } from '../../src/subscribers/preferences.ts'
import { listSubscriptions } from '../../src/subscribers/store.ts'
import { story, type House } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, buttonOf, getSubscriber, pressButtonOn, subscribeFully } from '../support/readers.ts'
import { addStory } from '../support/newsroom.ts'

const all = { politics: 'daily', 'world-news': 'daily', business: 'weekly' }
const origin = { ip: null, formUrl: null }

async function openPreferences(house: House) {
  await addCategories(house)
  const { id } = await subscribeFully(house, 'ada@example.com', all)
  const url = preferencesUrl(house.config, { id, generation: 0 }, house.clock.now())
  const token = new URL(url).searchParams.get('token')!
  const post = (path: string, fields: Record<string, string> = {}) =>
    house.web
      .post(path)
      .type('form')
      .send({ token, ...fields })
  return { id, token, post, page: `/preferences?token=${token}` }
}

/** Everything that a change could change. */
async function stateOf(house: House, id: number) {
  const { timezone, sendHour, weeklyDay, monthlyDay, locale, pausedUntil, nextDueAt } = await getSubscriber(
    house,
    'ada@example.com',
  )
  const lines = await listSubscriptions(house.db, id)
  return { timezone, sendHour, weeklyDay, monthlyDay, locale, pausedUntil, nextDueAt, lines }
}

const undoIn = (page: string) => /name="undo" value="([^"]+)"/.exec(page)?.[1]

story('each change can be undone, exactly, from the page that acknowledges it, and so can the undo', async (house) => {
  const { id, page, post } = await openPreferences(house)
  const before = await stateOf(house, id)
  const saved = await post('/preferences', {
    'frequency[politics]': 'off',
    'frequency[business]': 'monthly',
    'order[world-news]': '2',
    'order[business]': '1',
    hour: '18',
    weekday: '5',
    monthday: '31',
    timezone: 'Asia/Tokyo',
    language: 'de',
    pause: '4',
    paused_until: '',
  }).expect(303)
  const after = await stateOf(house, id)
  assert.equal(after.pausedUntil?.toISOString(), '2026-03-29T15:00:00.000Z', 'Monday in four weeks, in Tokyo')
  const shown = await house.web.get(saved.headers['location'] as string).expect(200)
  const undo = undoIn(shown.text)!
  assert.ok(undo && !undoIn((await house.web.get(page).expect(200)).text))
  const undone = await post('/preferences/undo', { undo }).expect(303)
  assert.deepEqual(await stateOf(house, id), before)
  const again = undoIn((await house.web.get(undone.headers['location'] as string).expect(200)).text)!
  // A second press of the same button changes nothing, and says the same.
  await post('/preferences/undo', { undo }).expect(303)
  assert.deepEqual(await stateOf(house, id), before)
  await post('/preferences/undo', { undo: again }).expect(303)
  assert.deepEqual(await stateOf(house, id), after)
})

story('an undo is refused after a later change, after an hour, and for somebody else’s subscription', async (house) => {
  const { id, post } = await openPreferences(house)
  const save = async (hour: string) => {
    const { headers } = await post('/preferences', { hour }).expect(303)
    return undoIn((await house.web.get(headers['location'] as string)).text)!
  }
  const first = await save('18')
  const second = await save('19')
  await post('/preferences/undo', { undo: first }).expect(409)
  assert.equal((await getSubscriber(house, 'ada@example.com')).sendHour, 19)
  // By another way in.
  await changePreferences(house.ctx, id, { sendHour: 20 }, origin)
  await post('/preferences/undo', { undo: second }).expect(409)
  const third = await save('21')
  house.clock.advance('61m')
  await post('/preferences/undo', { undo: third }).expect(409)
  await post('/preferences/undo', { undo: 'x' }).expect(400)
  const fourth = await save('22')
  const { id: bob } = await subscribeFully(house, 'bob@example.com')
  const foreign = new URL(preferencesUrl(house.config, { id: bob, generation: 0 }, house.clock.now())).searchParams
  await post('/preferences/undo', { undo: fourth, token: foreign.get('token')! }).expect(409)
  assert.equal((await getSubscriber(house, 'ada@example.com')).sendHour, 22)
  assert.equal((await getSubscriber(house, 'bob@example.com')).sendHour, null)
})

story('weekly instead of daily, and a pause beside the unsubscribe button, keep the other edits', async (house) => {
  const { id, post } = await openPreferences(house)
  await post('/preferences', { instead: 'weekly', 'frequency[business]': 'monthly', hour: '18' }).expect(303)
  const now = await stateOf(house, id)
  assert.deepEqual(
    now.lines.map((line) => line.frequency),
    ['weekly', 'weekly', 'monthly'],
  )
  assert.equal(now.sendHour, 18)
  await post('/preferences', { instead: 'pause-4', pause: '', paused_until: '' }).expect(303)
  assert.equal((await stateOf(house, id)).pausedUntil?.toISOString(), '2026-03-29T22:00:00.000Z')
})

story('a pause of some weeks, until a date, or none; the date counts where it was just entered', async (house) => {
  const { id, post, page } = await openPreferences(house)
  const pausedUntil = async (pause: string, paused_until: string) => {
    await post('/preferences', { pause, paused_until }).expect(303)
    return (await stateOf(house, id)).pausedUntil?.toISOString()
  }
  assert.equal(await pausedUntil('2', ''), '2026-03-15T23:00:00.000Z')
  assert.match((await house.web.get(page)).text, /value="2026-03-16"/)
  assert.equal(await pausedUntil('', '2026-03-16'), undefined)
  assert.equal(await pausedUntil('', '2026-03-20'), '2026-03-19T23:00:00.000Z')
  assert.equal(await pausedUntil('date', '2026-04-10'), '2026-04-09T22:00:00.000Z')
  assert.equal(await pausedUntil('8', '2026-04-10'), '2026-04-26T22:00:00.000Z')
  for (const [fields, field] of [
    [{ pause: 'date', paused_until: '' }, 'paused_until'],
    [{ pause: 'date', paused_until: '2026-03-01' }, 'paused_until'],
    [{ pause: '3', paused_until: '' }, 'pause'],
  ] as const) {
    const refused = await post('/preferences', fields).set('Accept', 'application/json').expect(400)
    assert.equal((refused.body as { errors: { field: string }[] }).errors[0]?.field, field)
  }
})

story('when several fields are wrong, all are named and marked, and every other edit is kept', async (house) => {
  const { id, post } = await openPreferences(house)
  const before = await stateOf(house, id)
  const refused = await post('/preferences', {
    'frequency[politics]': 'hourly',
    'frequency[business]': 'off',
    'order[business]': '1',
    'order[politics]': '2',
    'order[world-news]': '3',
    hour: '99',
    weekday: '5',
    monthday: '0',
    timezone: 'Asia/Tokyo',
    language: 'de',
    pause: 'date',
    paused_until: '2026-03-01',
  }).expect(400)
  for (const field of ['hour', 'monthday', 'paused_until'])
    assert.match(
      refused.text,
      new RegExp(`id="${field}"[^>]*aria-invalid="true"[^>]*aria-describedby="${field}-problem"`),
    )
  assert.match(
    refused.text,
    /id="frequency\[politics\]"[^>]*aria-invalid="true"[^>]*aria-describedby="politics-problem"/,
  )
  assert.match(refused.text, /href="#frequency%5Bpolitics%5D"/)
  assert.match(refused.text, /id="business-off"[^>]*checked/)
  assert.match(refused.text, /<option value="5" selected>Friday/)
  assert.match(refused.text, /value="Asia\/Tokyo" selected/)
  assert.match(refused.text, /<option value="99" selected>99/)
  assert.match(refused.text, /value="2026-03-01"/)
  assert.ok(refused.text.indexOf('business-off') < refused.text.indexOf('politics-off'), 'the order is kept')
  assert.deepEqual(await stateOf(house, id), before)
})

story(
  'the next digest is counted and shown as the mail then brings it, and nothing changes by looking',
  async (house) => {
    const { page, token } = await openPreferences(house)
    await sendWaitingMail(house)
    await addStory(house.ctx, 'The ferry is back', [1])
    await addStory(house.ctx, 'Far away', [2])
    await addStory(house.ctx, 'The price of <rope>', [3])
    const next = `/preferences/next?token=${token}`
    const shown = await house.web.get(page).expect(200)
    assert.match(
      shown.text.replace(/<[^>]+>|\s+/g, ' ').replace(/ +/g, ' '),
      /Your next digest: Tuesday 07:00 , 2 stories so far/,
    )
    const preview = await house.web.get(next).expect(200)
    assert.match(preview.text, /The ferry is back[^]*Far away/)
    assert.doesNotMatch(preview.text, /price of/, 'Business is weekly, on Mondays')
    const main = preview.text.slice(preview.text.indexOf('<main'))
    assert.deepEqual([...new Set([...main.matchAll(/token=([^"&]+)/g)].map(([, found]) => found))], [token])
    house.inbox.clear()
    house.clock.set('2026-03-03T06:00:00Z')
    await runTick(house.ctx)
    await sendWaitingMail(house)
    const { html } = house.inbox.last('ada@example.com').mail
    assert.match(String(html), /The ferry is back[^]*Far away/)
    await runTick(house.ctx)
    assert.match((await house.web.get(page).expect(200)).text, /no new stories so far/)
  },
)

story('another address, my data and erasure ask for a link of the last day, and one mail brings it', async (house) => {
  const { page, token, post } = await openPreferences(house)
  await sendWaitingMail(house)
  house.inbox.clear()
  house.clock.advance('23h')
  await house.web.get(`/preferences/data?token=${token}`).expect(200)
  house.clock.advance('2h')
  const refused = await Promise.all([
    house.web.get(`/preferences/data?token=${token}`),
    post('/preferences/erase', { erase: 'yes' }),
    post('/preferences/address', { new_email: 'ada@new.example' }),
  ])
  for (const answer of refused) {
    assert.equal(answer.status, 403)
    assert.match(answer.text, /less than a day old/)
  }
  const shown = await house.web.get(page).expect(200)
  assert.doesNotMatch(shown.text, /name="new_email"|name="erase"|preferences\/data/)
  await post('/preferences', { hour: '18' }).expect(303)
  await post('/preferences/link').expect(200)
  await post('/preferences/link').expect(200)
  await sendWaitingMail(house)
  assert.equal(house.inbox.received.length, 1)
  const fresh = linkIn(house.inbox.last('ada@example.com').mail, /^\/preferences$/)
  assert.match((await house.web.get(fresh).expect(200)).text, /name="new_email"/)
  const data = await house.web.get(fresh.replace('/preferences?', '/preferences/data?')).expect(200)
  assert.equal((JSON.parse(data.text) as { subscriber: { email: string } }).subscriber.email, 'ada@example.com')
})

story('a change of address that was asked for can be cancelled from the page that says so', async (house) => {
  const { post } = await openPreferences(house)
  const asked = await post('/preferences/address', { new_email: 'ada@new.example' }).expect(303)
  assert.match((await house.web.get(asked.headers['location'] as string)).text, /preferences\/address\/cancel/)
  await sendWaitingMail(house)
  const link = linkIn(house.inbox.last('ada@new.example').mail, /^\/preferences\/address$/)
  await house.web.get(link).expect(200)
  await post('/preferences/address/cancel').expect(303)
  await house.web.get(link).expect(410)
  await house.web
    .post('/preferences/address/confirm')
    .type('form')
    .send({ token: new URL(link, 'http://x').searchParams.get('token')! })
    .expect(410)
  await getSubscriber(house, 'ada@example.com')
})

story('a change of address can be undone from the page that acknowledges it', async (house) => {
  const { id, post } = await openPreferences(house)
  await post('/preferences/address', { new_email: 'ada@new.example' }).expect(303)
  await sendWaitingMail(house)
  const moved = await pressButtonOn(house, linkIn(house.inbox.last('ada@new.example').mail, /^\/preferences\/address$/))
  assert.equal((await getSubscriber(house, 'ada@new.example')).id, id)
  const undo = buttonOf(moved.text)
  await house.web.post(undo.action).type('form').send(undo.fields).expect(200)
  assert.equal((await getSubscriber(house, 'ada@example.com')).id, id)
  await house.web.post(undo.action).type('form').send(undo.fields)
  assert.equal((await getSubscriber(house, 'ada@example.com')).id, id)
})

story('my data names stories by their titles and categories by their names', async (house) => {
  const { token } = await openPreferences(house)
  await addStory(house.ctx, 'The ferry is back', [1])
  house.clock.set('2026-03-03T05:30:00Z')
  await sendWaitingMail(house)
  house.clock.set('2026-03-03T06:00:00Z')
  await runTick(house.ctx)
  await sendWaitingMail(house)
  await runTick(house.ctx)
  const { text } = await house.web.get(`/preferences/data?token=${token}`).expect(200)
  const data = JSON.parse(text) as {
    mails: { kind: string; stories: { title: string; link: string }[] | null }[]
    reading: { upTo: { category: string }[]; stories: { title: string }[] }
  }
  const digest = data.mails.find(({ kind }) => kind === 'digest')!
  assert.deepEqual(
    digest.stories!.map(({ title }) => title),
    ['The ferry is back'],
  )
  assert.equal(data.reading.stories[0]?.title, 'The ferry is back')
  assert.ok(data.reading.upTo.some(({ category }) => category === 'Politics'))
})
