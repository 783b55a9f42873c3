// npm test: finds or starts a Postgres, then runs every test file under node:test. Arguments are file name parts to choose by:
// npm test -- selection confirm
// Files named .slow.test.ts run when an argument names them, and in npm run test:all.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createTemplate } from './support/postgres-databases.ts'
import { startPostgres } from './support/postgres.ts'

const root = path.join(import.meta.dirname)
const wanted = process.argv.slice(2)
const files = ['rules', 'stories', 'failures']
  .flatMap((folder) =>
    fs.globSync('**/*.test.ts', { cwd: path.join(root, folder) }).map((f) => path.join(root, folder, f)),
  )
  .filter((file) =>
    wanted.length === 0
      ? process.env['TEST_ALL'] === '1' || !file.endsWith('.slow.test.ts')
      : wanted.some((part) => path.relative(root, file).includes(part)),
  )
  .sort()

const postgres = await startPostgres()
console.log(
  postgres
    ? `Stories run on the embedded database and on Postgres (${postgres.folder ? 'started for the tests' : 'TEST_DATABASE_URL'}).`
    : 'No Postgres 15 or newer was found, so the stories run on the embedded database only. Install one, or set TEST_DATABASE_URL.',
)
const template = postgres && (await createTemplate(postgres.url))
const limits = ['--test-timeout=300000', '--import', path.join(root, 'support/time-limit.ts')]
const runner = spawn(process.execPath, ['--test', '--test-concurrency=4', ...limits, ...files], {
  stdio: 'inherit',
  env: {
    TEST_FILE_MINUTES: '6',
    // Each file is a process: it compiles only what no other has compiled.
    NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'broadsheet-compiled'),
    ...process.env,
    ...(postgres && template ? { TEST_DATABASE_URL: postgres.url, TEST_DATABASE_TEMPLATE: template.name } : {}),
  },
})
const forward = (signal: NodeJS.Signals): void => void runner.kill(signal)
process.on('SIGINT', forward).on('SIGTERM', forward)
const code = await new Promise<number>((resolve) => runner.once('exit', (status) => resolve(status ?? 1)))
await template?.drop()
await postgres?.stop()
process.exitCode = code
