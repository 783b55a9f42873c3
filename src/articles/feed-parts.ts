// Guids, labels and names, for all format adapters.

import { createHash } from 'node:crypto'
import { addressLength, authorLength, type Label, labelLength, mostLabels } from './entry.ts'
import { cutAtWord } from './html-text.ts'
import { plainText } from './plain-text.ts'

/** As written. If it is too long, the end is replaced by a hash of the whole. */
export function boundedGuid(guid: string | null): string | null {
  if (!guid || guid.length <= addressLength) return guid
  return `${guid.slice(0, addressLength - 100).toWellFormed()} ${createHash('sha256').update(guid).digest('base64url')}`
}

export function labelOf(html: string): string {
  return cutAtWord(plainText(html), labelLength)
}

/** As text; labels of `more` are added unless `own` has them. */
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

/** Their names, for screens. */
export function namesOf(labels: readonly Label[]): string[] {
  return labels.map(({ name }) => name)
}

/** Joins several names, each once. null: there are none. */
export function authorsOf(names: readonly string[]): string | null {
  const given = [...new Set(names.filter(Boolean))]
  return given.length ? cutAtWord(given.join(', '), authorLength) : null
}

/** `jane@paper.example (Jane Doe)` and `Jane Doe <jane@paper.example>` give Jane Doe. null for an address alone. */
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

/** One word that contains an @. */
function isEmailAddress(text: string): boolean {
  const at = text.indexOf('@', 1)
  return at > 0 && at < text.length - 1 && !/\s/.test(text)
}
