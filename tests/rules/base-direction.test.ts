import assert from 'node:assert/strict'
import { test } from 'node:test'
import { directionOf, isolate } from '../../src/base/direction.ts'

test('the first strong character gives the direction, whatever stands before it', () => {
  const cases: [text: string, direction: string][] = [
    ['Hello עולם', 'ltr'],
    ['«שלום», says one', 'rtl'],
    ['2026: ٣ أخبار جديدة', 'rtl'],
    ['٣٤ percent', 'ltr'],
    ['🎉 … "Élan', 'ltr'],
    ['新聞', 'ltr'],
    ['ދިވެހި', 'rtl'],
    ['𞤀𞤣𞤤𞤢𞤥', 'rtl'],
    ['\u200f42 %', 'rtl'],
    ['\u061c42', 'rtl'],
    ['\u200eשלום', 'ltr'],
    ['\u2068English\u2069 שלום', 'rtl'],
    ['\u2067שלום \u2068deep\u2069 still\u2069 English', 'ltr'],
    ['\u2069English שלום', 'ltr'],
  ]
  for (const [text, direction] of cases) assert.equal(directionOf(text), direction, JSON.stringify(text))
})

test('a text without letters takes the direction around it', () => {
  for (const text of ['', '2026', '٢٠٢٦', '!?', '\u2067שלום', '🎉']) {
    assert.equal(directionOf(text), 'ltr')
    assert.equal(directionOf(text, 'rtl'), 'rtl')
  }
})

test('a text is isolated where it holds letters of the other direction', () => {
  assert.equal(isolate('Politics, 2026!', 'ltr'), 'Politics, 2026!')
  assert.equal(isolate('2026!', 'rtl'), '2026!')
  assert.equal(isolate('سياسة', 'rtl'), 'سياسة')
  assert.equal(isolate('Politics', 'rtl'), '\u2068Politics\u2069')
  assert.equal(isolate('About עולם', 'ltr'), '\u2068About עולם\u2069')
})
