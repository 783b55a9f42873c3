import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { coloursOf, contrastOf, usualDark, usualLight } from '../../src/base/colours.ts'
import { readConfig } from '../../src/base/config.ts'
import { recolour } from '../../src/mails/templates.ts'
import { themeOf } from '../../src/web/theme.ts'

const problemsOf = (environment: Record<string, string>): string => {
  try {
    readConfig(environment)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test('contrast is what WCAG says it is', () => {
  assert.equal(contrastOf('#000000', '#ffffff'), 21)
  assert.equal(contrastOf('#123456', '#123456'), 1)
  assert.equal(contrastOf('#767676', '#ffffff').toFixed(2), '4.54')
  assert.equal(contrastOf('#ffffff', '#777777').toFixed(2), '4.48')
})

test('a pair that can’t be read is refused, with its contrast and the variable', () => {
  assert.match(
    problemsOf({ SITE_INK: '#777777', SITE_PAPER: '#ffffff' }),
    /SITE_INK: #777777 on SITE_PAPER \(#ffffff\) has a contrast of 4\.47; text needs 4\.5 or more/,
  )
  assert.match(problemsOf({ SITE_ACCENT: '#e58f97' }), /SITE_ACCENT: #e58f97 on SITE_PAPER/)
  assert.match(problemsOf({ SITE_ACCENT_DARK: '#7a1f2b' }), /SITE_ACCENT_DARK: #7a1f2b on SITE_PAPER_DARK/)
  assert.match(problemsOf({ SITE_PAPER: 'white' }), /SITE_PAPER: must be a colour such as #fbfaf7/)
  assert.equal(problemsOf({ SITE_INK: '#767676', SITE_PAPER: '#ffffff', SITE_ACCENT: '#0000ee' }), '')
})

test('small print, errors, buttons and edges stay readable whatever the brand is', () => {
  for (const brand of [
    usualLight,
    usualDark,
    { paper: '#ffffff', ink: '#767676', accent: '#767676' },
    { paper: '#fff1e5', ink: '#33302e', accent: '#0d7680' },
    { paper: '#003366', ink: '#ffffff', accent: '#ffcc00' },
    { paper: '#ffee00', ink: '#000000', accent: '#003399' },
  ]) {
    const { paper, accent, soft, edge, bad, onAccent } = coloursOf(brand)
    for (const text of [soft, bad]) assert.ok(contrastOf(text, paper) >= 4.5, `${text} on ${paper}`)
    assert.ok(contrastOf(onAccent, accent) >= 4.5, `${onAccent} on ${accent}`)
    assert.ok(contrastOf(edge, paper) >= 3, `${edge} on ${paper}`)
  }
})

const own = {
  SITE_PAPER: '#fff1e5',
  SITE_INK: '#332200',
  SITE_ACCENT: '#0d6070',
  SITE_PAPER_DARK: '#001122',
  SITE_INK_DARK: '#ddeeff',
  SITE_ACCENT_DARK: '#99ccff',
}

test('pages and mails carry the site’s colours, and none of ours', () => {
  const { site } = readConfig(own)
  for (const colour of Object.values(own)) assert.ok(themeOf(site).includes(colour), colour)
  const folder = path.join(import.meta.dirname, '../../emails')
  for (const file of fs.globSync('**/*.mjml', { cwd: folder })) {
    const colours = fs.readFileSync(path.join(folder, file), 'utf8').match(/#[0-9a-f]{6}\b/gi) ?? []
    for (const colour of colours.filter((one) => one !== '#ffffff'))
      assert.notEqual(recolour(colour, site), colour, `${file}: ${colour} stands for none`)
    for (const colour of colours) assert.equal(recolour(colour, readConfig({}).site), colour)
  }
})
