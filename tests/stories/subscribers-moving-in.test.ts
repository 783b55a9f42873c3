// Lists of other systems, over several editions: exactly the subscribed people are mailed, also after a second import that calls the
// others subscribed; and what changes for people who are here already.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { runTick } from '../../src/planning/tick.ts'
import { type ImportArgs, subscribersImport } from '../../src/commands/subscribers/import.ts'
import { purgeUnconfirmed } from '../../src/subscribers/purge.ts'
import { suppressAddress } from '../../src/subscribers/suppression.ts'
import { unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { linkIn } from '../support/inbox.ts'
import { type House, story } from '../support/house.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, getSubscriber, pressButtonOn, subscribeFully } from '../support/readers.ts'
import { addStory } from '../support/newsroom.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-moving-in-'))
after(() => rmSync(folder, { recursive: true }))

let made = 0
function filesOf(files: Record<string, string>): string {
  const inner = path.join(folder, String(++made))
  mkdirSync(inner)
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(inner, name), text)
  return inner
}

async function importFiles(house: House, files: Record<string, string>, options: Partial<ImportArgs> = {}) {
  const lines: string[] = []
  const out = { print: (line: string) => void lines.push(line), progress() {}, error() {}, isTty: false }
  const args = { file: filesOf(files), source: 'the old program', ...options }
  await subscribersImport(house.ctx, args, out, { confirm: () => Promise.resolve(true) })
  return lines.join('\n')
}

async function passAMinute(house: House): Promise<void> {
  await runTick(house.ctx)
  await sendWaitingMail(house)
  await runTick(house.ctx)
}

/** Three mornings with a new story each; everybody who got a digest. */
async function whoIsMailed(house: House): Promise<string[]> {
  house.inbox.clear()
  for (let day = 0; day < 3; day++) {
    await addStory(house.ctx, `News of ${house.clock.now().toISOString()}`, [1, 2, 3])
    house.clock.advance('24h')
    await passAMinute(house)
  }
  return [...new Set(house.inbox.received.map(({ to }) => to.split('@')[0]!))].toSorted()
}

const statusOf = async (house: House, name: string) => (await getSubscriber(house, `${name}@example.com`)).status
const mailchimp = {
  'subscribed_members_export_1.csv':
    'Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID\nada@example.com,Ada,2,2019-01-02 03:04:05,,1,a\nbob@example.com,Bob,2,,2019-01-02 03:04:05,2,b\nboth@example.com,Both,2,,2019-01-02 03:04:05,2,b\n',
  'unsubscribed_members_export_1.csv':
    'Email Address,First Name,MEMBER_RATING,UNSUB_TIME,LEID,EUID\nuna@example.com,Una,2,2024-01-02 03:04:05,3,c\nboth@example.com,Both,2,2024-01-02 03:04:05,2,b\n',
  'cleaned_members_export_1.csv':
    'Email Address,First Name,CLEAN_TIME,LEID,EUID\ncle@example.com,Cle,2023-01-02 03:04:05,4,d\n',
}

story(
  'exactly the subscribed ones are mailed, and a second import wakes nobody',
  async (house) => {
    await addCategories(house)
    await importFiles(house, mailchimp)
    await importFiles(house, {
      'people.csv':
        'E-Mail;Status\npen@example.com;unbestätigt\ncom@example.com;Beschwerde\nblo@example.com;gesperrt\nact@example.com;aktiv\n',
    })
    assert.deepEqual(await whoIsMailed(house), ['act', 'ada', 'bob'])
    const names = ['una', 'both', 'cle', 'pen', 'com', 'blo']
    const statuses = await Promise.all(names.map((name) => statusOf(house, name)))
    assert.deepEqual(statuses, [
      'unsubscribed',
      'unsubscribed',
      'suppressed',
      'unsubscribed',
      'suppressed',
      'suppressed',
    ])

    const all = ['ada', 'bob', ...names].map((name) => `${name}@example.com,subscribed`).join('\n')
    const said = await importFiles(house, { 'all.csv': `email,status\n${all}\n` })
    assert.match(said, /6 are unsubscribed, suppressed or not confirmed here, and stay so/)
    assert.deepEqual(await whoIsMailed(house), ['act', 'ada', 'bob'])
    assert.deepEqual(await Promise.all(names.map((name) => statusOf(house, name))), statuses)
    const suppressed = await house.db.selectFrom('suppressions').selectAll().orderBy('email').execute()
    assert.deepEqual(
      suppressed.map(({ email, reason }) => [email, reason]),
      [
        ['blo@example.com', 'manual'],
        ['cle@example.com', 'hard_bounce'],
        ['com@example.com', 'complaint'],
      ],
    )
    assert.ok(suppressed.every(({ detail }) => detail.startsWith('imported from the old program')))
  },
  { env: { DIGEST_HOUR: '6' } },
)

