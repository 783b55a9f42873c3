// Mails that real servers returned: Debian's dma, OpenSMTPD, sendmail and Courier, about a mail to a server that refused it. The file's
// name says who wrote it and why.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readInbound } from '../../src/inbound/read.ts'

const folder = path.join(import.meta.dirname, '../samples/bounces')
const own = { addresses: ['news@paper.example'], bounceDomain: null }
const causes = {
  'user-unknown': 'unknown@a.example hard user_unknown 5.1.1',
  'mailbox-full': 'full@a.example soft mailbox_full 5.2.2',
  'too-big': 'big@a.example soft too_big 5.3.4',
  'host-unknown': 'eve@nohost.example hard host_unknown null',
}

for (const file of readdirSync(folder))
  for (const [cause, expected] of Object.entries(causes))
    if (file.endsWith(`-${cause}.eml`))
      test(file, async () => {
        const { kind, reports } = await readInbound(readFileSync(path.join(folder, file)), own)
        const said = reports.map(
          ({ recipient, class: what, reason, status }) => `${recipient} ${what} ${reason} ${status}`,
        )
        assert.deepEqual([kind, ...said], ['bounce', expected])
      })
