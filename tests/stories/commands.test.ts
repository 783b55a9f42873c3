import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import type { ControlServer } from '../../src/commands/control-server.ts'
import { openForCommand, type Opened } from '../../src/commands/open.ts'
import { runWords } from '../../src/commands/program.ts'
import { serveCommands } from '../../src/commands/serve-commands.ts'
import { seedTrial } from '../../src/trial/trial-data.ts'

const dataDir = mkdtempSync(path.join(tmpdir(), 'commands-'))
const cliFile = path.join(import.meta.dirname, '../../src/cli.ts')
let server: Opened
let control: ControlServer

/** As a person types it: a process of its own. */
function cli(words: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [cliFile, ...words], {
    env: { PATH: process.env['PATH'], DATA_DIR: dataDir, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, stdout, stderr })),
  )
}

before(async () => {
  server = await openForCommand(readConfig({ DATA_DIR: dataDir }))
  control = await serveCommands(dataDir, server, runWords)
})
after(async () => {
  await control.close()
  await server.close()
  rmSync(dataDir, { recursive: true })
})

test('the control file is for its owner only', () => {
  assert.equal(statSync(path.join(dataDir, 'control.json')).mode & 0o777, 0o600)
  assert.equal(statSync(path.join(dataDir, 'secret.key')).mode & 0o777, 0o600)
})

test('a command acts through the server that holds the embedded database', async () => {
  const made = await cli(['api-key', 'create', 'newsroom', '--json'])
  assert.equal(made.code, 0, made.stderr)
  assert.ok((JSON.parse(made.stdout) as { key: string }).key)
  const keys = await server.ctx.db.selectFrom('apiKeys').select('name').execute()
  assert.deepEqual(keys, [{ name: 'newsroom' }])
})

test('a refusal is one sentence on stderr and exit code 1', async () => {
  const { code, stdout, stderr } = await cli(['api-key', 'create', 'x', '--scope', 'everything'])
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /^everything is no scope/)
})

test('without a terminal nothing is removed unless --yes says so', async () => {
  await seedTrial(server.ctx)
  const asked = await cli(['trial', 'leave'])
  assert.equal(asked.code, 1)
  assert.match(asked.stderr, /Nothing was removed/)
  const told = await cli(['trial', 'leave', '--yes', '--json'])
  assert.equal(told.code, 0, told.stderr)
  assert.equal((JSON.parse(told.stdout) as { feeds: number }).feeds, 4)
  const again = await cli(['trial', 'leave', '--yes'])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /nothing of the trial here/)
})

test('the control address refuses callers without the key', async () => {
  const { address } = JSON.parse(readFileSync(path.join(dataDir, 'control.json'), 'utf8')) as { address: string }
  const call = { method: 'POST', body: JSON.stringify({ words: ['admin', 'list'] }) }
  assert.equal((await fetch(address, call)).status, 401)
  assert.equal((await fetch(address, { ...call, headers: { authorization: 'Bearer guess' } })).status, 401)
})

test('help and wrong words need neither server nor database', async () => {
  const elsewhere = { DATA_DIR: path.join(dataDir, 'nowhere') }
  const help = await cli(['--help'], elsewhere)
  assert.equal(help.code, 0)
  assert.match(help.stdout, /migrate[^]*doctor[^]*trial[^]*admin[^]*api-key/)
  const wrong = await cli(['frobnicate'], elsewhere)
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /unknown command/)
  assert.throws(() => statSync(elsewhere.DATA_DIR))
})

test('a wrong environment is told whole, and by doctor too', async () => {
  const environment = { PORT: '99999', TIMEZONE: 'Mars/Olympus', SMTP_URL: 'ftp://relay' }
  const plain = await cli(['admin', 'list'], environment)
  assert.equal(plain.code, 1)
  for (const name of ['PORT', 'TIMEZONE', 'SMTP_URL', 'SITE_NAME', 'SECRET_KEY', 'MAIL_FROM', 'POSTAL_ADDRESS'])
    assert.match(plain.stderr, new RegExp(`^  ${name}: `, 'm'))
  assert.ok(!plain.stderr.includes('    at '))
  const examined = await cli(['doctor'], environment)
  assert.equal(examined.code, 1)
  assert.match(examined.stdout, /^fail {2}environment: PORT: /m)
})

test('doctor, through the server, finds a working trial well', async () => {
  const { code, stdout, stderr } = await cli(['doctor', '--json'])
  assert.equal(code, 0, stderr)
  const findings = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { what: string; state: string })
  assert.deepEqual(findings.find((finding) => finding.what === 'database clock')?.state, 'ok')
  assert.ok(findings.every((finding) => finding.state !== 'fail'))
})

test('a control file that a dead server left behind doesn’t stand in the way', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'commands-'))
  writeFileSync(path.join(folder, 'control.json'), '{"address":"http://127.0.0.1:1","key":"x","pid":1}')
  const { code, stdout } = await cli(['migrate', '--json'], { DATA_DIR: folder })
  assert.equal(code, 0)
  assert.ok((JSON.parse(stdout) as { migrated: string[] }).migrated.length > 3)
  rmSync(folder, { recursive: true })
})
