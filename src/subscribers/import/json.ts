// Lists as JSON: an array, one object per line, or the answer of an API (listmonk: `{data: {results: […]}}`, Ghost: `{members:
// […]}`).

import { Refusal } from '../../base/errors.ts'
import type { ListFile } from './sources.ts'
import type { Row } from './records.ts'

/** The file is read as a whole. */
const mostBytes = 64 * 1024 ** 2
const mostTitles = 500

/** The row's number is used as its line. Throws a Refusal that names the file. */
export async function readJson(file: ListFile): Promise<{ titles: string[]; rows: Row[] }> {
  if (file.size > mostBytes)
    throw new Refusal('invalid', `${file.name} is larger than 64 MB of JSON. Export it as CSV, or in several files.`)
  const chunks: Buffer[] = []
  for await (const chunk of (await file.open()) as AsyncIterable<Buffer>) chunks.push(chunk)
  const objects = listOf(
    parse(
      Buffer.concat(chunks)
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
      file.name,
    ),
    file.name,
  )
  const flat = objects.map(flatten)
  const titles = [...new Set(flat.flatMap((one) => Object.keys(one)))]
  if (titles.length > mostTitles) throw new Refusal('invalid', `${file.name} has more than ${mostTitles} fields.`)
  return {
    titles,
    rows: flat.map((one, index) => ({ line: index + 1, cells: titles.map((title) => one[title] ?? '') })),
  }
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const lines = text.split('\n')
    if (lines.length < 2 || !lines[0]!.trim().endsWith('}')) throw notJson(name, (cause as Error).message)
    return lines.flatMap((line, index) => {
      if (!line.trim()) return []
      try {
        return [JSON.parse(line) as unknown]
      } catch (error) {
        throw notJson(name, `line ${index + 1}: ${(error as Error).message}`)
      }
    })
  }
}

const notJson = (name: string, why: string) =>
  new Refusal('invalid', `${name} isn’t JSON that can be read: ${why.slice(0, 200)}.`)

/** The first array of objects, at most three levels down. */
function listOf(value: unknown, name: string): Record<string, unknown>[] {
  const found = find(value, 0)
  if (!found) throw new Refusal('invalid', `${name} contains no list of subscribers.`)
  return found
}

function find(value: unknown, depth: number): Record<string, unknown>[] | undefined {
  if (Array.isArray(value)) {
    const objects = value.filter(isObject)
    return objects.length === value.length ? objects : undefined
  }
  if (!isObject(value) || depth > 3) return undefined
  if (typeof value['email'] === 'string') return [value]
  for (const inner of Object.values(value)) {
    const found = find(inner, depth + 1)
    if (found) return found
  }
  return undefined
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Values as in a CSV file; for lists and tags, their names. */
function flatten(one: Record<string, unknown>): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const [title, value] of Object.entries(one)) {
    if (
      title === 'lists' &&
      Array.isArray(value) &&
      (value.some(isOfListmonk) || (value.length === 0 && 'attribs' in one))
    )
      Object.assign(flat, ofListmonk(value.filter(isObject)))
    else flat[title.slice(0, 200)] = textOf(value)
  }
  return flat
}

const isOfListmonk = (list: unknown) => isObject(list) && 'subscription_status' in list

/**
 * In listmonk, a subscriber has a status per list. A subscriber of no list gets no mail. Subscribers of a list with single opt-in
 * stay `unconfirmed` and are mailed.
 */
function ofListmonk(lists: readonly Record<string, unknown>[]): Record<string, string> {
  const statusOf = (list: Record<string, unknown>) =>
    list['subscription_status'] === 'unconfirmed' && list['optin'] === 'single'
      ? 'confirmed'
      : textOf(list['subscription_status'])
  const statuses = lists.map(statusOf)
  const best = ['confirmed', 'unconfirmed', 'unsubscribed'].find((each) => statuses.includes(each))
  return {
    subscription_status: best ?? statuses[0] ?? 'unsubscribed',
    lists: textOf(lists.filter((list) => statusOf(list) === 'confirmed').map((list) => list['name'])),
  }
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value))
    return value.map((one) => (isObject(one) ? textOf(one['name'] ?? one['slug']) : textOf(one))).join(', ')
  if (isObject(value)) return JSON.stringify(value)
  return String(value as string | number | boolean)
}
