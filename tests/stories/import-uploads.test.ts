// Lists by the console and by the API: upload, report, decision, rejected rows; the file is forgotten when it isn't needed any more.

import assert from 'node:assert/strict'
import { crc32, deflateRawSync } from 'node:zlib'
import { runImports } from '../../src/subscribers/import/work.ts'
import { purgeImports } from '../../src/subscribers/import/uploads.ts'
import { eraseAddress } from '../../src/subscribers/erase.ts'
import { type House, story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addCategories, getSubscriber } from '../support/readers.ts'

const text = 'Email,Status\nada@example.com,active\nbob@example.com,unsubscribed\nnot an address,active\n'

async function upload(console: Awaited<ReturnType<typeof openConsole>>, content: string | Buffer, name = 'list.csv') {
  const posted = await console.browser
    .post('/admin/imports/new')
    .set('Sec-Fetch-Site', 'same-origin')
    .field('source', 'Old Mailer')
    .attach('file', Buffer.from(content as string), name)
    .expect(303)
  return posted.headers['location'] as string
}

const pieces = async ({ db }: House) => (await db.selectFrom('importPieces').select('position').execute()).length

story('in the console: upload, report, decide, rejected rows', async (house) => {
  await addCategories(house)
  const console = await openConsole(house)
  assert.match((await console.get('/admin/imports').expect(200)).text, /Nothing has been imported yet/)
  const at = await upload(console, text)
  assert.match((await console.get(at).expect(200)).text, /being read/)
  await runImports(house.ctx)
  const report = (await console.get(at).expect(200)).text
  assert.match(report, /waits for your decision/)
  assert.match(report, /1 become active subscribers: ada@example\.com/)
  assert.match(report, /1 unsubscribed there/)
  assert.equal((await house.db.selectFrom('subscribers').selectAll().execute()).length, 0)

  await console.post(`${at}/start`).expect(303)
  await console.post(`${at}/start`).expect(409)
  await runImports(house.ctx)
  const done = (await console.get(at).expect(200)).text
  assert.match(done, /2 imported, 0 unchanged,\s+1 rejected, of 3 rows/)
  // What is kept holds counts, and no addresses.
  assert.doesNotMatch(done, /ada@example/)
  assert.equal(await pieces(house), 0)
  assert.equal((await getSubscriber(house, 'bob@example.com')).status, 'unsubscribed')
  const rejected = await console.get(`${at}/rejected.csv`).expect(200)
  assert.equal(rejected.text, 'not an address,active,list.csv,4,email: is not an e-mail address\n')
  const audit = await house.db.selectFrom('auditLog').selectAll().where('action', '=', 'subscribers.imported').execute()
  assert.equal(audit.length, 1)
  assert.match(audit[0]!.actor, /^editor:/)
})

story('what is not understood is said, and the file can be read again without uploading it', async (house) => {
  await addCategories(house)
  const console = await openConsole(house)
  const at = await upload(console, 'Email,Standing,Status\nada@example.com,Gold,half-asleep\n')
  await runImports(house.ctx)
  assert.match((await console.get(at)).text, /column &#34;Status&#34;: &#34;half-asleep&#34;/)
  await console.post(`${at}/check`, { map: 'Status:half-asleep=pending', frequency: 'weekly' }).expect(303)
  await runImports(house.ctx)
  assert.match((await console.get(at)).text, /1 never confirmed there/)
  await console.post(`${at}/cancel`).expect(303)
  assert.match((await console.get(at)).text, /not imported/)
  assert.equal(await pieces(house), 0)
  // From elsewhere, without a file, or as another kind of form: refused, and nothing stays.
  const form = (site: string) => console.browser.post('/admin/imports/new').set('Sec-Fetch-Site', site)
  await form('cross-site').field('source', 'x').expect(403)
  await form('same-origin').field('source', 'x').expect(400)
  await console.post('/admin/imports/new', { source: 'x' }).expect(415)
  assert.equal((await house.db.selectFrom('imports').selectAll().execute()).length, 1)
})

story('by the API: the same, and an erasure deletes a person’s texts', async (house) => {
  await addCategories(house)
  const api = await openApi(house)
  const { body: begun } = await api('post', '/imports')
    .send({ source: 'Old Mailer', content: `${text}ada@example.com,active\n` })
    .expect(202)
  assert.equal(begun.state, 'checking')
  await api('post', `/imports/${begun.id}/start`).expect(409)
  await runImports(house.ctx)
  const { body: ready } = await api('get', `/imports/${begun.id}`).expect(200)
  assert.equal(ready.state, 'ready')
  assert.deepEqual(ready.report.outcomes, { subscribed: 1, unsubscribed: 1 })
  assert.equal(ready.report.duplicates, 1)
  await api('post', `/imports/${begun.id}/start`).expect(202)
  await runImports(house.ctx)
  const { body: list } = await api('get', '/imports').expect(200)
  assert.deepEqual(list.items[0].result, { rows: 4, imported: 2, unchanged: 0, rejected: 2 })
  const rejects = async () => (await api('get', `/imports/${begun.id}/rejects`).expect(200)).body.items
  assert.deepEqual(
    (await rejects()).map(({ line, reason }: { line: number; reason: string }) => [line, reason]),
    [
      [4, 'email: is not an e-mail address'],
      [5, 'email: comes more than once'],
    ],
  )
  await eraseAddress(house.ctx, { email: 'ada@example.com', key: 'ada@example.com' })
  assert.equal((await rejects()).length, 1)
  house.clock.advance('192h')
  await purgeImports(house.ctx)
  assert.equal((await rejects()).length, 0)
  await api('get', '/imports/999').expect(404)
})

story('a ZIP archive by the API; one that unpacks to a thousand times its size is refused', async (house) => {
  await addCategories(house)
  const api = await openApi(house)
  const send = async (files: Record<string, string>) => {
    const content = zipOf(files).toString('base64')
    const { body } = await api('post', '/imports')
      .send({ source: 'x', content, encoding: 'base64', fileName: 'export.zip' })
      .expect(202)
    await runImports(house.ctx)
    return (await api('get', `/imports/${body.id}`).expect(200)).body
  }
  const good = await send({
    'a/subscribed.csv': 'email\nada@example.com\n',
    'a/unsubscribed.csv': 'email\nuna@example.com\n',
    'logo.png': 'x',
  })
  assert.deepEqual(good.report.outcomes, { subscribed: 1, unsubscribed: 1 })
  const bomb = await send({ 'list.csv': `email\n${'a'.repeat(50_000_000)}` })
  assert.equal(bomb.state, 'refused')
  assert.match(bomb.refusal, /isn’t unpacked/)
})

/** The least that a ZIP archive needs (APPNOTE 4.3). */
function zipOf(files: Record<string, string>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(files)) {
    const data = Buffer.from(content)
    const packed = deflateRawSync(data)
    const head = Buffer.alloc(26)
    head.writeUInt16LE(20, 0)
    head.writeUInt16LE(8, 4)
    head.writeUInt32LE(crc32(data), 10)
    head.writeUInt32LE(packed.length, 14)
    head.writeUInt32LE(data.length, 18)
    head.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), head, Buffer.from(name), packed])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), head, tail, Buffer.from(name)]))
    parts.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(directory.length, 4)
  end.writeUInt16LE(directory.length, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06', 'latin1'), end])
}
