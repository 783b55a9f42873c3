// Pages are functions that return `html` templates. Every value is escaped unless it is itself the result of `html` (or of
// `trusted`, for markup of ours), so forgetting to escape isn't possible. Lists are joined; null, undefined and booleans vanish.

import { escapeHtml } from '../base/escape-html.ts'

export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}

export type HtmlValue = Html | string | number | bigint | boolean | null | undefined | readonly HtmlValue[]

function render(value: HtmlValue): string {
  if (value === null || value === undefined || value === false || value === true) return ''
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map((item: HtmlValue) => render(item)).join('')
  return escapeHtml(String(value))
}

/** Attributes must be quoted in the template: `<a href="${link}">`. */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  let text = strings[0]!
  for (let i = 0; i < values.length; i++) text += render(values[i]) + strings[i + 1]!
  return new Html(text)
}

/** Markup that this program wrote itself (an SVG chart). Never anything that came from outside. */
export function trusted(markup: string): Html {
  return new Html(markup)
}

/** Only http(s), mailto and own paths; anything else becomes "#". */
export function safeUrl(url: string | null | undefined): string {
  return url && /^(https?:\/\/|mailto:|\/(?!\/))/i.test(url) ? url : '#'
}
