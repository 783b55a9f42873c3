import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { siteLink } from '../../src/base/link-parameters.ts'

const tags = 'utm_source=newsletter&utm_campaign={edition}'
const configOf = (env: Record<string, string> = {}) =>
  readConfig({
    SITE_URL: 'https://paper.example',
    PUBLIC_URL: 'https://letters.paper.example',
    LINK_PARAMETERS: tags,
    SITE_NAME: 'Paper',
    SMTP_URL: 'smtp://127.0.0.1',
    SECRET_KEY: 'k'.repeat(32),
    MAIL_FROM: 'a@paper.example',
    POSTAL_ADDRESS: 'here',
    ...env,
  })
const added = 'utm_source=newsletter&utm_campaign=7'

test('a link to the site gets the parameters; its query and fragment stay as they are', () => {
  const config = configOf()
  for (const [link, expected] of [
    ['https://paper.example', `https://paper.example?${added}`],
    ['https://paper.example/a', `https://paper.example/a?${added}`],
    ['https://PAPER.example/a', `https://PAPER.example/a?${added}`],
    ['http://www.paper.example/a?q=%C3%A4+b&&x', `http://www.paper.example/a?q=%C3%A4+b&&x&${added}`],
    ['https://paper.example/a?', `https://paper.example/a?${added}`],
    ['https://paper.example/a?b#c?d&e', `https://paper.example/a?b&${added}#c?d&e`],
    ['https://paper.example/#/route?x=1', `https://paper.example/?${added}#/route?x=1`],
    ['https://paper.example/a?utm_source=rss', 'https://paper.example/a?utm_source=rss&utm_campaign=7'],
  ] as const)
    assert.equal(siteLink(config, link, 7), expected)
})

test('links to other sites, to other hosts of the site and to our own pages stay as they are', () => {
  const config = configOf()
  for (const link of [
    'https://other.example/paper.example',
    'https://paper.example.evil.example/',
    'https://notpaper.example/',
    'https://sports.paper.example/a',
    'https://paper.example:8443/a',
    'https://letters.paper.example/archive',
    'mailto:desk@paper.example',
    'not a link',
  ])
    assert.equal(siteLink(config, link, 7), link)
})

test('pages below PUBLIC_URL are ours, also on the site’s own host; the site of the trial is not', () => {
  const config = configOf({ PUBLIC_URL: 'https://www.paper.example/letters' })
  for (const own of ['https://www.paper.example/letters', 'https://www.paper.example/letters/archive/7?x'])
    assert.equal(siteLink(config, own, 7), own)
  assert.equal(
    siteLink(config, 'https://www.paper.example/lettersbox', 7),
    `https://www.paper.example/lettersbox?${added}`,
  )
  const alone = configOf({ PUBLIC_URL: 'https://paper.example' })
  assert.equal(siteLink(alone, 'https://paper.example/archive', 7), 'https://paper.example/archive')
  const trial = readConfig({ LINK_PARAMETERS: tags })
  assert.equal(siteLink(trial, 'http://127.0.0.1:3000/gazette/1', 7), `http://127.0.0.1:3000/gazette/1?${added}`)
  assert.equal(siteLink(trial, 'http://127.0.0.1:3000/archive', 7), 'http://127.0.0.1:3000/archive')
})

test('names and values are written as an address has them, and what isn’t like parameters is refused', () => {
  const config = configOf({ LINK_PARAMETERS: '?utm_medium=e mail&von=%C3%BCber%26uns&c={edition}-{edition}' })
  assert.equal(
    siteLink(config, 'https://paper.example/', null),
    'https://paper.example/?utm_medium=e%20mail&von=%C3%BCber%26uns&c=preview-preview',
  )
  for (const wrong of ['utm_source', '=x', 'a={story}', 'a={', '{edition}=1', 'a=%ff', 'a=1&a=2', 'a=%0d%0aB'])
    assert.throws(() => configOf({ LINK_PARAMETERS: wrong }), /LINK_PARAMETERS: must be like/, wrong)
})