story(
  'the first digest has stories from the import on, never old ones',
  async (house) => {
    await addCategories(house)
    for (let at = 0; at < 20; at++) await addStory(house.ctx, `Old story ${at}`, [1])
    await importFiles(house, { 'list.csv': 'email\nada@example.com\n' })
    await addStory(house.ctx, 'Fresh story', [1])
    house.clock.advance('24h')
    await passAMinute(house)
    const { html } = house.inbox.last('ada@example.com').mail
    assert.match(html!, /Fresh story/)
    assert.doesNotMatch(html!, /Old story|more on the site/)
  },
  { env: { DIGEST_HOUR: '6' } },
)

story(
  'people who are here: unsubscribed there counts, unless they agreed here after that; here is never undone',
  async (house) => {
    await addCategories(house)
    for (const name of ['old', 'new', 'gone', 'bounced', 'calm', 'undated'])
      await subscribeFully(house, `${name}@example.com`)
    await unsubscribe(house.ctx, (await getSubscriber(house, 'gone@example.com')).id, {
      way: 'page',
      origin: { ip: null, formUrl: '/' },
    })
    await suppressAddress(house.ctx, { email: 'listed@example.com', key: 'listed@example.com' }, 'manual')
    house.clock.advance('48h')
    const said = await importFiles(house, {
      'list.csv':
        'email,status,unsubscribed at,bounced at\n' +
        'old@example.com,unsubscribed,2020-01-01,\nnew@example.com,unsubscribed,2026-03-03,\ngone@example.com,subscribed,,\n' +
        'bounced@example.com,bounced,,2026-03-03\ncalm@example.com,subscribed,,\nundated@example.com,unsubscribed,,\nlisted@example.com,unsubscribed,,\n',
    })
    const names = ['old', 'new', 'gone', 'bounced', 'calm', 'undated', 'listed']
    assert.deepEqual(await Promise.all(names.map((name) => statusOf(house, name))), [
      'active',
      'unsubscribed',
      'unsubscribed',
      'suppressed',
      'active',
      'unsubscribed',
      'suppressed',
    ])
    assert.match(said, /1 unsubscribed or bounced there and agreed here after that/)
    assert.deepEqual(await whoIsMailed(house), ['calm', 'old'])
    const { id } = await getSubscriber(house, 'new@example.com')
    const consent = await house.db
      .selectFrom('consents')
      .selectAll()
      .where('subscriberId', '=', id)
      .orderBy('id', 'desc')
      .executeTakeFirst()
    assert.equal(consent!.action, 'withdrawn')
    assert.deepEqual(consent!.detail, { way: 'import', source: 'the old program' })
  },
)

story(
  '--confirm asks once, in the digest lane, and the week counts from the mail',
  async (house) => {
    await addCategories(house)
    const list = {
      'list.csv':
        'email,status\nada@example.com,active\na.da+x@gmail.com,active\nada@gmail.com,active\nuna@example.com,unsubscribed\n',
    }
    const said = await importFiles(house, list, { confirm: true, category: ['politics'] })
    assert.match(said, /3 are asked to confirm/)
    // One mailbox is asked once, whatever its spelling.
    assert.match(said, /line 4: email: was asked to confirm within the last day/)
    const waiting = await house.db.selectFrom('deliveries').selectAll().execute()
    assert.deepEqual(
      waiting.map(({ kind, lane, editionId }) => [kind, lane, editionId]),
      [
        ['confirmation', 'digest', null],
        ['confirmation', 'digest', null],
      ],
    )
    // The mail waits for ten days; nobody is forgotten meanwhile, and its link is good for a week after that.
    house.clock.advance('240h')
    assert.equal(await purgeUnconfirmed(house.ctx), 0)
    await addStory(house.ctx, 'While they waited', [1])
    await sendWaitingMail(house)
    const mail = house.inbox.last('ada@example.com', /Do you still want The Whale Gazette\?/).mail
    assert.equal(house.inbox.to('una@example.com').length, 0)
    house.clock.advance('120h')
    assert.equal(await purgeUnconfirmed(house.ctx), 0)
    await pressButtonOn(house, linkIn(mail, /\/confirm/))
    assert.equal(await statusOf(house, 'ada'), 'active')
    assert.deepEqual(await whoIsMailed(house), ['ada'])
    // A second import asks nobody again.
    await importFiles(house, { 'list.csv': list['list.csv'].replace('ada@gmail.com,active\n', '') }, { confirm: true })
    assert.equal(
      (await house.db.selectFrom('deliveries').selectAll().where('kind', '=', 'confirmation').execute()).length,
      2,
    )
  },
  { env: { DIGEST_HOUR: '6' } },
)
