// What a link gives its holder, in every order of events: used, expired, moved away from, ended, forwarded.

import assert from 'node:assert/strict'
import { signToken } from '../../src/base/tokens.ts'
import { eraseAddress, eraseSubscriber } from '../../src/subscribers/erase.ts'
import { preferencesUrl, unsubscribeUrl } from '../../src/subscribers/links.ts'
import { suppressAddress } from '../../src/subscribers/suppression.ts'
import { listTablesNaming } from '../support/database.ts'
import type { House } from '../support/house.ts'
import { story } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { openApi } from '../support/keys.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, buttonOf, getSubscriber, pressButtonOn, signUp, subscribeFully } from '../support/readers.ts'

const tokenOf = (url: string) => new URL(url, 'http://news.example').searchParams.get('token')!
const preferences = (house: House, id: number, generation = 0) =>
  tokenOf(preferencesUrl(house.config, { id, generation }, house.clock.now()))
const press = (house: House, page: string) => {
  const { action, fields } = buttonOf(page)
  return house.web.post(action).type('form').send(fields)
}

/** Signs up, confirms, and forgets the mails of that. */
async function subscribed(house: House, email: string) {
  const subscriber = await subscribeFully(house, email)
  await sendWaitingMail(house)
  house.inbox.clear()
  return subscriber
}

