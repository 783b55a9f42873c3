import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { checkMailDns, type DnsLookups } from '../../src/commands/checks/mail-dns.ts'

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed25519 = generateKeyPairSync('ed25519')
const pemOf = ({ privateKey }: { privateKey: KeyObject }) =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const textOf = ({ publicKey }: { publicKey: KeyObject }) =>
  publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const publicText = textOf(keys)
const environment = {
  SITE_NAME: 'The Whale Gazette',
  SMTP_URL: 'smtp://relay.example:587',
  PUBLIC_URL: 'https://news.example',
  SECRET_KEY: 'k'.repeat(32),
  MAIL_FROM: 'Gazette <news@mail.paper.example>',
  POSTAL_ADDRESS: '1 Harbour Street',
  DKIM_DOMAIN: 'paper.example',
  DKIM_SELECTOR: 's1',
  DKIM_PRIVATE_KEY: pemOf(keys),
}

/** A zone: name → TXT records; a text instead of a list is the resolver's error. */
function zone(records: Record<string, string[] | string>): DnsLookups {
  return {
    resolveTxt(name) {
      const found = records[name] ?? 'ENOTFOUND'
      if (typeof found === 'string') return Promise.reject(Object.assign(new Error(found), { code: found }))
      // Long records come in pieces of 255 bytes.
      return Promise.resolve(found.map((text) => text.match(/.{1,255}/g) ?? []))
    },
    resolveMx: () => Promise.resolve([]),
  }
}
const check = (records: Record<string, string[] | string>, changed: Record<string, string> = {}) =>
  checkMailDns(readConfig({ ...environment, ...changed }), zone(records))
const states = async (...given: Parameters<typeof check>) =>
  (await check(...given)).map((finding) => `${finding.what.split(' ')[0]} ${finding.state}`)
/** What is said about keys and signing, beyond SPF and DMARC. */
const signing = async (...given: Parameters<typeof check>) =>
  (await check(...given)).slice(2).map(({ what, state, found }) => `${state} ${what}: ${found}`)

const good = {
  'mail.paper.example': ['some other text', 'v=spf1 include:relay.example -all'],
  '_dmarc.paper.example': ['v=DMARC1; p=none'],
  's1._domainkey.paper.example': [`v=DKIM1; k=rsa; p=${publicText}`],
}

test('a complete zone is well, the organisation’s DMARC record counts for its subdomain', async () => {
  assert.deepEqual(await states(good), ['SPF ok', 'DMARC ok', 'DKIM ok'])
})

test('what is missing fails, and says which record to add', async () => {
  const findings = await check({})
  assert.deepEqual(
    findings.map((finding) => finding.state),
    ['fail', 'fail', 'fail'],
  )
  assert.match(findings[2]!.fix!, new RegExp(`p=${publicText.slice(0, 20).replaceAll('+', '\\+')}`))
})

test('two SPF records, another DKIM key and a revoked one fail', async () => {
  const double = { ...good, 'mail.paper.example': ['v=spf1 -all', 'v=spf1 ~all'] }
  assert.deepEqual(await states(double), ['SPF fail', 'DMARC ok', 'DKIM ok'])
  for (const p of ['MIIB', ''])
    assert.deepEqual(await states({ ...good, 's1._domainkey.paper.example': [`v=DKIM1; p=${p}`] }), [
      'SPF ok',
      'DMARC ok',
      'DKIM fail',
    ])
})

test('a resolver that doesn’t answer is a warning, not a verdict', async () => {
  assert.deepEqual(await states({ ...good, 'mail.paper.example': 'ETIMEOUT' }), ['SPF warn', 'DMARC ok', 'DKIM ok'])
})

