import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ehloNameOf, parseRelay } from '../../src/base/relay.ts'

const parse = (given: string, name?: string) => {
  const relay = parseRelay(given, name)
  if (typeof relay === 'string') throw new Error(relay)
  return relay
}

it('EHLO says the host of PUBLIC_URL where that is a full name, an address literal otherwise, never a bare name', () => {
  assert.equal(ehloNameOf('https://letters.paper.example/news'), 'letters.paper.example')
  assert.equal(ehloNameOf('http://192.0.2.7:3000'), '[192.0.2.7]')
  assert.equal(ehloNameOf('http://[2001:db8::7]:3000'), '[IPv6:2001:db8::7]')
  for (const bare of ['http://newsbox:3000', 'http://localhost:3000', 'http://4f1d2c7a9b3e'])
    assert.match(ehloNameOf(bare), /^\[\d+\.\d+\.\d+\.\d+\]$/)
})

it('?name= says what EHLO says, and a bare name is refused', () => {
  assert.equal(parse('smtp://relay.example', 'letters.paper.example').ehloName, 'letters.paper.example')
  assert.equal(parse('smtp://relay.example?name=mail.paper.example', 'other.example').ehloName, 'mail.paper.example')
  assert.equal(parse('smtp://relay.example?name=[192.0.2.1]').ehloName, '[192.0.2.1]')
  for (const name of ['newsbox', 'mail paper.example', 'mail.paper.example%0d%0aMAIL', '-a.example'])
    assert.match(String(parseRelay(`smtp://relay.example?name=${name}`)), /^name must be a full host name/)
})

it('?auth= and where XOAUTH2 tokens come from', () => {
  assert.equal(parse('smtp://u:p@relay.example?auth=CRAM-MD5').auth, 'cram-md5')
  assert.match(String(parseRelay('smtp://u:p@relay.example?auth=ntlm')), /^auth must be one of plain, login/)
  assert.match(String(parseRelay('smtp://relay.example?auth=login')), /needs a user name/)
  assert.match(String(parseRelay('smtp://u@relay.example')), /no password/)
  const endpoint = 'token-url=https://login.example/token&client-id=id&client-secret=s%26t'
  assert.deepEqual(parse(`smtp://u@relay.example?auth=xoauth2&${endpoint}&scope=mail&refresh-token=r`).oauth, {
    tokenUrl: 'https://login.example/token',
    clientId: 'id',
    clientSecret: 's&t',
    refreshToken: 'r',
    scope: 'mail',
  })
  assert.equal(parse('smtp://u:TOKEN@relay.example?auth=xoauth2').oauth, null)
  assert.match(String(parseRelay(`smtp://u:p@relay.example?${endpoint}`)), /need auth=xoauth2/)
  assert.match(String(parseRelay('smtp://u@relay.example?auth=xoauth2&client-id=x')), /together/)
  const inClear = endpoint.replace('https:', 'http:')
  assert.match(String(parseRelay(`smtp://u@relay.example?auth=xoauth2&${inClear}`)), /must begin with https/)
})
