// Looking changes nothing: every link of every kind of mail, by GET and HEAD, as link scanners and previews follow them.
// LINK_READERS=1000 sends as many digests, and follows every link of each.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { createEditor } from '../../src/access/editors.ts'
import { requestLink } from '../../src/access/sign-in.ts'
import { testSend } from '../../src/digests/preview.ts'
import { mailKinds } from '../../src/delivery/composer.ts'
import { raiseAlert } from '../../src/desk/alerts.ts'
import { readShape } from '../../src/installation/shape.ts'
import { triggerAnnouncement, triggerDigest } from '../../src/planning/trigger.ts'
import { confirmAddressChange, requestAddressChange } from '../../src/subscribers/address-change.ts'
import { addressChangeUrl } from '../../src/subscribers/links.ts'
import { unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { type House, story } from '../support/house.ts'
import { addReader, addStory, tick } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, signUp, subscribeFully } from '../support/readers.ts'

const readers = Number(process.env.LINK_READERS ?? 3)
const origin = { ip: null, formUrl: null }

/** A hash of each table's rows. Clicks are counted by GET, per story and for nobody. */
async function hashesOf({ db }: House): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {}
  for (const { name } of await readShape(db)) {
    if (name === 'story_clicks') continue
    const { rows } = await sql<{ hash: string }>`
      select count(*) || md5(coalesce(string_agg(t::text, ',' order by t::text), '')) as hash from ${sql.table(name)} as t`.execute(
      db,
    )
    hashes[name] = rows[0]!.hash
  }
  return hashes
}

/** One mail of each kind that the program has, and a digest for each reader. */
async function sendEveryKind(house: House): Promise<void> {
  const { ctx } = house
  await addCategories(house)
  for (let n = 0; n < 8; n++) await addStory(ctx, `Story ${n}`, [1 + (n % 3)])
  const ada = await subscribeFully(house, 'ada@mail.example')
  const bob = await subscribeFully(house, 'bob@mail.example')
  for (let n = 0; n < readers; n++) await addReader(ctx, { choice: { 1: 'daily', 2: 'weekly' } })
  await triggerDigest(ctx, { actor: 'cli' })
  await triggerAnnouncement(ctx, {
    actor: 'cli',
    subject: 'Summer hours',
    body: 'We read on: https://elsewhere.example/',
  })
  await tick(ctx)
  await sendWaitingMail(house)
  await signUp(house, 'ada@mail.example').expect(303)
  await signUp(house, 'new@mail.example').expect(303)
  await requestAddressChange(ctx, bob.id, 'bob@new.example')
  const change = await house.db.selectFrom('addressChanges').selectAll().executeTakeFirstOrThrow()
  const token = new URL(addressChangeUrl(house.config, change.id, change.requestedAt)).searchParams.get('token')
  assert.equal((await confirmAddressChange(ctx, token, origin)).outcome, 'changed')
  await unsubscribe(ctx, ada.id, { way: 'page', origin })
  await createEditor(ctx, { email: 'desk@mail.example', actor: 'cli' })
  await requestLink(ctx, 'desk@mail.example')
  await ctx.db.transaction().execute((trx) => raiseAlert(trx, ctx, 'feed:1', 'A feed fails.'))
  await ctx.db.transaction().execute((trx) => testSend(trx, 'desk@mail.example', {}))
  await sendWaitingMail(house)
}

const links = (house: House) =>
  new Set(
    house.inbox.received.flatMap(({ mail }) =>
      [...`${mail.html}\n${mail.text}`.matchAll(/http:\/\/news\.example(\/[^\s"<>)]*)?/g)].map(([, path]) =>
        (path ?? '/').replaceAll('&amp;', '&'),
      ),
    ),
  )

story(
  'every link of every kind of mail changes nothing by being looked at',
  async (house) => {
    await sendEveryKind(house)
    const kinds = await house.db
      .selectFrom('deliveries')
      .select('kind')
      .distinct()
      .where('state', '=', 'sent')
      .execute()
    assert.deepEqual(kinds.map(({ kind }) => kind).toSorted(), mailKinds.toSorted())
    const before = await hashesOf(house)
    const shapes = new Set<string>()
    for (const link of links(house)) {
      for (const method of ['get', 'head'] as const) {
        const { status } = await house.web[method](link)
        // Links that the steps above have ended answer 410.
        assert.ok(status < 400 || status === 410, `${method} ${link}: ${status}`)
      }
      shapes.add(new URL(link, 'http://x').pathname.replace(/\d+/, '0'))
    }
    for (const path of ['/confirm', '/preferences', '/unsubscribe', '/digest', '/less', '/admin/sign-in'])
      assert.ok(shapes.has(path), path)
    assert.deepEqual(await hashesOf(house), before)
  },
  { env: { CLICK_COUNTS: 'on', GOODBYE_MAIL: 'on' }, on: 'embedded' },
)
