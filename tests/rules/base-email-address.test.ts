import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mailboxOf, maskAddress, parseEmailAddress, readableAddress } from '../../src/base/email-address.ts'
import { placesOf } from '../../src/base/places.ts'

const mailbox = (address: string) => mailboxOf(parseEmailAddress(address)!.key)

test('every way of writing to one mailbox is counted as one', () => {
  for (const [one, ...others] of [
    ['ada@gmail.com', 'A.d.a@GMail.com', 'ada+news@gmail.com', 'a.da+1+2@googlemail.com', 'ada@ｇmail.com'],
    ['ada@outlook.com', 'ada+x@outlook.com', 'ADA@OUTLOOK.COM'],
    ['ada@icloud.com', 'ada+x@me.com', 'ada@mac.com'],
    ['ada@yahoo.de', 'ada-shop@yahoo.de', 'ada+shop@yahoo.de'],
    ['ada@fastmail.com', 'ada+x@fastmail.com', 'anything@ada.fastmail.com'],
    ['ada@proton.me', 'a.d-a_@protonmail.com', 'ada+x@pm.me'],
    ['a.da@yandex.ru', 'a-da+x@ya.ru', 'a.da@yandex.com'],
    ['ada@bücher.example', 'ada+x@xn--bcher-kva.example'],
    ['ada@corp.example', 'ada+x@corp.example', 'Ada+@corp.example'],
  ] as const)
    for (const other of others) assert.equal(mailbox(other), mailbox(one), other)
})

test('other people are counted apart', () => {
  const all = [
    'jean-paul@corp.example',
    'jean-luc@corp.example',
    'a.da@corp.example',
    'ada@corp.example',
    'ada@outlook.com',
    'ada@hotmail.com',
    'a.da@outlook.com',
    'ada@yahoo.com',
    'ada@yahoo.de',
    'ada@gmail.com',
    'ada@gmail.example',
    '+x@corp.example',
    '+y@corp.example',
    'ada@notgmail.com',
  ]
  assert.equal(new Set(all.map(mailbox)).size, all.length)
})

test('a masked address tells its owner which one it is, and nobody else', () => {
  assert.equal(maskAddress('ada@reader.example.com'), 'a•••@r•••.com')
  assert.equal(maskAddress('ada@xn--exmple-cua.xn--p1ai'), 'a•••@e•••.рф')
  assert.equal(readableAddress('ada@xn--exmple-cua.com'), 'ada@exämple.com')
  assert.equal(readableAddress('Ada@Example.COM'), 'Ada@Example.COM')
})

test('an IPv6 address counts as itself and as the networks around it, an IPv4 one in either spelling as itself', () => {
  const names = (ip: string) => placesOf(ip).map(({ place }) => place)
  assert.deepEqual(names('2001:DB8:1:2ff:0::1'), [
    '2001:db8:1:2ff::1',
    '2001:db8:1:2ff::/64',
    '2001:db8:1:200::/56',
    '2001:db8:1::/48',
  ])
  assert.deepEqual(names('::ffff:192.0.2.7'), ['192.0.2.7'])
  assert.deepEqual(names('192.0.2.7'), ['192.0.2.7'])
  for (const ip of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '', 'nonsense']) assert.deepEqual(names(ip), [])
})
