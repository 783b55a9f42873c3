// Pages are functions that return `html` templates. Every value is escaped, except the results of `html` (and of `trusted`, for
// our own markup), so escaping can't be forgotten. Lists are joined; null, undefined and booleans are omitted. An address of ours
// is `to('/archive')`: it is resolved when the page is sent (place.ts), so a template doesn't need to know the program's address.

import type { Links } from '../base/addresses.ts'
import { escapeHtml } from '../base/escape-html.ts'

/** The path of a route, written as its address. */
class Route {
  readonly path: string
  constructor(path: string) {
    this.path = path
  }
}

type Part = string | Route

export class Html {
  readonly parts: readonly Part[]
  /** Adjacent texts become one part, so that an outer template has less to copy. */
  constructor(parts: readonly Part[]) {
    const merged: Part[] = []
    for (const part of parts) {
      const last = merged.at(-1)
      if (typeof part === 'string' && typeof last === 'string') merged[merged.length - 1] = last + part
      else merged.push(part)
    }
    this.parts = merged
  }
  /** `links` turns the path of a route into its address. */
  text(links: Links): string {
    return this.parts.map((part) => (typeof part === 'string' ? part : escapeHtml(links(part.path)))).join('')
  }
}

export type HtmlValue = Html | Route | string | number | bigint | boolean | null | undefined | readonly HtmlValue[]

function partsOf(value: HtmlValue): readonly Part[] {
  if (value === null || value === undefined || value === false || value === true) return []
  if (value instanceof Html) return value.parts
  if (value instanceof Route) return [value]
  if (Array.isArray(value)) return value.flatMap((item: HtmlValue) => partsOf(item))
  return [escapeHtml(String(value))]
}

/** Attributes must be quoted in the template: `<a href="${link}">`. */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(strings.flatMap((text, index) => [text, ...partsOf(values[index])]))
}

/** The address of one of our routes: `<a href="${to('/archive')}">`. `path` starts with a slash and may have a query and a fragment. */
export function to(path: string): Route {
  return new Route(path)
}

/** Markup of this program (an SVG chart). Never anything from outside. */
export function trusted(markup: string): Html {
  return new Html([markup])
}

/** Only http(s) and mailto; anything else becomes "#". */
export function safeUrl(url: string | null | undefined): string {
  return url && /^(https?:\/\/|mailto:)/i.test(url) ? url : '#'
}
