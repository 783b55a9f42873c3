// npm run test:faults: the long fault matrix, on a Postgres of its own: each row 20 times at random moments, or as often as its
// share of the ten minutes allows. At the end a table says what each row lost and doubled.
//
// npm run test:faults -- [--rounds N] [--row-seconds N, 0: as long as it takes] [file name part …]

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { ReportLine } from './support/fault-rows.ts'

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '20' }, 'row-seconds': { type: 'string', default: '20' } },
})
const files = fs
  .globSync('failures/*.test.ts', { cwd: import.meta.dirname })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .map((file) => path.join(import.meta.dirname, file))
  .sort()
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'broadsheet-fault-report-'))
const report = path.join(folder, 'rows')
fs.writeFileSync(report, '')
const runner = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-timeout=3600000', ...files], {
  stdio: 'inherit',
  env: {
    FAULT_ROUNDS: values.rounds,
    FAULT_ROW_SECONDS: values['row-seconds'],
    FAULT_REPORT: report,
    NODE_COMPILE_CACHE: path.join(folder, 'cache'),
    ...process.env,
  },
})
const code = await new Promise<number>((resolve) => runner.once('exit', (status) => resolve(status ?? 1)))
const lines = fs.readFileSync(report, 'utf8').split('\n').filter(Boolean)
console.log('\nrounds  lost  doubled (most in a round)  seeds                  row')
for (const line of lines) {
  const { row, rounds, seeds, doubled, mostDoubled, failed } = JSON.parse(line) as ReportLine
  const lost = failed.length ? 'FAILED' : '0'
  const twice = `${doubled} (${mostDoubled})`
  console.log(`${String(rounds).padStart(6)}${lost.padStart(7)}  ${twice.padEnd(26)} ${seeds.padEnd(22)} ${row}`)
}
fs.rmSync(folder, { recursive: true, force: true })
process.exitCode = code
