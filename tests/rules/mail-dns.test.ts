import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { checkMailDns, type DnsLookups } from '../../src/commands/mail-dns.ts'

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicText = keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const config = readConfig({
  SITE_NAME: 'The Whale Gazette',
  SMTP_URL: 'smtp://relay.example:587',
  PUBLIC_URL: 'https://news.example',
  SECRET_KEY: 'k'.repeat(32),
  MAIL_FROM: 'Gazette <news@mail.paper.example>',
  POSTAL_ADDRESS: '1 Harbour Street',
  DKIM_DOMAIN: 'paper.example',
  DKIM_SELECTOR: 's1',
  DKIM_PRIVATE_KEY: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
})

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
const states = async (records: Record<string, string[] | string>) =>
  (await checkMailDns(config, zone(records))).map((finding) => `${finding.what.split(' ')[0]} ${finding.state}`)

const good = {
  'mail.paper.example': ['some other text', 'v=spf1 include:relay.example -all'],
  '_dmarc.paper.example': ['v=DMARC1; p=none'],
  's1._domainkey.paper.example': [`v=DKIM1; k=rsa; p=${publicText}`],
}

test('a complete zone is well, the organisation’s DMARC record counts for its subdomain', async () => {
  assert.deepEqual(await states(good), ['SPF ok', 'DMARC ok', 'DKIM ok'])
})

test('what is missing fails, and says which record to add', async () => {
  const findings = await checkMailDns(config, zone({}))
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
