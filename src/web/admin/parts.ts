// Small parts that console pages share: times, numbers, tables, states, pagers.

import type { AuditLine } from '../../access/audit.ts'
import type { Config } from '../../base/config.ts'
import { formatDate, isoDate } from '../../base/dates.ts'
import type { Db } from '../../db/connect.ts'
import { html, type Html, type HtmlValue, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'

const numbers = new Intl.NumberFormat('en')
export const number = (value: number): string => numbers.format(value)

/** "1 subscriber", "2,000 subscribers". */
export const count = (value: number, one: string, many = `${one}s`): string =>
  `${number(value)} ${value === 1 ? one : many}`

/** A moment in the site's time zone; its title is the exact time in UTC. */
export function moment(config: Config, at: Date | null | undefined, options: { withYear?: boolean } = {}): HtmlValue {
  if (!at) return html`<span class="none">–</span>`
  const text = formatDate(at, options.withYear ? 'momentWithYear' : 'moment', config.digest.timezone, 'en')
  return html`<time datetime="${at.toISOString()}" title="${at.toISOString()}">${text}</time>`
}

/** Shows every exact time in a sentence as a moment. */
export function sentence(config: Config, text: string): HtmlValue {
  const parts = text.split(/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/)
  return parts.map((part, index) => (index % 2 ? moment(config, new Date(part)) : part))
}

/** Only the hour and minute, if the day is shown above. */
export function clockTime(config: Config, at: Date): Html {
  const text = formatDate(at, 'time', config.digest.timezone, 'en')
  return html`<time datetime="${at.toISOString()}" title="${at.toISOString()}">${text}</time>`
}

/** The calendar day in the site's time zone, as `2026-03-06`, for grouping. */
export function dayOf(config: Config, at: Date): string {
  return isoDate(at, config.digest.timezone)
}

/** "today", "yesterday", or Friday 6 March. */
export function dayName(config: Config, at: Date, now: Date): string {
  const day = dayOf(config, at)
  if (day === dayOf(config, now)) return 'Today'
  if (day === dayOf(config, new Date(now.getTime() - 86_400_000))) return 'Yesterday'
  const isThisYear = day.slice(0, 4) === dayOf(config, now).slice(0, 4)
  return formatDate(at, isThisYear ? 'dayOfYear' : 'day', config.digest.timezone, 'en')
}

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'plain'
const signs: Record<Tone, string> = { good: '✓', busy: '◐', warn: '!', bad: '✕', plain: '·' }

/** A state in words, with a sign, so that it doesn't depend on colour alone. */
export function state(words: HtmlValue, tone: Tone): Html {
  return html`<span class="state ${tone}"><span aria-hidden="true">${signs[tone]}</span> ${words}</span>`
}

/** A table that scrolls sideways on a narrow screen, by touch or by keyboard. */
export function table(label: string, head: Html, rows: readonly HtmlValue[]): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table>
      <thead>
        ${head}
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`
}

/** For two or three columns, which shouldn't fill the whole width. */
export function slimTable(label: string, head: Html, rows: readonly HtmlValue[]): Html {
  return html`<div class="slim">${table(label, head, rows)}</div>`
}

export interface Row {
  title: HtmlValue
  state?: HtmlValue
  /** Small text under the title, such as an address. */
  under?: HtmlValue
  /** What is wrong, in a sentence. */
  trouble?: HtmlValue
  facts: readonly (readonly [label: string, value: HtmlValue] | false | null)[]
  /** More text, or links. */
  more?: HtmlValue
  actions?: HtmlValue
}

/**
 * For rows with too much text for a table: a block each, of two or three lines, that fits every width without scrolling sideways.
 */
export function rowList(label: string, rows: readonly Row[]): Html {
  return html`<ul class="rows" aria-label="${label}">
    ${rows.map(
      (row) =>
        html`<li>
          <div class="row-title" dir="auto">${row.title}</div>
          ${row.state && html`<div class="row-state">${row.state}</div>`}
          ${row.under && html`<div class="row-under small">${row.under}</div>`}
          ${row.trouble && html`<p class="row-trouble">${row.trouble}</p>`}
          <dl class="row-facts">
            ${row.facts.map(
              (fact) =>
                fact &&
                html`<div>
                  <dt>${fact[0]}</dt>
                  <dd>${fact[1]}</dd>
                </div>`,
            )}
          </dl>
          ${row.actions && html`<div class="row-actions">${row.actions}</div>`}
          ${row.more && html`<div class="row-more">${row.more}</div>`}
        </li>`,
    )}
  </ul>`
}

/** The text of an empty page: that it is empty, and what to do. */
export function empty(what: HtmlValue, ...more: HtmlValue[]): Html {
  return html`<div class="empty">
    <p>${what}</p>
    ${more}
  </div>`
}

/** Rows of a definition: label and value. */
export function facts(rows: readonly (readonly [label: string, value: HtmlValue] | false | null)[]): Html {
  return html`<dl class="facts">
    ${rows.map(
      (row) =>
        row &&
        html`<div>
          <dt>${row[0]}</dt>
          <dd>${row[1]}</dd>
        </div>`,
    )}
  </dl>`
}

/** A link to the next page, if there is one. `query` is the current one. */
export function pager(
  path: string,
  query: Record<string, string | undefined>,
  next: string | null,
  words: readonly [first: string, next: string] = ['Newest', 'Older'],
): HtmlValue {
  if (next === null && query.cursor === undefined) return null
  const page = (cursor: string | undefined) => {
    const given = Object.entries({ ...query, cursor }).filter((pair): pair is [string, string] => Boolean(pair[1]))
    const search = new URLSearchParams(given).toString()
    return to(search ? `${path}?${search}` : path)
  }
  return html`<nav class="pager" aria-label="Pages">
    ${query.cursor !== undefined && html`<a href="${page(undefined)}">${words[0]}</a>`}
    ${next !== null && html`<a href="${page(next)}" rel="next">${words[1]} →</a>`}
  </nav>`
}

/** Names for the audit log's actors. */
export async function actorNames(db: Db): Promise<Map<string, string>> {
  const editors = await db.selectFrom('editors').select(['id', 'email']).execute()
  const keys = await db.selectFrom('apiKeys').select(['id', 'name']).execute()
  return new Map([
    ...editors.map((editor) => [`editor:${editor.id}`, editor.email] as const),
    ...keys.map((key) => [`api-key:${key.id}`, `key “${key.name}”`] as const),
  ])
}

/** What was done to something, from the audit log. Empty without lines. */
export async function historyList({ db, config }: WebContext, lines: readonly AuditLine[]): Promise<Html> {
  if (lines.length === 0) return html``
  const names = await actorNames(db)
  return html`<h2>What was done</h2>
    <ul class="history">
      ${lines.map(
        (line) =>
          html`<li>
            ${moment(config, line.at)} ${names.get(line.actor) ?? line.actor}:
            ${line.action.split('.')[1]?.replaceAll('_', ' ')}
          </li>`,
      )}
    </ul>`
}
