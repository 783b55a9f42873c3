// What mail programs do to HTML, roughly: for looking at a mail, and for tests of what is left of it.

/** Gmail with other accounts, and some webmail: no style sheet. */
export function withoutStyle(html: string): string {
  return html.replace(/<style[\s\S]*?<\/style>/g, '')
}

/** Outlook on Windows lays out with Word: it reads the conditional comments, no media queries, padding and borders on table cells
 * only, and sizes on tables, cells and pictures' attributes only. `lost`: the declarations that it ignores, as `tag property`. */
export function asWord(html: string): { html: string; lost: Set<string> } {
  const lost = new Set<string>()
  const read = html
    .replace(/<!--\[if mso(?: \| IE)?\]>([\s\S]*?)<!\[endif\]-->/g, '$1')
    .replace(/<!--\[if !mso\]><!-->[\s\S]*?<!--<!\[endif\]-->/g, '')
    .replace(/@media[^{]*\{(?:[^{}]*\{[^}]*\})*[^{}]*\}/g, '')
    .replace(/<(\w+)([^>]*?) style="([^"]*)"/g, (_, tag: string, before: string, style: string) => {
      const kept = style.split(';').filter((declaration) => {
        const property = declaration.split(':')[0]!.trim()
        const isKept = knownToWord(tag, property)
        if (!isKept) lost.add(`${tag} ${property}`)
        return isKept
      })
      return `<${tag}${before} style="${kept.join(';')}"`
    })
  return { html: read, lost }
}

function knownToWord(tag: string, property: string): boolean {
  if (/^(?:object-fit|aspect-ratio|max-width|max-height|overflow|border-radius)$/.test(property)) return false
  if (/^(?:padding|border)/.test(property)) return /^(?:td|th|table|img)$/.test(tag)
  if (/^(?:width|height)$/.test(property)) return /^(?:td|th|table)$/.test(tag)
  if (property.startsWith('margin')) return !/^(?:span|img|a|body)$/.test(tag)
  return true
}

/** CSS properties of the style sheets and the style attributes. */
export function propertiesOf(html: string): Set<string> {
  const inline = [...html.matchAll(/ style="([^"]*)"/g)].map(([, style]) => style!)
  const rules = [...html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].flatMap(([, css]) =>
    [...css!.matchAll(/\{([^{}]*)\}/g)].map(([, rule]) => rule!),
  )
  return new Set(
    [...inline, ...rules].flatMap((list) => list.split(';').map((one) => one.split(':')[0]!.trim())).filter(Boolean),
  )
}