/** Moves a subscriber by the mails that go out for it; returns the undo link that the former address got. */
async function move(house: House, id: number, to: string): Promise<string> {
  const row = await house.db.selectFrom('subscribers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const token = preferences(house, id, row.generation)
  await house.web.post('/preferences/address').type('form').send({ token, new_email: to }).expect(303)
  await sendWaitingMail(house)
  const link = linkIn(house.inbox.last(to).mail, /^\/preferences\/address$/)
  assert.match((await pressButtonOn(house, link)).text, /Your newsletter has moved here/)
  await sendWaitingMail(house)
  return linkIn(house.inbox.last(row.email, /was changed/).mail, /^\/preferences\/address\/undo$/)
}

story('a used confirmation says what became of it, and mails a link instead of holding one', async (house) => {
  await addCategories(house)
  await signUp(house, 'ada@example.com').expect(303)
  await sendWaitingMail(house)
  const link = linkIn(house.inbox.last('ada@example.com').mail, /^\/confirm$/)
  await pressButtonOn(house, link)
  for (const wait of ['0d', '8d', '392d']) {
    house.clock.advance(wait)
    const page = await house.web.get(link).expect(200)
    assert.match(page.text, /has been used/)
    assert.match(page.text, /confirmed on 2 March 2026/)
    assert.doesNotMatch(page.text, /\/preferences\?token=/)
    assert.equal(/Politics/.test(page.text), wait === '0d')
    await sendWaitingMail(house)
    house.inbox.clear()
    await press(house, page.text).expect(200)
    await sendWaitingMail(house)
    await house.web.get(linkIn(house.inbox.last('ada@example.com').mail, /^\/preferences$/)).expect(200)
  }
})

story('a confirmation that expired unused mails a new one, which confirms', async (house) => {
  await addCategories(house)
  await signUp(house, 'ada@example.com').expect(303)
  await sendWaitingMail(house)
  const link = linkIn(house.inbox.last('ada@example.com').mail, /^\/confirm$/)
  house.inbox.clear()
  house.clock.advance('8d')
  const page = await house.web.get(link).expect(410)
  assert.doesNotMatch(page.text, /ada@example\.com/)
  await press(house, page.text).expect(200)
  await press(house, page.text).expect(200)
  await sendWaitingMail(house)
  assert.equal(house.inbox.received.length, 1)
  assert.match(
    (await pressButtonOn(house, linkIn(house.inbox.last('ada@example.com').mail, /^\/confirm$/))).text,
    /You’re subscribed/,
  )
})

story(
  'after a move, links mailed to the former address open nothing, say nothing and do nothing, but unsubscribe',
  async (house) => {
    await addCategories(house)
    const { id } = await subscribed(house, 'ada@example.com')
    const mailed = {
      preferences: preferences(house, id),
      // As mails carried it before there were generations.
      older: signToken(
        house.config.secretKeys,
        'preferences',
        String(id),
        new Date(house.clock.now().getTime() + 86_400_000),
      ),
    }
    await house.web.get(`/preferences?token=${mailed.older}.`).expect(200)
    await move(house, id, 'new.mailbox@elsewhere.example')
    for (const token of Object.values(mailed)) {
      for (const path of ['/preferences', '/preferences/data']) {
        const { text } = await house.web.get(`${path}?token=${token}`).expect(410)
        assert.doesNotMatch(text, /elsewhere|new\.mailbox/)
      }
      for (const [path, fields] of [
        ['/preferences', { hour: '9' }],
        ['/preferences/erase', { erase: 'yes' }],
        ['/preferences/address', { new_email: 'x@example.com' }],
        ['/preferences/end-links', {}],
      ] as const)
        await house.web
          .post(path)
          .type('form')
          .send({ token, ...fields })
          .expect(410)
      house.inbox.clear()
      await house.web.post('/preferences/link').type('form').send({ token }).expect(200)
      await sendWaitingMail(house)
      assert.equal(house.inbox.received.length, 0)
    }
    const moved = await getSubscriber(house, 'new.mailbox@elsewhere.example')
    assert.equal(moved.sendHour, null)
    await house.web.get(`/preferences?token=${preferences(house, id, moved.generation)}`).expect(200)
    const unsubscribe = unsubscribeUrl(house.config, id).replace('http://news.example', '')
    const page = await house.web.get(unsubscribe).expect(200)
    assert.doesNotMatch(page.text, /elsewhere|new\.mailbox/)
    await press(house, page.text).expect(200)
    assert.equal((await getSubscriber(house, 'new.mailbox@elsewhere.example')).status, 'unsubscribed')
  },
)

story('mail that was under way to the former address carries no link to the subscription', async (house) => {
  await addCategories(house)
  const { id } = await subscribed(house, 'ada@example.com')
  await signUp(house, 'ada@example.com').expect(303)
  await house.db.updateTable('deliveries').set({ nextAttemptAt: null }).where('kind', '=', 'preferences-link').execute()
  await move(house, id, 'ada@new.example')
  await house.db
    .updateTable('deliveries')
    .set({ nextAttemptAt: new Date(0) })
    .where('kind', '=', 'preferences-link')
    .execute()
  house.inbox.clear()
  await sendWaitingMail(house)
  assert.deepEqual(house.inbox.received, [])
})

story('the former address is told once, and takes the move back by its button', async (house) => {
  await addCategories(house)
  const { id } = await subscribed(house, 'ada@example.com')
  const undo = await move(house, id, 'mallory@evil.example')
  assert.equal(house.inbox.to('ada@example.com').length, 1)
  const { mail } = house.inbox.last('ada@example.com')
  assert.doesNotMatch(`${mail.text}${mail.html}`, /mallory|evil\.example/)
  const taken = preferences(house, id, 1)
  for (let look = 0; look < 20; look++) await house.web.get(`${undo})`).expect(200)
  assert.equal((await getSubscriber(house, 'mallory@evil.example')).id, id)
  // Ending all older links doesn't end it: whoever took the subscription could press that.
  await house.web.post('/preferences/end-links').type('form').send({ token: taken }).expect(200)
  assert.match((await house.web.get(undo)).text, /sent to a•••@e•••\.com again/)
  const { text } = await pressButtonOn(house, undo)
  assert.match(text, /Your newsletter is back here/)
  assert.doesNotMatch(text, /ada@example/)
  assert.equal((await getSubscriber(house, 'ada@example.com')).id, id)
  house.inbox.clear()
  await sendWaitingMail(house)
  assert.doesNotMatch(house.inbox.last('mallory@evil.example').mail.text!, /undo|ada@example/)
  await house.web.get(linkIn(house.inbox.last('ada@example.com').mail, /^\/preferences$/)).expect(200)
  await house.web.get(`/preferences?token=${taken}`).expect(410)
  assert.match((await house.web.get(undo).expect(200)).text, /has been used/)
  assert.match(
    (
      await house.web
        .post('/preferences/address/undo')
        .type('form')
        .send({ token: tokenOf(undo) })
    ).text,
    /has been used/,
  )
  assert.equal((await getSubscriber(house, 'ada@example.com')).id, id)
})

story(
  'an undo is refused after a week, after a later change, after an erasure, and when the address is somebody’s',
  async (house) => {
    await addCategories(house)
    const post = (link: string) =>
      house.web
        .post('/preferences/address/undo')
        .type('form')
        .send({ token: tokenOf(link) })
    const late = await subscribed(house, 'late@example.com')
    const lateUndo = await move(house, late.id, 'late@new.example')
    house.clock.advance('8d')
    await post(lateUndo).expect(410)

    const twice = await subscribed(house, 'twice@example.com')
    const first = await move(house, twice.id, 'twice@second.example')
    const second = await move(house, twice.id, 'twice@third.example')
    await house.web.get(first).expect(410)
    await post(first).expect(410)
    assert.match((await post(second)).text, /Your newsletter is back here/)
    await post(first).expect(410)
    await getSubscriber(house, 'twice@second.example')

    const gone = await subscribed(house, 'gone@example.com')
    const goneUndo = await move(house, gone.id, 'gone@new.example')
    await eraseSubscriber(house.ctx, gone.id)
    await post(goneUndo).expect(410)

    // The former address is erased, under which nobody is subscribed any more.
    const shy = await subscribed(house, 'shy@example.com')
    const shyUndo = await move(house, shy.id, 'bold@new.example')
    await eraseAddress(house.ctx, { email: 'shy@example.com', key: 'shy@example.com' })
    assert.deepEqual(await listTablesNaming(house, 'shy@example.com'), [])
    await post(shyUndo).expect(410)

    const heir = await subscribed(house, 'heir@example.com')
    const heirUndo = await move(house, heir.id, 'heir@new.example')
    await subscribed(house, 'heir@example.com')
    assert.match((await post(heirUndo)).text, /subscription of its own/)
    assert.equal((await getSubscriber(house, 'heir@new.example')).id, heir.id)

    const angry = await subscribed(house, 'angry@example.com')
    const angryUndo = await move(house, angry.id, 'angry@new.example')
    await suppressAddress(house.ctx, { email: 'angry@example.com', key: 'angry@example.com' }, 'complaint')
    assert.match((await post(angryUndo)).text, /Nothing was moved/)
    assert.equal((await getSubscriber(house, 'angry@new.example')).id, angry.id)
  },
)

story(
  'an undo makes a subscriber whole whose new address was suppressed, and replaces a sign-up that was only begun',
  async (house) => {
    await addCategories(house)
    const { id, nextDueAt } = await subscribed(house, 'ada@example.com')
    const undo = await move(house, id, 'ada@new.example')
    await suppressAddress(house.ctx, { email: 'ada@new.example', key: 'ada@new.example' }, 'complaint')
    await signUp(house, 'ada@example.com').expect(303)
    await pressButtonOn(house, undo)
    const ada = await getSubscriber(house, 'ada@example.com')
    assert.deepEqual([ada.id, ada.status, ada.nextDueAt], [id, 'active', nextDueAt])
  },
)

story(
  'two subscribers can swap their addresses by way of a third, and each undo knows whose turn it is',
  async (house) => {
    await addCategories(house)
    const ada = await subscribed(house, 'ada@example.com')
    const bob = await subscribed(house, 'bob@example.com')
    const toThird = await move(house, ada.id, 'ada@third.example')
    const bobsUndo = await move(house, bob.id, 'ada@example.com')
    house.clock.advance('2h')
    const adasUndo = await move(house, ada.id, 'bob@example.com')
    const post = (link: string) =>
      house.web
        .post('/preferences/address/undo')
        .type('form')
        .send({ token: tokenOf(link) })
    await post(toThird).expect(410)
    assert.match((await post(bobsUndo)).text, /subscription of its own/)
    assert.match((await post(adasUndo)).text, /Your newsletter is back here/)
    assert.match((await post(bobsUndo)).text, /Your newsletter is back here/)
    assert.equal((await getSubscriber(house, 'ada@third.example')).id, ada.id)
    assert.equal((await getSubscriber(house, 'bob@example.com')).id, bob.id)
  },
)

story('two subscribers who take one address at the same moment: one gets it, the other is told', async (house) => {
  await addCategories(house)
  const links = []
  for (const name of ['ada', 'bob']) {
    const { id } = await subscribed(house, `${name}@example.com`)
    const token = preferences(house, id)
    await house.web.post('/preferences/address').type('form').send({ token, new_email: 'one@new.example' }).expect(303)
    await sendWaitingMail(house)
    links.push(linkIn(house.inbox.last('one@new.example').mail, /^\/preferences\/address$/))
    house.clock.advance('2h')
  }
  const answers = await Promise.all(
    links.map((link) =>
      house.web
        .post('/preferences/address/confirm')
        .type('form')
        .send({ token: tokenOf(link) }),
    ),
  )
  assert.deepEqual(answers.map(({ status, text }) => [status, /has moved here/.test(text)]).toSorted(), [
    [200, false],
    [200, true],
  ])
})

story(
  'a confirmation of an earlier generation confirms nothing, even when the sign-up is renewed at the new address',
  async (house) => {
    await addCategories(house)
    const { id } = await subscribed(house, 'ada@example.com')
    const unsubscribe = unsubscribeUrl(house.config, id).replace('http://news.example', '')
    const left = await house.web.post(unsubscribe).expect(200)
    await signUp(house, 'ada@example.com', { business: 'daily' }).expect(303)
    await sendWaitingMail(house)
    const old = linkIn(house.inbox.last('ada@example.com').mail, /^\/confirm$/)
    await press(house, left.text).expect(200)
    await move(house, id, 'ada@new.example')
    await house.web.post(unsubscribe).expect(200)
    await signUp(house, 'ada@new.example', { business: 'daily' }).expect(303)
    await sendWaitingMail(house)
    const page = await house.web.get(old).expect(410)
    assert.doesNotMatch(page.text, /new\.example/)
    await house.web
      .post('/confirm')
      .type('form')
      .send({ token: tokenOf(old) })
      .expect(410)
    assert.equal((await getSubscriber(house, 'ada@new.example')).status, 'unsubscribed')
    await pressButtonOn(house, linkIn(house.inbox.last('ada@new.example').mail, /^\/confirm$/))
    assert.equal((await getSubscriber(house, 'ada@new.example')).status, 'active')
  },
)

story('ending all older links ends this page’s too and mails a new one; by key nothing is mailed', async (house) => {
  await addCategories(house)
  const { id } = await subscribed(house, 'ada@example.com')
  const token = preferences(house, id)
  const done = await house.web.post('/preferences/end-links').type('form').send({ token }).expect(200)
  assert.doesNotMatch(done.text, /token=/)
  await house.web.get(`/preferences?token=${token}`).expect(410)
  await sendWaitingMail(house)
  const fresh = linkIn(house.inbox.last('ada@example.com').mail, /^\/preferences$/)
  await house.web.get(fresh).expect(200)
  house.inbox.clear()
  const api = await openApi(house, 'subscribers')
  await api('post', `/subscribers/${id}/end-links`).expect(200)
  await api('post', '/subscribers/999999/end-links').expect(404)
  await house.web.get(fresh).expect(410)
  await sendWaitingMail(house)
  assert.equal(house.inbox.received.length, 0)
  const audited = await house.db.selectFrom('auditLog').select('action').orderBy('id', 'desc').executeTakeFirstOrThrow()
  assert.equal(audited.action, 'subscriber.links_ended')
})

story('without a link the preferences page mails one, and its answer is the same for every address', async (house) => {
  await addCategories(house)
  await subscribed(house, 'active@example.com')
  const gone = await subscribed(house, 'gone@example.com')
  await house.web.post(unsubscribeUrl(house.config, gone.id).replace('http://news.example', '')).expect(200)
  await signUp(house, 'pending@example.com').expect(303)
  await sendWaitingMail(house)
  house.inbox.clear()
  await house.web.get('/preferences').expect(200)
  const answers = new Set<string>()
  for (const name of ['active', 'gone', 'pending', 'unknown', 'active']) {
    const { status, text } = await house.web
      .post('/preferences')
      .type('form')
      .send({ email: `${name}@example.com` })
    answers.add(JSON.stringify({ status, text }))
  }
  assert.equal(answers.size, 1)
  await sendWaitingMail(house)
  assert.deepEqual(house.inbox.received.map(({ to }) => to).toSorted(), ['active@example.com', 'gone@example.com'])
  assert.doesNotMatch(house.inbox.last('gone@example.com').mail.text!, /You are subscribed/)
  const back = await house.web.get(linkIn(house.inbox.last('gone@example.com').mail, /^\/preferences$/)).expect(200)
  await press(house, back.text).expect(200)
  assert.equal((await getSubscriber(house, 'gone@example.com')).status, 'active')
  assert.match(
    (await house.web.post('/preferences').type('form').send({ email: 'x' }).expect(400)).text,
    /complete e-mail/,
  )
})

story(
  'the undo of an unsubscribe is in the answer to it alone; a later visitor can only have it mailed',
  async (house) => {
    await addCategories(house)
    const { id } = await subscribed(house, 'ada@example.com')
    const link = unsubscribeUrl(house.config, id).replace('http://news.example', '')
    const shown = await house.web.get(link).expect(200)
    assert.doesNotMatch(shown.text, /ada@example\.com/)
    const answer = await press(house, shown.text).expect(200)
    assert.doesNotMatch(answer.text, /ada@example\.com/)
    for (const later of [await house.web.get(`${link}>`), await house.web.post(link)]) {
      assert.doesNotMatch(later.text, /ada@example\.com|\/unsubscribe\/undo/)
      assert.equal(buttonOf(later.text).action, '/preferences/link')
    }
    await press(house, (await house.web.get(link)).text).expect(200)
    await sendWaitingMail(house)
    const page = await house.web.get(linkIn(house.inbox.last('ada@example.com').mail, /^\/preferences$/)).expect(200)
    assert.match(page.text, /Undo: subscribe again as before/)
    await press(house, answer.text).expect(200)
    assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'active')
    await press(house, answer.text).expect(410)
  },
)
