import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import express from 'express'
import nodemailer, { type SendMailOptions } from 'nodemailer'
import request from 'supertest'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { Mailbox, type MailboxMessage } from '../../src/trial/mailbox.ts'
import { mailboxPages } from '../../src/trial/mailbox-pages.ts'
import { type MailboxServer, startMailboxServer } from '../../src/trial/mailbox-server.ts'
import { handleErrors } from '../../src/web/errors.ts'
import { placeRequests } from '../../src/web/place.ts'

const dataDir = mkdtempSync(path.join(tmpdir(), 'mailbox-'))
const log = createLog('silent')
const config = readConfig({})
const mailbox = new Mailbox(dataDir)
const site = express()
  .use(placeRequests(config))
  .use('/mailbox', mailboxPages(config, mailbox))
  .use(handleErrors(config, log))
let server: MailboxServer

before(async () => {
  server = await startMailboxServer(mailbox, log)
})
after(async () => {
  await server.close()
  rmSync(dataDir, { recursive: true })
})

async function send(subject: string, to: string, rest: SendMailOptions = {}): Promise<void> {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port: server.relay.port, ignoreTLS: true })
  await transport.sendMail({ from: 'Gazette <news@example.org>', to, subject, text: 'Good morning', ...rest })
  transport.close()
}

test('an empty mailbox says where the first mail comes from', async () => {
  const page = await request(site).get('/mailbox').expect(200)
  assert.match(page.text, /No mail yet/)
  const list = await request(site).get('/mailbox/messages.json').expect(200)
  assert.deepEqual(list.body, [])
})

test('mails are listed newest first, with their subject decoded', async () => {
  await send('First', 'one@example.org')
  await send('Ferries – “on time”', 'two@example.org')
  const { body } = await request(site).get('/mailbox/messages.json')
  const messages = body as MailboxMessage[]
  assert.deepEqual(
    messages.map(({ from, to, subject }) => ({ from, to, subject })),
    [
      { from: 'Gazette <news@example.org>', to: 'two@example.org', subject: 'Ferries – “on time”' },
      { from: 'Gazette <news@example.org>', to: 'one@example.org', subject: 'First' },
    ],
  )
  assert.ok(messages[0]!.receivedAt >= messages[1]!.receivedAt)
})

test('the .eml is what was sent, byte for byte, leading dots included', async () => {
  const raw = 'From: a@example.org\r\nTo: b@example.org\r\nSubject: Dots\r\n\r\n.\r\n..two\r\n\r\nend\r\n'
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port: server.relay.port, ignoreTLS: true })
  await transport.sendMail({ envelope: { from: 'a@example.org', to: 'b@example.org' }, raw })
  transport.close()
  const [newest] = await mailbox.list({ limit: 1 })
  const answer = await request(site)
    .get(`/mailbox/messages/${newest!.id}.eml`)
    .responseType('blob')
    .expect('Content-Type', /^message\/rfc822/)
  assert.equal((answer.body as Buffer).toString(), raw)
})

test('a mail’s HTML is framed without scripts, and its subject is escaped', async () => {
  await send('<script>alert(1)</script>', 'x@example.org', {
    html: '<!doctype html><html><head><title>t</title></head><body><a href="https://example.org/">go</a></body></html>',
  })
  const [newest] = await mailbox.list({ limit: 1 })
  const page = await request(site).get(`/mailbox/messages/${newest!.id}`).expect(200)
  assert.ok(!page.text.includes('<script>alert'))
  assert.match(page.text, /<iframe[^>]+sandbox="allow-popups allow-popups-to-escape-sandbox"/)
  const framed = await request(site).get(`/mailbox/messages/${newest!.id}.html`).expect(200)
  assert.match(framed.headers['content-security-policy']!, /default-src 'none'.*sandbox/)
  assert.match(framed.text, /<head><base target="_blank" \/>/)
  for (const view of ['text', 'headers', 'source'])
    await request(site).get(`/mailbox/messages/${newest!.id}?view=${view}`).expect(200)
})

test('what isn’t in the mailbox is not found, whatever its name looks like', async () => {
  for (const id of ['nothing', '..%2f..%2fsecret.key', '000000000-1-00001'])
    await request(site).get(`/mailbox/messages/${id}.eml`).expect(404)
})

test('mails survive a restart, and a second process sees them', async () => {
  const again = new Mailbox(dataDir)
  assert.deepEqual(await again.list(), await mailbox.list())
})

test('only the newest 5,000 are kept', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mailbox-'))
  const many = new Mailbox(folder)
  const mail = Buffer.from('From: a@example.org\r\nSubject: One of many\r\n\r\nx\r\n')
  for (let i = 0; i < 6500; i += 100)
    await Promise.all(Array.from({ length: 100 }, () => many.add(mail, 'a@example.org', new Date(1e12 + i))))
  await many.settled()
  const files = readdirSync(path.join(folder, 'mailbox'))
  assert.ok(files.length >= 5000 && files.length <= 5700, String(files.length))
  assert.equal((await many.list()).length, 5000)
  rmSync(folder, { recursive: true })
})
