// What is said in which language, and what a file in DATA_DIR/messages changes.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { catalogueOf } from '../../src/messages/catalogue.ts'
import { languagesOf, messagesFor } from '../../src/messages/messages.ts'
import { problemOf } from '../../src/messages/placeholders.ts'

const folders: string[] = []
after(() => folders.forEach((folder) => fs.rmSync(folder, { recursive: true })))

function siteWith(files: Record<string, unknown>, locale = 'en') {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'messages-'))
  folders.push(dataDir)
  fs.mkdirSync(path.join(dataDir, 'messages'))
  for (const [name, value] of Object.entries(files))
    fs.writeFileSync(path.join(dataDir, 'messages', name), typeof value === 'string' ? value : JSON.stringify(value))
  return { site: { locale }, database: { url: null, pool: 1, dataDir } }
}

test('the nearest language is spoken, else the site’s; a region stays for dates', () => {
  const site = siteWith({}, 'fr-CA')
  const spoken = (tag: string | null) => {
    const { locale, language, dir } = messagesFor(site, tag)
    return `${locale} ${language} ${dir}`
  }
  assert.equal(spoken('de'), 'de de ltr')
  assert.equal(spoken('de_at'), 'de-AT de ltr')
  assert.equal(spoken('ar-EG'), 'ar-EG ar rtl')
  for (const unknown of [null, 'sv', 'x', '../../etc', '']) assert.equal(spoken(unknown), 'fr-CA fr ltr')
  assert.equal(spoken('es-x-own'), 'es es ltr')
  assert.deepEqual(languagesOf(site), ['fr', 'en', 'de', 'es', 'ar'])
  assert.equal(messagesFor(siteWith({}, 'sv'), null).locale, 'en')
})

test('a file changes a sentence, or adds a language that falls back to the site’s', () => {
  const site = siteWith(
    { 'de.json': { 'common.archive': 'Rückblick' }, 'sv.json': '\uFEFF{"common.archive":"Arkiv"}' },
    'de',
  )
  assert.equal(messagesFor(site, 'de')('common.archive'), 'Rückblick')
  assert.equal(messagesFor(site, 'de')('common.off'), 'Aus')
  assert.equal(messagesFor(site, 'sv')('common.archive'), 'Arkiv')
  assert.equal(messagesFor(site, 'sv')('common.off'), 'Aus')
  assert.ok(languagesOf(site).includes('sv'))
  const { incomplete, problems, changed } = catalogueOf(site)
  assert.deepEqual(problems, [])
  assert.deepEqual(
    [...changed],
    [
      ['de', 1],
      ['sv', 1],
    ],
  )
  assert.deepEqual(
    incomplete.map(({ language }) => language),
    ['sv'],
  )
})

test('what can’t be used is ignored, and one sentence names file and key', () => {
  const site = siteWith({
    'de.json': {
      'common.archive': '{count, plural, one {#}',
      'common.off': '<b>Aus</b>',
      'form.gone': 'x',
      'common.daily': 7,
    },
    'fr.json': '{',
    'es.json': [],
    'no language.json': {},
    'readme.txt': 'not read',
  })
  assert.equal(messagesFor(site, 'de')('common.archive'), 'Archiv')
  const { problems } = catalogueOf(site)
  assert.equal(problems.length, 7)
  for (const [index, expected] of [
    /^messages\/de\.json: common\.archive is ignored, as it isn’t ICU MessageFormat \(.+\)\.$/,
    /^messages\/de\.json: common\.off is ignored, as it has <b>, which this sentence doesn’t have\.$/,
    /^messages\/de\.json: form\.gone is ignored, as it is no key of this version\.$/,
    /^messages\/de\.json: common\.daily is ignored, as it must be a text\.$/,
    /^messages\/es\.json is ignored: it must be one object/,
    /^messages\/fr\.json is ignored: it isn’t JSON/,
    /^messages\/no language\.json is ignored: its name is no language/,
  ].entries())
    assert.match(problems[index]!, expected)
})

test('a sentence may leave out a value, but no link, and brings none of its own', () => {
  const english = 'See {site}, <a>the rules</a>, {count, plural, one {# page} other {# pages}}.'
  assert.equal(problemOf('<a>{site}</a>', english, 'de'), null)
  assert.equal(problemOf('<a>{count}</a> {site, select, x {1} other {2}}', english, 'de'), null)
  assert.equal(problemOf('{site}', english, 'de'), 'lacks <a>…</a>')
  assert.match(problemOf('<a>{email}</a>', english, 'de')!, /^has \{email\}/)
  assert.match(problemOf('<a>{site, number}</a>', english, 'de')!, /^uses \{site\} as a number/)
  assert.match(problemOf('<site>x</site><a>y</a>', english, 'de')!, /^has <site>/)
  assert.match(problemOf('<a>{count, number, ::currency/xx}</a>', english, 'de')!, /^has a format|^isn’t ICU/)
})

test('a value of the other direction is isolated', () => {
  const say = messagesFor(siteWith({}), 'ar')
  assert.equal(say.list(['a', 'ب']), '\u2068a\u2069 وب')
})
