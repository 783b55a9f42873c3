import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { addressOf, firstWords, linksOn, routeOf, sideOf } from '../../src/base/addresses.ts'
import { readConfig } from '../../src/base/config.ts'
import type { Mailbox } from '../../src/trial/mailbox.ts'
import { routersOf } from '../../src/web/routes.ts'
import type { WebContext } from '../../src/web/web-context.ts'

const rest = {
  SITE_NAME: 'The Whale Gazette',
  SMTP_URL: 'smtp://127.0.0.1:25',
  SECRET_KEY: 'a-secret-of-the-tests-that-is-long-enough',
  MAIL_FROM: 'digest@paper.example',
  POSTAL_ADDRESS: '1 Harbour Street',
}
const webOf = (env: Record<string, string>) => readConfig({ PUBLIC_URL: 'https://paper.example', ...rest, ...env }).web
const problemOf = (env: Record<string, string>): string => {
  try {
    webOf(env)
    return ''
  } catch (error) {
    return (error as Error).message.split('\n').slice(1).join('\n').trim()
  }
}

it('PUBLIC_URL and ADMIN_URL lose the slash at their end', () => {
  for (const [given, kept] of [
    ['https://paper.example/', 'https://paper.example'],
    ['https://paper.example/letters/', 'https://paper.example/letters'],
    ['https://PAPER.example:443/news/Letters//', 'https://paper.example/news/Letters'],
    ['https://größe.example/zeitung/ä b', 'https://xn--gre-6ka8i.example/zeitung/%C3%A4%20b'],
  ] as const) {
    assert.equal(webOf({ PUBLIC_URL: given }).publicUrl, kept)
    assert.equal(webOf({ PUBLIC_URL: 'https://other.example', ADMIN_URL: given }).adminUrl, kept)
  }
})

for (const [given, why] of [
  ['https://paper.example/letters?a=1', /must not have a query/],
  ['https://paper.example/letters?', /must not have a query/],
  ['https://paper.example/#top', /must not have a fragment/],
  ['https://ada:secret@paper.example', /must not hold a user name or password/],
  ['https://ada@paper.example/letters', /must not hold a user name or password/],
  ['https://paper.example//letters', /must not have two slashes in a row/],
  ['https://paper.example/archive', /begins with \/archive, which is an address of this program/],
  ['https://paper.example/assets/letters', /begins with \/assets/],
  ['https://paper.example/admin', /begins with \/admin: leave it out/],
  ['ftp://paper.example', /must be an http/],
  ['paper.example', /must be an http/],
] as const)
  for (const name of ['PUBLIC_URL', 'ADMIN_URL'])
    it(`${name}=${given} is refused`, () => {
      const problem = problemOf({ [name]: given })
      assert.match(problem, why)
      assert.equal(problem.split('\n').length, 1, problem)
      assert.ok(problem.startsWith(`${name}: `), problem)
      assert.doesNotMatch(problem, /secret/)
    })

it('a word of a route is fine further on in the path, and so is one that only begins like it', () => {
  for (const path of ['/letters/archive', '/archives', '/administration'])
    assert.equal(problemOf({ PUBLIC_URL: `https://paper.example${path}` }), '')
})

it('ADMIN_URL on the host of PUBLIC_URL is refused', () => {
  for (const [publicUrl, adminUrl] of [
    ['https://paper.example', 'https://paper.example'],
    ['https://paper.example/letters', 'https://paper.example/newsroom'],
  ] as const)
    assert.match(problemOf({ PUBLIC_URL: publicUrl, ADMIN_URL: adminUrl }), /^ADMIN_URL: must have another host/)
  assert.equal(problemOf({ PUBLIC_URL: 'http://127.0.0.1:3000', ADMIN_URL: 'http://localhost:3000' }), '')
})

