// What the sign-up refuses, by which status, and that it names the field. Nothing of it may reach the database.

import assert from 'node:assert/strict'
import { story } from '../support/house.ts'
import { addCategories, signUp } from '../support/readers.ts'

const addresses = {
  'no address': '',
  'two addresses': 'ada@example.com, bob@example.com',
  '300 characters': `${'a'.repeat(288)}@example.com`,
  'a header injection': 'ada@example.com\r\nBcc: eve@example.com',
  'an SMTP injection': 'ada@example.com>\r\nRCPT TO:<eve@example.com',
  'no domain': 'ada@',
  'a domain without a dot': 'ada@localhost',
  'a quoted local part': '"ada bob"@example.com',
}

story('a bad address gets the form back, with what was typed and what is wrong', async (house) => {
  await addCategories(house)
  for (const [what, email] of Object.entries(addresses)) {
    const page = await signUp(house, email, { politics: 'daily', business: 'weekly' })
    assert.equal(page.status, 400, what)
    assert.match(page.text, /href="#email"/, what)
    assert.match(page.text, /value="daily"\s+checked[^]*value="weekly"\s+checked/, what)
  }
  const twice = await house.web
    .post('/subscribe')
    .type('form')
    .send('email=ada@example.com&email=bob@example.com&frequency[politics]=daily')
  assert.equal(twice.status, 400)
  assert.match(twice.text, /one e-mail address only/)
  assert.equal((await house.db.selectFrom('subscribers').selectAll().execute()).length, 0)
})

story('an unknown category or frequency, and a choice without any category, are named', async (house) => {
  await addCategories(house)
  const ask = (fields: string) =>
    house.web.post('/subscribe').type('form').send(`email=ada@example.com&${fields}`).set('Accept', 'application/json')
  for (const [fields, field] of [
    ['frequency[cooking]=daily', 'frequency[cooking]'],
    ['frequency[politics]=hourly', 'frequency[politics]'],
    ['frequency[politics][x]=daily', 'frequency[politics]'],
    ['frequency=daily', 'frequency'],
    ['frequency[politics]=off', 'frequency'],
    ['frequency[politics]=&frequency[business]=off', 'frequency'],
    ['frequency[politics]=&frequency_for_all=daily', 'frequency'],
    ['categories=cooking', 'categories'],
    ['categories=politics&frequency_for_all=hourly', 'frequency_for_all'],
    ['categories=politics&frequency[politics]=off', 'frequency'],
  ] as const) {
    const refused = await ask(fields)
    assert.equal(refused.status, 400, field)
    assert.match(String(refused.headers['content-type']), /problem\+json/)
    const { errors } = JSON.parse(refused.text) as { errors: { field: string }[] }
    assert.deepEqual(
      errors.map((error) => error.field),
      [field],
    )
  }
  const page = await signUp(house, 'ada@example.com', { cooking: 'daily' })
  assert.match(page.text, /frequency\[cooking\]/)
  assert.equal((await house.db.selectFrom('subscribers').selectAll().execute()).length, 0)
})

story('a body that is no form, or too large, is refused in a sentence', async (house) => {
  await addCategories(house)
  const big = `email=ada@example.com&frequency[politics]=daily&x=${'y'.repeat(5_000_000)}`
  await house.web.post('/subscribe').type('form').send(big).expect(413)
  await house.web.post('/subscribe').type('json').send('{"email": "ada@').expect(400)
  await house.web.post('/subscribe').type('text/plain').send('email=ada@example.com').expect(415)
  await house.web.post('/confirm').type('json').send('{').expect(415)
  await house.web.post('/subscribe').expect(415)
})

story('a sign-up that fills in the hidden field gets the usual answer and is ignored', async (house) => {
  await addCategories(house)
  const answer = await house.web
    .post('/subscribe')
    .type('form')
    .send({ email: 'bot@example.com', 'frequency[politics]': 'daily', website: 'https://spam.example' })
  assert.equal(answer.status, 303)
  assert.equal((await house.db.selectFrom('subscribers').selectAll().execute()).length, 0)
})

story('markup typed into the form is shown as text', async (house) => {
  await addCategories(house)
  const page = await signUp(house, '"><script>alert(1)</script>@example.com')
  assert.equal(page.status, 400)
  assert.ok(!page.text.includes('<script>alert'))
})
