// From the trial to Postgres, with a server that still runs; what is refused; and back, as a copy that sends nothing.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { openEmbedded, openPostgres } from '../../src/db/connect.ts'
import { findSendingHold } from '../../src/delivery/sending-hold.ts'
import { readCounters } from '../../src/installation/shape.ts'
import { emptyPostgres } from '../support/postgres-databases.ts'
import { freePort, type Program, runCommand, startProgram } from '../support/program.ts'

const options = process.env['TEST_DATABASE_URL'] ? {} : { skip: 'needs a Postgres' }

test(
  'the trial moves to Postgres while it runs, may be asked again, and doesn’t start from its folder any more',
  options,
  async () => {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-moving-'))
    const port = await freePort()
    const { url, drop } = await emptyPostgres()
    const other = await emptyPostgres()
    const running: Program[] = []
    try {
      const server = await startProgram(dataDir, port)
      running.push(server)
      const subscribed = await fetch(`${server.url}/subscribe`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'email=ada@mail.example&frequency[politics]=daily',
        redirect: 'manual',
      })
      assert.equal(subscribed.status, 303)
      const messages = async () =>
        (await (await fetch(`${server.url}/mailbox/messages.json`)).json()) as { id: string; to: string[] }[]
      while ((await messages()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
      const [mail] = await messages()
      const raw = await (await fetch(`${server.url}/mailbox/messages/${mail!.id}.eml`)).text()
      const [, token] = /confirm\?token=3D([\w.-]+)/.exec(raw.replace(/=\r?\n/g, ''))!

      // Refused before the server is asked to end.
      const there = openPostgres(other.url, 1)
      await sql`create table blog_posts (id int)`.execute(there.db)
      await there.close()
      const refused = await runCommand(dataDir, port, ['move', '--to', other.url])
      assert.equal(refused.code, 1)
      assert.equal(
        refused.stderr,
        'The target holds tables of something else (blog_posts), so nothing was changed. Name an empty database or a new folder.\n',
      )
      const nowhere = await runCommand(dataDir, port, ['move', '--to', 'postgres://127.0.0.1:1/none'])
      assert.equal(nowhere.code, 1)
      assert.equal(nowhere.stderr.trim().split('\n').length, 1)
      assert.equal(server.child.exitCode, null)

      const ended = once(server.child, 'exit')
      const moved = await runCommand(dataDir, port, ['move', '--to', url])
      assert.equal(moved.code, 0, moved.stderr)
      assert.match(moved.stderr, /is asked to end\. It settles what is on the wire first\./)
      assert.equal((await ended)[0], 0, 'the server ended well')
      const secret = readFileSync(path.join(dataDir, 'secret.key'), 'utf8').trim()
      assert.ok(moved.stdout.includes(`\nDATABASE_URL=${url}\nSECRET_KEY=${secret}\n`), moved.stdout)
      assert.ok(existsSync(path.join(dataDir, 'database/PG_VERSION')))

      const start = await runCommand(dataDir, port, ['start'])
      assert.equal(start.code, 1)
      assert.match(
        start.stderr,
        /^The database in .* was moved to postgres:\/\/.* on \d{4}-.*start --even-though-moved\n$/,
      )
      const again = await runCommand(dataDir, port, ['move', '--to', url])
      assert.equal(again.code, 0, again.stderr)
      assert.match(again.stdout, /^Everything is at postgres:.* already\./)
      const elsewhere = await emptyPostgres()
      assert.equal((await runCommand(dataDir, port, ['move', '--to', elsewhere.url])).code, 1)
      await elsewhere.drop()

      // The mail that is out goes on working, where the printed lines are set. A folder that is new knows nothing.
      const newDir = path.join(dataDir, 'new')
      const onPostgres = await startProgram(newDir, port, { DATABASE_URL: url, SECRET_KEY: secret })
      running.push(onPostgres)
      const confirmed = await fetch(`${onPostgres.url}/confirm`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
        body: `token=${token!}`,
        redirect: 'manual',
      })
      assert.ok(confirmed.status < 400, String(confirmed.status))
      const database = openPostgres(url, 2)
      const ada = await database.db.selectFrom('subscribers').select(['status']).executeTakeFirstOrThrow()
      assert.equal(ada.status, 'active')
      assert.equal(await findSendingHold(database.db), null, 'a move goes on sending')

      // Back, while the server runs: a copy.
      const copyDir = path.join(dataDir, 'copy')
      const back = await runCommand(newDir, port, ['move', '--to', copyDir], { DATABASE_URL: url, SECRET_KEY: secret })
      assert.equal(back.code, 0, back.stderr)
      assert.match(back.stdout, /The source is as it was\. In the copy sending is held until sending release\./)
      assert.equal(existsSync(path.join(newDir, 'moved.json')), false)
      const counters = await readCounters(database.db)
      await database.close()
      assert.equal(await onPostgres.end('SIGTERM'), 0)
      const copy = await openEmbedded(`${copyDir}/database`)
      assert.match((await findSendingHold(copy.db))!.why, /^This is a copy of another installation/)
      assert.equal(
        (await copy.db.selectFrom('subscribers').select('email').executeTakeFirstOrThrow()).email,
        'ada@mail.example',
      )
      const above = (await readCounters(copy.db))['subscribers_id_seq']!
      assert.ok(above > counters['subscribers_id_seq']! + 1_000_000)
      await copy.close()
    } finally {
      for (const { child } of running) child.kill('SIGKILL')
      await drop()
      await other.drop()
      rmSync(dataDir, { recursive: true, force: true })
    }
  },
)
