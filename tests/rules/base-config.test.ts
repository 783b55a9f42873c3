import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { ConfigError, readConfig } from '../../src/base/config.ts'

test('all that is wrong with an environment is said at once', () => {
  const wrong = { PORT: 'http', SMTP_URL: 'ftp://relay', SECRET_KEY: 'short', DKIM_DOMAIN: 'news.example' }
  assert.throws(
    () => readConfig(wrong),
    (error) => {
      assert.ok(error instanceof ConfigError)
      const names = error.problems.map((problem) => problem.split(':')[0])
      for (const name of [
        'PORT',
        'SMTP_URL',
        'SECRET_KEY',
        'DKIM_DOMAIN',
        'PUBLIC_URL',
        'SITE_NAME',
        'MAIL_FROM',
        'POSTAL_ADDRESS',
      ])
        assert.ok(names.includes(name), name)
      return true
    },
  )
})

const site = {
  SITE_NAME: 'Harbour News',
  SMTP_URL: 'smtp://relay.example',
  PUBLIC_URL: 'https://news.example',
  SECRET_KEY: 'k'.repeat(32),
  MAIL_FROM: 'news@harbour.example',
  POSTAL_ADDRESS: '1 Quay',
}
function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

test('a real site must set its name; only the trial has a default', () => {
  const { SITE_NAME: _name, ...nameless } = site
  assert.match(problemsOf(nameless).join('\n'), /^SITE_NAME: is required/)
  assert.equal(readConfig({}).site.name, 'The Whale Gazette')
  assert.equal(readConfig(site).mail.from.name, 'Harbour News')
})

test('proxies are a number of hops or addresses', () => {
  for (const given of ['', '1', '127.0.0.1', '::1, 10.0.0.0/8', 'loopback, uniquelocal'])
    readConfig({ TRUST_PROXY: given })
  for (const given of ['banana', '-1', '10.0.0.0/33', '1,,2', 'proxy.example'])
    assert.throws(() => readConfig({ TRUST_PROXY: given }), /TRUST_PROXY: must be a number of hops/, given)
})

test('a language that dates can’t be written in is refused', () => {
  for (const locale of ['english_US', 'xx', 'de DE', '!'])
    assert.match(problemsOf({ ...site, SITE_LOCALE: locale })[0] ?? '', /^SITE_LOCALE: must be a language/, locale)
  assert.equal(readConfig({ ...site, SITE_LOCALE: 'pt-BR' }).site.locale, 'pt-BR')
})

test('a password that isn’t percent-encoded is a sentence that names the variable and never shows the password', () => {
  const passwords = ['100%', 'zq%xjk', '%E9t%E9', 'zq/xjk', 'zq#xjk', 'zq?xjk', '12/34', '12#34', '12?34', '12?zq=xjk']
  for (const password of [...passwords, 'p@zq/xjk', 'p@12#34', 'p@zq?xjk', 'p@zq?xj=k']) {
    const found = problemsOf({
      ...site,
      SMTP_URL: `smtp://user:${password}@relay.example:587`,
      DATABASE_URL: `postgres://user:${password}@db.example/news`,
      DIGEST_HOUR: '99',
    })
    for (const name of ['SMTP_URL', 'DATABASE_URL'])
      assert.match(found.find((problem) => problem.startsWith(name)) ?? '', /percent-encoded/, `${name} ${password}`)
    assert.ok(found.some((problem) => problem.startsWith('DIGEST_HOUR')))
    const told = found.join('\n').replaceAll(/as %\w\w/g, '')
    for (const part of [password, ...password.split(/[^\w]/).filter((one) => one.length > 1)])
      assert.ok(!told.includes(part), `${password}: ${told}`)
  }
})

test('a password of any characters works percent-encoded, and some work as they are', () => {
  const relay = (userInfo: string, options = '') =>
    readConfig({ ...site, SMTP_URL: `smtp://${userInfo}@relay.example:587${options}` }).smtp.relays[0]!
  const all = 'p@ss/w#o?r%d: é+&=\\'
  assert.equal(relay(`me%40site:${encodeURIComponent(all)}`).password, all)
  assert.equal(relay('me:p@ss:word').password, 'p@ss:word')
  assert.equal(relay('me:p', '/?warmup=500x1.5@2026-11-23').host, 'relay.example')
  const options = 'smtp://relay.example?weight=2&warmup=500x1.5@2026-11-23'
  assert.equal(readConfig({ ...site, SMTP_URL: options }).smtp.relays[0]!.weight, 2)
  const database = `postgres://me:${encodeURIComponent(all)}@db.example/news?sslmode=require`
  assert.equal(readConfig({ ...site, DATABASE_URL: database }).database.url, database)
  assert.match(
    problemsOf({ ...site, DATABASE_URL: 'postgres://db.example:port/news' })[0] ?? '',
    /^DATABASE_URL: must look like/,
  )
})

test('what is wrong with the signature is said by name, before any mail is', () => {
  const pem = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }) =>
    String(key.export({ type: 'pkcs8', format: 'pem' }))
  const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
  const elliptic = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  const right = { DKIM_DOMAIN: 'news.example', DKIM_SELECTOR: 's1', DKIM_PRIVATE_KEY: rsa.replaceAll('\n', '\\n') }
  const problems = (changed: Record<string, string>): readonly string[] => {
    try {
      readConfig({ ...right, ...changed })
      return []
    } catch (error) {
      return (error as ConfigError).problems
    }
  }
  assert.deepEqual(readConfig({ ...right, DKIM_LEAVE_OUT: 'Message-ID,date  LIST-ID' }).mail.dkim, {
    domain: 'news.example',
    keys: [{ selector: 's1', pem: rsa.trim() }],
    leaveOut: ['message-id', 'date', 'list-id'],
  })
  assert.deepEqual(problems({ DKIM_SELECTOR: 's1, s2', DKIM_PRIVATE_KEY: rsa + rsa }), [])
  for (const [changed, expected] of [
    [{ DKIM_DOMAIN: 'news.example; x=1' }, /^DKIM_DOMAIN: must be a domain/],
    [{ DKIM_SELECTOR: 's1,' }, /^DKIM_SELECTOR: must be a selector/],
    [{ DKIM_SELECTOR: 's1,s2' }, /^DKIM_SELECTOR: names 2 keys, but 1 is given/],
    [{ DKIM_PRIVATE_KEY: rsa + rsa }, /^DKIM_SELECTOR: names 1 key, but 2 are given/],
    [{ DKIM_PRIVATE_KEY: 'MIIB' }, /^DKIM_PRIVATE_KEY: must be a PEM private key/],
    [{ DKIM_PRIVATE_KEY: rsa.replace(/MII/, 'MJJ') }, /^DKIM_PRIVATE_KEY: contains a key that can't be read/],
    [{ DKIM_PRIVATE_KEY: elliptic }, /^DKIM_PRIVATE_KEY: contains a key of type ec/],
    [{ DKIM_PRIVATE_KEY: '', DKIM_PRIVATE_KEY_FILE: '/nowhere.pem' }, /^DKIM_PRIVATE_KEY_FILE: can't read \/nowhere/],
    [{ DKIM_LEAVE_OUT: 'From' }, /^DKIM_LEAVE_OUT: From must be signed/],
    [{ DKIM_LEAVE_OUT: 'Date, Mesage-ID' }, /^DKIM_LEAVE_OUT: mesage-id is not signed; signed are From, /],
  ] as const) {
    const found = problems(changed)
    assert.equal(found.length, 1, JSON.stringify(found))
    assert.match(found[0]!, expected)
  }
})
