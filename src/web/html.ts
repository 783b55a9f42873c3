// Pages are functions that return `html` templates. Every value is escaped unless it is itself the result of `html` (or of
// `trusted`, for markup of ours), so forgetting to escape isn't possible. Lists are joined; null, undefined and booleans vanish.
// An address of ours is `to('/archive')`: what it becomes is decided when the page is sent (place.ts), so that a template needn't
// know where the program lives.

import type { Links } from '../base/addresses.ts'
import { escapeHtml } from '../base/escape-html.ts'

/** The path of a route, to be written as its address. */
class Route {
  readonly path: string
  constructor(path: string) {
    this.path = path
  }
}

type Part = string | Route

export class Html {
  readonly parts: readonly Part[]
  /** Text in a row becomes one part, so that a template around it has little to copy. */
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

/** Markup that this program wrote itself (an SVG chart). Never anything that came from outside. */
export function trusted(markup: string): Html {
  return new Html([markup])
}

/** Only http(s) and mailto; anything else becomes "#". */
export function safeUrl(url: string | null | undefined): string {
  return url && /^(https?:\/\/|mailto:)/i.test(url) ? url : '#'
}