it('a request with the path and without it is for the same route', () => {
  const home = 'https://paper.example/letters'
  for (const [asked, route] of [
    ['/letters', '/'],
    ['/letters/', '/'],
    ['/letters?a=1', '/?a=1'],
    ['/letters/archive?before=7', '/archive?before=7'],
    ['/archive?before=7', '/archive?before=7'],
    ['/', '/'],
    ['/lettersandmore', '/lettersandmore'],
    ['/letters/letters', '/letters'],
  ] as const)
    assert.equal(routeOf(home, asked), route)
  assert.equal(routeOf('https://paper.example', '/letters'), '/letters')
})

it('pages write the path; what lies on the other host is written whole', () => {
  const web = webOf({ PUBLIC_URL: 'https://paper.example/letters', ADMIN_URL: 'https://desk.example/news' })
  const [ofPublic, ofConsole] = [linksOn({ web }, 'public'), linksOn({ web }, 'console')]
  assert.equal(addressOf({ web }, '/'), 'https://paper.example/letters/')
  assert.equal(addressOf({ web }, '/admin/sign-in?token=1'), 'https://desk.example/news/admin/sign-in?token=1')
  assert.equal(ofPublic('/archive/7'), '/letters/archive/7')
  assert.equal(ofPublic('/#subscribe'), '/letters/#subscribe')
  assert.equal(ofPublic('/admin'), 'https://desk.example/news/admin')
  assert.equal(ofPublic('/theme.css'), '/letters/theme.css')
  assert.equal(ofConsole('/admin/feeds'), '/news/admin/feeds')
  assert.equal(ofConsole('/assets/console.css'), '/news/assets/console.css')
  assert.equal(ofConsole('/api/docs'), 'https://paper.example/letters/api/docs')
  const plain = webOf({})
  assert.equal(linksOn({ web: plain }, 'public')('/admin'), '/admin')
})

it('the Host header says which side a request is for', () => {
  const web = webOf({ ADMIN_URL: 'https://desk.example' })
  for (const host of ['desk.example', 'DESK.example', 'desk.example:443']) assert.equal(sideOf(web, host), 'console')
  for (const host of [
    'paper.example',
    'desk.example:8443',
    'desk.example.evil.example',
    '127.0.0.1:3000',
    'a b',
    undefined,
  ])
    assert.equal(sideOf(web, host), 'public')
  assert.equal(sideOf(webOf({}), 'paper.example'), 'public')
})

it('the first word of every route is known, and no other', () => {
  const config = readConfig({})
  assert.ok(config.trial)
  // Routers only hold on to what they are given.
  const routers = routersOf({ config, mailbox: {} as Mailbox } as WebContext)
  const paths = routers.flatMap(([mount, router]) =>
    mount === '/' ? router.stack.flatMap(({ route }) => route?.path ?? []) : [mount],
  )
  const words = [...paths, '/assets', '/theme.css'].map((each) => each.split('/')[1]!)
  assert.deepEqual([...new Set(words)].sort(), Object.keys(firstWords).sort())
})

it('no template and no handler writes an address by itself: to(), seeOther() and addressOf() do', () => {
  const root = path.join(import.meta.dirname, '../..')
  const byThemselves = [
    /\b(?:href|src|action|formaction|poster|data-[a-z]+)="\/(?!\/)/,
    /\bredirect\((?:\d+, *)?[`'"]\//,
    /\b(?:publicUrl|adminUrl)\}?(?:`? *\+|\/)/,
    /\bfetch\([`'"]\//,
    /\burl\(["']?\//,
    /\b(?:location|url) ?[=:] ?[`'"]\//,
  ]
  const found = globSync('{src,emails}/**/*.{ts,js,css,mjml,liquid}', { cwd: root }).flatMap((file) =>
    readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        !/^\s*(?:\/\/|\/?\*)/.test(line) && byThemselves.some((pattern) => pattern.test(line))
          ? [`${file}:${index + 1}: ${line.trim()}`]
          : [],
      ),
  )
  // Two defaults of SITE_URL's pages: they are the site's, not ours.
  assert.deepEqual(
    found.filter((line) => !/^src\/base\/(?:addresses|config)\.ts:/.test(line)),
    [],
  )
})
