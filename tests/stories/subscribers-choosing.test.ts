// What the sign-up form's fields mean, in all their combinations, and the site's default choice, which holds where none is there.

import assert from 'node:assert/strict'
import { renameCategory, retireCategory } from '../../src/articles/categories.ts'
import { defaultChoice, setDefaultChoice } from '../../src/subscribers/default-choice.ts'
import { story, type House } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addCategories } from '../support/readers.ts'

let readers = 0

/** Signs somebody new up with these fields. */
async function chosenBy(house: House, fields: string): Promise<unknown> {
  const email = `reader${readers++}@example.com`
  await house.web.post('/subscribe').type('form').send(`email=${email}&${fields}`).expect(303)
  const row = await house.db
    .selectFrom('signupRequests')
    .innerJoin('subscribers', 'subscribers.id', 'subscriberId')
    .select(['choices', 'signupRequests.timezone'])
    .where('email', '=', email)
    .executeTakeFirstOrThrow()
  return row.timezone ? { ...row.choices, timezone: row.timezone } : row.choices
}

story('each combination of the form’s fields means one choice', async (house) => {
  await addCategories(house)
  const untouched = 'frequency[politics]=&frequency[world-news]=&frequency[business]='
  const all = { politics: 'daily', 'world-news': 'daily', business: 'daily' }
  for (const [fields, choice] of [
    // An address alone.
    ['', all],
    ['timezone=', all],
    ['frequency_for_all=weekly', { politics: 'weekly', 'world-news': 'weekly', business: 'weekly' }],
    // The fields of earlier forms.
    ['frequency[politics]=weekly', { politics: 'weekly' }],
    ['frequency[politics]=weekly&frequency[business]=off', { politics: 'weekly' }],
    // Ticks, and one frequency for all of them.
    [`frequency_for_all=monthly&categories=politics&${untouched}`, { politics: 'monthly' }],
    ['frequency_for_all=weekly&categories=politics&categories=business', { politics: 'weekly', business: 'weekly' }],
    ['categories=politics', { politics: 'daily' }],
    // A category's own frequency goes first.
    [
      'frequency_for_all=weekly&categories=politics&categories=business&frequency[business]=monthly&frequency[politics]=',
      { politics: 'weekly', business: 'monthly' },
    ],
    [
      'frequency_for_all=weekly&categories=politics&frequency[politics]=off&frequency[business]=daily',
      { business: 'daily' },
    ],
    ['frequency_for_all=weekly&frequency[world-news]=daily', { 'world-news': 'daily' }],
  ] as const)
    assert.deepEqual(await chosenBy(house, fields), choice, fields)
})

story('a time zone that a browser made up is the site’s', async (house) => {
  await addCategories(house, ['Politics'])
  const zone = (name: string) => chosenBy(house, `timezone=${encodeURIComponent(name)}`)
  for (const invented of ['Etc/Unknown', 'Factory', '', 'Mars/Olympus', '+02:00', '"><script>', 'x'.repeat(500)])
    assert.deepEqual(await zone(invented), { politics: 'daily' }, invented)
  assert.deepEqual(await chosenBy(house, 'timezone=UTC&timezone=UTC'), { politics: 'daily' })
  assert.deepEqual(await zone('Asia/Kathmandu'), { politics: 'daily', timezone: 'Asia/Kathmandu' })
})

story('editors set the default choice, and the form, its line and new sign-ups follow', async (house) => {
  await addCategories(house)
  const console = await openConsole(house)
  await console
    .post('/admin/default-choice', { 'frequency[politics]': 'daily', 'frequency[business]': 'weekly' })
    .expect(303)
  const { text } = await house.web.get('/').expect(200)
  assert.match(text, /Every day at 07:00: Politics\. Every Monday at 07:00: Business\./)
  assert.match(text, /name="categories"\s+value="politics"\s+checked/)
  assert.doesNotMatch(text, /name="categories"\s+value="world-news"\s+checked/)
  assert.deepEqual(await chosenBy(house, ''), { politics: 'daily', business: 'weekly' })
  const line = await house.db
    .selectFrom('auditLog')
    .selectAll()
    .where('action', '=', 'default_choice.changed')
    .execute()
  assert.deepEqual(line[0]?.detail, { choices: { politics: 'daily', business: 'weekly' } })

  const refused = await console.post('/admin/default-choice', { 'frequency[politics]': 'off' }).expect(400)
  assert.match(refused.text, /at least one category/)
  assert.match((await console.get('/admin/categories').expect(200)).text, /Every Monday at 07:00: Business\./)
})

story('the default choice follows a category’s new slug, and leaves out a retired one', async (house) => {
  await addCategories(house)
  await setDefaultChoice(house.ctx, { politics: 'weekly', business: 'daily' }, 'cli')
  await renameCategory(house.ctx, { slug: 'politics', newSlug: 'parliament' })
  assert.deepEqual(await defaultChoice(house.db), { parliament: 'weekly', business: 'daily' })
  await retireCategory(house.ctx, 'business')
  assert.deepEqual(await defaultChoice(house.db), { parliament: 'weekly' })
  await retireCategory(house.ctx, 'parliament')
  assert.deepEqual(await defaultChoice(house.db), { 'world-news': 'daily' })
})

story('the API reads and sets the default choice', async (house) => {
  await addCategories(house)
  const api = await openApi(house, 'articles')
  const get = async () => (await api('get', '/default-choice').expect(200)).body as unknown
  const put = (frequency: unknown) => api('put', '/default-choice').send({ frequency })
  assert.deepEqual(await get(), { frequency: { politics: 'daily', 'world-news': 'daily', business: 'daily' } })
  await put({ politics: 'monthly' }).expect(200)
  assert.deepEqual(await get(), { frequency: { politics: 'monthly' } })
  // A request that is well formed, and yet doesn't fit what is there, is a conflict.
  for (const wrong of [{}, { politics: 'off' }, { cooking: 'daily' }]) await put(wrong).expect(409)
  await put({ politics: 'hourly' }).expect(400)
  assert.deepEqual(await get(), { frequency: { politics: 'monthly' } })
  await put(null).expect(200)
  assert.deepEqual(await get(), { frequency: { politics: 'daily', 'world-news': 'daily', business: 'daily' } })
})
