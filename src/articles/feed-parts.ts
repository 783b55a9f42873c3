// What the format adapters share: guids, labels and names.

import { createHash } from 'node:crypto'
import { addressLength, authorLength, type Label, labelLength, mostLabels } from './entry.ts'
import { cutAtWord } from './html-text.ts'
import { plainText } from './plain-text.ts'

/** As written. One that is longer than any that means something ends in a hash of the whole. */
export function boundedGuid(guid: string | null): string | null {
  if (!guid || guid.length <= addressLength) return guid
  return `${guid.slice(0, addressLength - 100).toWellFormed()} ${createHash('sha256').update(guid).digest('base64url')}`
}

export function labelOf(html: string): string {
  return cutAtWord(plainText(html), labelLength)
}

/** As text; `more` without what is there already. */
export function labelsOf(own: readonly Label[], more: readonly Label[] = []): Label[] {
  const read = (written: readonly Label[]) =>
    written
      .slice(0, mostLabels)
      .map(({ name, scheme }) => ({ name: labelOf(name), scheme: scheme && cutAtWord(scheme, labelLength) }))
      .filter(({ name }) => name)
  const labels = read(own)
  if (more.length === 0) return labels
  const known = new Set(labels.map(({ name }) => name.toLowerCase()))
  for (const label of read(more))
    if (!known.has(label.name.toLowerCase())) {
      known.add(label.name.toLowerCase())
      labels.push(label)
    }
  return labels.slice(0, mostLabels)
}

/** For people. */
export function namesOf(labels: readonly Label[]): string[] {
  return labels.map(({ name }) => name)
}

/** Several names become one text, each once. null: nobody is named. */
export function authorsOf(names: readonly string[]): string | null {
  const given = [...new Set(names.filter(Boolean))]
  return given.length ? cutAtWord(given.join(', '), authorLength) : null
}

/** `jane@paper.example (Jane Doe)` and `Jane Doe <jane@paper.example>` are Jane Doe; an address alone is nobody's name to print. */
export function personName(text: string): string | null {
  const named = behindAddress(text) ?? beforeAddress(text) ?? text.trim()
  return named && !isEmailAddress(named) ? named : null
}

function behindAddress(text: string): string | undefined {
  const open = text.indexOf('(')
  if (open < 0 || !text.endsWith(')') || !isEmailAddress(text.slice(0, open).trim())) return undefined
  return text.slice(open + 1, -1).trim() || undefined
}

function beforeAddress(text: string): string | undefined {
  const open = Math.max(text.lastIndexOf('<'), text.lastIndexOf('('))
  if (open < 0 || !/[>)]$/.test(text) || !isEmailAddress(text.slice(open + 1, -1))) return undefined
  return text.slice(0, open).trim() || undefined
}

/** One word with an @ inside. */
function isEmailAddress(text: string): boolean {
  const at = text.indexOf('@', 1)
  return at > 0 && at < text.length - 1 && !/\s/.test(text)
}
