// The newcomer's first minutes, on the program as it is started: sign-up, mailbox, confirmation, digest; commands through the
// running server; Ctrl-C, restart, and the plug pulled.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { freePort, type Program, runCommand, startProgram } from '../support/program.ts'
import { templateNames } from '../../src/mails/templates.ts'
import type { MailboxMessage } from '../../src/trial/mailbox.ts'
import { waitFor } from '../support/wait-for.ts'

const dataDir = mkdtempSync(path.join(tmpdir(), 'trial-'))
let port: number
let program: Program

before(async () => {
  port = await freePort()
  program = await startProgram(dataDir, port)
})
after(async () => {
  if (program.child.exitCode === null && program.child.signalCode === null) await program.end('SIGKILL')
  rmSync(dataDir, { recursive: true, force: true })
})

const messages = async () => (await (await fetch(`${program.url}/mailbox/messages.json`)).json()) as MailboxMessage[]
const mailTo = (to: string, subject: RegExp) =>
  waitFor(async () => (await messages()).find((message) => message.to === to && subject.test(message.subject)))
const source = async ({ id }: MailboxMessage) => (await fetch(`${program.url}/mailbox/messages/${id}?view=text`)).text()
const post = (at: string, fields: Record<string, string>) =>
  fetch(program.url + at, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
const cli = (...words: string[]) => runCommand(dataDir, port, words)
const reader = 'reader@example.org'

test('three addresses are printed, and nothing else', async () => {
  const output = program.output()
  assert.match(output, new RegExp(`The form +${program.url}/\n`))
  assert.match(output, new RegExp(`The mailbox +${program.url}/mailbox\n`))
  const consoleLink = /The console +(\S+)/.exec(output)![1]!
  for (const address of [`${program.url}/`, `${program.url}/mailbox`, consoleLink])
    assert.equal((await fetch(address)).status, 200, address)
  assert.doesNotMatch(output, /warn|error|\n {4}at /i)
})

test('the sample stories are there, five of each category', async () => {
  const counts = async () =>
    (await cli('category', 'list', '--json')).stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { articles: number }).articles)
  await waitFor(async () => ((await counts()).every((count) => count > 0) ? true : undefined))
  assert.deepEqual(await counts(), [5, 5, 5, 5])
  const front = await (await fetch(program.url)).text()
  const links = new Set([...front.matchAll(/href="[^"]*(\/gazette\/\d{4}\/[^"]+)"/g)].map((match) => match[1]!))
  assert.ok(links.size >= 4, `${links.size} stories on the front page`)
  for (const link of links) assert.equal((await fetch(program.url + link)).status, 200, link)
})

test('a reader signs up, confirms, and gets one digest with exactly the sections chosen', async () => {
  const answer = await post('/subscribe', {
    email: reader,
    timezone: 'Europe/Berlin',
    'frequency[politics]': 'daily',
    'frequency[business]': 'weekly',
    'frequency[investing]': 'off',
  })
  assert.equal(answer.status, 303)
  const confirmation = await source(await mailTo(reader, /confirm/i))
  const link = new URL(/https?:\/\/[^\s"<>]+\/confirm\?token=[^\s"<>]+/.exec(confirmation)![0])
  const token = link.searchParams.get('token')!
  assert.equal((await fetch(link)).status, 200)
  assert.match((await cli('digest', 'explain', reader)).stdout, /pending|not confirmed|confirm/i)
  assert.ok((await post('/confirm', { token })).status < 400)
  await waitFor(async () => ((await messages()).length >= 2 ? true : undefined))

  const run = await cli('digest', 'run', '--manual', '--json')
  assert.equal(run.code, 0, run.stderr)
  const closed = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; account?: { audience: number; sent: number } })
    .find((line) => line.event === 'closed')
  assert.equal(closed?.account?.sent, 1)
  const [digest] = await messages()
  const html = await (await fetch(`${program.url}/mailbox/messages/${digest!.id}.html`)).text()
  const headings = [...html.matchAll(/<h\d[^>]*>([^]*?)<\/h\d>/g)].map((match) =>
    match[1]!.replace(/<[^>]+>/g, '').trim(),
  )
  assert.ok(headings.includes('Politics') && headings.includes('Business'), headings.join(', '))
  assert.ok(!headings.includes('Investing') && !headings.includes('World News'), headings.join(', '))

  const again = await cli('digest', 'run', '--manual', '--json')
  assert.equal(again.code, 0, again.stderr)
  assert.equal((await messages())[0]!.id, digest!.id)
})

test('every mail is shown with the site’s own stories, in both schemes, and again once a template was saved', async () => {
  const read = async (path: string) => (await fetch(`${program.url}/mailbox/preview${path}`)).text()
  const page = await read('')
  for (const name of templateNames) assert.equal(page.split(`/preview/${name}.html?scheme=`).length, 7, name)
  assert.doesNotMatch(page, /<script>| style=/)
  const [light, dark] = await Promise.all([read('/digest.html?scheme=light'), read('/digest.html?scheme=dark')])
  assert.match(light, /@media not all/)
  assert.match(dark, /@media all/)
  for (const html of [light, dark]) assert.doesNotMatch(html, /prefers-color-scheme|light dark/)
  assert.match(await read('/digest.txt'), /\/gazette\//)
  const version = /data-version="([^"]+)"/.exec(page)![1]
  assert.equal(await read('/version'), version)
  await utimes(path.join(import.meta.dirname, '../../emails/alert.mjml'), new Date(), new Date())
  assert.notEqual(await read('/version'), version)
})

test('a second server on the same folder is refused with one sentence', async () => {
  const second = await runCommand(dataDir, await freePort(), ['start'])
  assert.equal(second.code, 1)
  assert.match(second.stderr, /^A Broadsheet server already uses \S+ \(process \d+\)\. [^\n]+\n$/)
  assert.equal(second.stdout, '')
})

test('Ctrl-C ends it cleanly, and the next start has the same data', async () => {
  const before = await messages()
  assert.equal(await program.end('SIGINT'), 0)
  assert.doesNotMatch(program.output(), /warn|error|\n {4}at /i)
  const began = performance.now()
  program = await startProgram(dataDir, port)
  console.log(`restarted in ${Math.round(performance.now() - began)} ms`)
  assert.deepEqual(await messages(), before)
  assert.match((await cli('subscribers', 'export')).stdout, /reader@example\.org/)
})

test('after kill -9 the next start continues with the same data', async () => {
  const before = await messages()
  await program.end('SIGKILL')
  program = await startProgram(dataDir, port)
  assert.deepEqual(await messages(), before)
  assert.equal((await cli('doctor')).code, 0)
})
