import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, readConfig } from '../../src/base/config.ts'
import { shareLinks, shareNetworks } from '../../src/base/share-links.ts'

test('a share link brings title and address to its network whole, whatever they hold', () => {
  const shared = {
    title: 'Ferry & tide: 100% “back”? #1 +1 \ud83d\udc33 \ud800',
    url: 'https://site.example/a?b=1&c=ä#d',
  }
  for (const { network, url } of shareLinks(shareNetworks, shared)) {
    const { searchParams, protocol } = new URL(url)
    assert.equal(protocol, network === 'mail' ? 'mailto:' : 'https:')
    const told = [...searchParams.values()].join(' ')
    assert.ok(told.includes(shared.url), `${network}: ${told}`)
    // These two read the title from the page.
    if (network !== 'facebook' && network !== 'linkedin') assert.ok(told.includes(shared.title.toWellFormed()), network)
    assert.doesNotMatch(url, /[\s"'<>+]/)
  }
})

test('SHARE_LINKS chooses networks and their order', () => {
  const chosen = (given?: string) => readConfig(given === undefined ? {} : { SHARE_LINKS: given }).site.shareLinks
  assert.deepEqual(chosen('X, mail  bluesky,x'), ['x', 'mail', 'bluesky'])
  assert.deepEqual(chosen('none'), [])
  assert.ok(chosen()!.includes('mail'))
  assert.throws(
    () => chosen('mail,myspace'),
    (error) =>
      error instanceof ConfigError && /SHARE_LINKS.*: must be none, or names out of mail, /.test(error.message),
  )
})

test('addresses of a site’s pages are web addresses or mail addresses', () => {
  for (const odd of ['javascript:alert(1)', 'paper.example/about', '/about'])
    assert.throws(() => readConfig({ ABOUT_URL: odd }), /ABOUT_URL: must be an http:/)
})
