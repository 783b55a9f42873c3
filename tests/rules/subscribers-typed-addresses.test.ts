// What people type and paste into a field for an address: what is understood, what is said about the rest, and which domains look
// like slips.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../src/base/errors.ts'
import { meantDomain } from '../../src/base/misspelt-domain.ts'
import { readAddress } from '../../src/subscribers/subscribe.ts'

test('an address is understood in the ways in which it is copied', () => {
  for (const text of [
    'ana@example.com',
    '  ana@example.com\u00a0',
    'Ana <ana@example.com>',
    '"Ana, B." <ana@example.com>',
    '"ana@example.com" <ana@example.com>',
    '<ana@example.com>',
    'mailto:ana@example.com?subject=Hello',
    'ana@example.com.',
    '\u200bana@example.com\ufeff',
    'ana＠example.com',
  ])
    assert.equal(readAddress(text).email, 'ana@example.com', text)
  assert.equal(readAddress('ana@exämple.com').email, 'ana@xn--exmple-cua.com')
})

test('what is wrong with an address is said truly', () => {
  for (const [text, sentence] of [
    ['', /Enter your e-mail address/],
    ['üml@exämple.com', /can’t send mail to an address with “ü” before the @/],
    ['анна@example.com', /with “а” before the @/],
    ['ana b@example.com', /has no spaces/],
    ['ana@example', /isn’t a complete e-mail address/],
    ['ana', /isn’t a complete e-mail address/],
    ['"ana"@example.com', /can’t send mail to an address written like this/],
    [`${'a'.repeat(65)}@example.com`, /longer than an e-mail address can be/],
    ['ana@example.com, bob@example.com', /one e-mail address only/],
    ['bob@example.org <ana@example.com>', /one e-mail address only/],
    ['Ana <ana@example.com>, Bob <bob@example.com>', /one e-mail address only/],
    ['ana@example.com>\r\nRCPT TO:<eve@example.com', /one e-mail address only/],
  ] as const)
    assert.throws(
      () => readAddress(text),
      (refusal: Refusal) => refusal.problems[0]!.field === 'email' && sentence.test(refusal.problems[0]!.message),
      text,
    )
})

test('slips of well-known domains are recognised', () => {
  for (const [slips, meant] of [
    ['gmial.com gmai.com gmal.com gnail.com gmail.co gmail.con gmail.comm GMIAL.COM', 'gmail.com'],
    ['hotmial.com hotmal.com hotmail.co', 'hotmail.com'],
    ['yaho.com yahooo.com yahoo.con', 'yahoo.com'],
    ['outlok.com outloook.com', 'outlook.com'],
    ['iclod.com icloud.co', 'icloud.com'],
    ['hotmial.co.uk', 'hotmail.co.uk'],
  ] as const)
    for (const slip of slips.split(' ')) assert.equal(meantDomain(`ana@${slip}`), meant, slip)
})

test('real domains aren’t questioned', () => {
  const real =
    'gmail.com googlemail.com email.com mail.com ymail.com gmx.net gmx.de web.de me.com mac.com aol.com live.nl hey.com pm.me ' +
    'outlook.de outlook.cz yahoo.fr yahoo.ro yahoo.com.au hotmail.nl hotmail.co.jp fastmail.fm mailbox.org libero.it ibm.com ' +
    'sap.com ox.ac.uk cam.ac.uk example.com mail.example subdomain.example.com xn--exmple-cua.com'
  for (const domain of real.split(' ')) assert.equal(meantDomain(`ana@${domain}`), undefined, domain)
})
