// Links in feeds: resolved, and made safe.

import { addressLength } from './entry.ts'

/**
 * Absolute http(s), or null. `base` null: relative links that look like a path stay as written, because nothing can resolve them.
 * Backslashes, line ends inside and spaces are treated as in browsers.
 */
export function resolveLink(written: string | null | undefined, base: string | null): string | null {
  const text = decodeAmpersands(
    (written ?? '')
      .replace(/[\t\r\n]+\s*/g, '')
      // oxlint-disable-next-line no-control-regex
      .replace(/[\x00-\x1f\x7f]/g, '')
      .trim(),
  )
  if (!text || text.length > addressLength) return null
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    if (!/^https?:\/*[^/\s]/i.test(text)) return null
    return isWebAddress(text) ? keepAsWritten(text) : null
  }
  if (text.startsWith('//') && !base) return isWebAddress(`https:${text}`) ? `https:${text}` : null
  if (base) {
    try {
      const url = new URL(text, base)
      return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null
    } catch {
      return null
    }
  }
  // www.site.example/story: the scheme is missing.
  if (/^www\.[\w-]+\.[\w.-]+(\/|$)/i.test(text)) return `http://${text}`
  return /^[./?#\w%~-]\S*$/.test(text) ? text : null
}

export function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && hostname !== ''
}

/**
 * Parsing would rewrite valid links (and links are compared as written). Only links that would break out of an attribute, or
 * aren't valid as written, are rewritten.
 */
function keepAsWritten(text: string): string {
  return /^https?:\/\/[^\s"'<>\\^`{|}]+$/i.test(text) ? text : new URL(text).href
}

/** Often escaped twice. */
function decodeAmpersands(url: string): string {
  return url.includes('&') ? url.replace(/&(?:amp|#0?38);/g, '&') : url
}
