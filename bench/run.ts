// npm run bench -- NAME …: runs bench/NAME.ts with the rest of the words. Without a name it says which there are.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

const benches = {
  signup: 'sign-ups a second against a bare Express handler that does the same inserts',
  delivery: 'mails a second against pooled nodemailer; --far 15: with the relay 15 ms away in either direction',
  plan: 'subscribers planned a second at one slot, against plain SQL',
  compose: 'digests composed a second, 1,000 combinations of categories against one',
  ingest: 'entries of feeds a second',
  inbound: 'returned mails taken in and applied a second',
  import: 'rows of a list imported a second, against a bare COPY of the same rows',
  even: 'whether the time of an answer tells what is known of an address',
  console: 'every page of the console and list of the API, with a million subscribers',
}
const [name = '', ...rest] = process.argv.slice(2)
const file = path.join(import.meta.dirname, `${name}.ts`)
if (!(name in benches) || !existsSync(file)) {
  for (const [known, about] of Object.entries(benches)) console.log(`npm run bench -- ${known.padEnd(10)} ${about}`)
  process.exitCode = name === '' ? 0 : 1
} else {
  const child = spawn(process.execPath, [file, ...rest], { stdio: 'inherit' })
  child.on('exit', (code) => (process.exitCode = code ?? 1))
}
