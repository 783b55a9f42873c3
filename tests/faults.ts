// npm run test:faults: the long fault matrix, each row 20 times (FAULT_ROUNDS) at random moments, on a Postgres of its own.
// Arguments are file name parts to choose by.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const wanted = process.argv.slice(2)
const files = fs
  .globSync('failures/*.test.ts', { cwd: import.meta.dirname })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .map((file) => path.join(import.meta.dirname, file))
  .sort()
const runner = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-timeout=600000', ...files], {
  stdio: 'inherit',
  env: { FAULT_ROUNDS: '20', ...process.env },
})
runner.once('exit', (code) => {
  process.exitCode = code ?? 1
})
