// Every language that comes with the program says everything, and nothing else.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ownLanguages, readCatalogue } from '../../src/messages/catalogue.ts'
import { areaNames, english, type Key } from '../../src/messages/english.ts'
import { readPlaceholders } from '../../src/messages/placeholders.ts'

const root = path.join(import.meta.dirname, '../..')
const { texts } = readCatalogue('/nonexistent')

for (const language of ownLanguages)
  test(`${language} has every key, in the file of its area`, () => {
    const keys: string[] = []
    for (const area of areaNames) {
      const file = path.join(root, 'src/messages', language, `${area}.json`)
      const text = fs.readFileSync(file, 'utf8')
      const own = [...text.matchAll(/^ {2}"([^"]+)":/gm)].map(([, key]) => key!)
      assert.deepEqual(
        own.filter((key, index) => own.indexOf(key) !== index),
        [],
        `${area}: twice`,
      )
      assert.deepEqual(
        own.filter((key) => !/^\w+\.\w+$/.test(key) || !key.startsWith(`${area}.`)),
        [],
        area,
      )
      keys.push(...own)
    }
    assert.deepEqual(keys.toSorted(), Object.keys(english).toSorted())
  })

for (const language of ownLanguages)
  test(`${language} has the placeholders of the English messages, and the plurals of its language`, () => {
    for (const [key, text] of Object.entries(texts.get(language)!)) {
      const own = readPlaceholders(text, language)
      const wanted = readPlaceholders(english[key as Key], 'en')
      assert.deepEqual([...own.placeholders].toSorted(), [...wanted.placeholders].toSorted(), key)
      for (const { isOrdinal, cases } of own.plurals) {
        const rules = new Intl.PluralRules(language, { type: isOrdinal ? 'ordinal' : 'cardinal' })
        // French and Spanish say "de" behind a million and more, which no number of ours is.
        const needed = rules.resolvedOptions().pluralCategories.filter((one) => one !== 'many' || language === 'ar')
        assert.deepEqual(
          needed.filter((one) => !cases.includes(one)),
          [],
          `${key} lacks plurals`,
        )
      }
      assert.doesNotMatch(text, /(?<!')'(?!')/, `${key}: write ’, as ' begins what ICU doesn’t read`)
    }
  })

test('every key is used, by its whole name', () => {
  const files = fs.globSync(['src/**/*.ts', 'emails/**/*'], { cwd: root, exclude: ['src/messages/english.ts'] })
  const all = files
    .filter((file) => fs.statSync(path.join(root, file)).isFile())
    .map((file) => fs.readFileSync(path.join(root, file), 'utf8'))
    .join('\n')
  const named = new Set(all.match(/\b[a-z]+\.\w+\b/g))
  assert.deepEqual(
    Object.keys(english).filter((key) => !named.has(key)),
    [],
  )
})
