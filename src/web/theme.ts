// The site's own colours as CSS. The pages' style sheet takes them from here; the Content-Security-Policy forbids inline style.

import { type Brand, coloursOf } from '../base/colours.ts'
import type { Config } from '../base/config.ts'

/** Pure. */
export function themeOf({ light, dark }: Config['site']): string {
  return `:root{${variablesOf(light)}}\n@media (prefers-color-scheme:dark){:root{${variablesOf(dark)}}}\n`
}

function variablesOf(brand: Brand): string {
  return Object.entries(coloursOf(brand))
    .map(([name, value]) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}:${value}`)
    .join(';')
}