test('each selector is looked up, with its own key', async () => {
  const two = { DKIM_SELECTOR: 's1, s2', DKIM_PRIVATE_KEY: `${pemOf(keys)}\n${pemOf(ed25519)}` }
  const second = Buffer.from(ed25519.publicKey.export({ format: 'jwk' }).x!, 'base64url').toString('base64')
  const both = { ...good, 's2._domainkey.paper.example': [`v=DKIM1; k=ed25519; p=${second}`] }
  assert.deepEqual(await signing(both, two), [
    'ok DKIM at s1._domainkey.paper.example: matches the private key (RSA, 2048 bits)',
    'ok DKIM at s2._domainkey.paper.example: matches the private key',
  ])
  assert.deepEqual(await signing(good, two), [
    'ok DKIM at s1._domainkey.paper.example: matches the private key (RSA, 2048 bits)',
    'fail DKIM at s2._domainkey.paper.example: no record',
  ])
  const swapped = { ...two, DKIM_SELECTOR: 's2,s1' }
  assert.deepEqual(
    (await signing(both, swapped)).map((line) => line.replace(/^(\w+).*: /, '$1 ')),
    ['fail contains another key', 'fail contains another key'],
  )
  const alone = { DKIM_SELECTOR: 's2', DKIM_PRIVATE_KEY: pemOf(ed25519) }
  assert.deepEqual(await signing(both, alone), [
    'ok DKIM at s2._domainkey.paper.example: matches the private key',
    'warn DKIM keys: Ed25519 only, which many receivers can’t verify',
  ])
})

test('a key that receivers take for weak is a warning, one that they refuse a failure', async () => {
  for (const [bits, expected] of [
    [512, "fail DKIM at s1._domainkey.paper.example: the key has only 512 bits, which receivers don't accept"],
    [1024, 'warn DKIM at s1._domainkey.paper.example: matches the private key (RSA, 1024 bits)'],
    [4096, 'ok DKIM at s1._domainkey.paper.example: matches the private key (RSA, 4096 bits)'],
  ] as const) {
    const pair = generateKeyPairSync('rsa', { modulusLength: bits })
    const records = { ...good, 's1._domainkey.paper.example': [`v=DKIM1; k=rsa; p=${textOf(pair)}`] }
    assert.deepEqual(await signing(records, { DKIM_PRIVATE_KEY: pemOf(pair) }), [expected])
  }
})

test('a record that keeps receivers from verifying with it is no good, though it holds the key', async () => {
  for (const [record, state] of [
    [`p=${publicText}`, 'ok'],
    [` v = DKIM1 ; k = rsa ; p = ${publicText.replace(/.{64}/g, '$& ')} ;`, 'ok'],
    [`v=DKIM1; h=sha1:sha256; s=email; t=s; n=notes; p=${publicText}`, 'ok'],
    [`v=DKIM1; t=s:y; p=${publicText}`, 'warn'],
    [`v=DKIM1; k=ed25519; p=${publicText}`, 'fail'],
    [`v=DKIM2; p=${publicText}`, 'fail'],
    [`v=DKIM1; h=sha1; p=${publicText}`, 'fail'],
    [`v=DKIM1; s=tlsrpt; p=${publicText}`, 'fail'],
  ] as const)
    assert.deepEqual(
      (await states({ ...good, 's1._domainkey.paper.example': [record] })).slice(2),
      [`DKIM ${state}`],
      record,
    )
  const twice = { ...good, 's1._domainkey.paper.example': [`p=${publicText}`, 'v=DKIM1; p=MIIB'] }
  assert.deepEqual((await states(twice)).slice(2), ['DKIM fail'])
})

test('signing what Amazon SES replaces is a warning, until it is left out', async () => {
  const amazon = { SMTP_URL: 'smtp://relay.example smtp://u:p@email-smtp.eu-west-1.amazonaws.com:587' }
  const about = async (leaveOut: string) =>
    (await signing(good, { ...amazon, DKIM_LEAVE_OUT: leaveOut }))
      .slice(1)
      .map((line) => line.replace(/^(\w+).*: /, '$1 '))
  assert.deepEqual(await about(''), ['warn Message-ID and Date are signed, but Amazon SES replaces them'])
  assert.deepEqual(await about('date'), ['warn Message-ID is signed, but Amazon SES replaces it'])
  assert.deepEqual(await about('Message-ID, Date'), [])
  const unsigned = { SMTP_URL: amazon.SMTP_URL, DKIM_DOMAIN: '', DKIM_SELECTOR: '', DKIM_PRIVATE_KEY: '' }
  assert.deepEqual(await signing(good, unsigned), ['warn DKIM: mails are not signed here'])
  assert.deepEqual((await signing(good, { DKIM_LEAVE_OUT: 'List-Unsubscribe-Post' })).slice(1), [
    'warn DKIM_LEAVE_OUT: List-Unsubscribe-Post not signed',
  ])
})
