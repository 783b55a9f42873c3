// The title of a story. If its format says text, it stays as written. If it says HTML or nothing, only what must be markup is
// treated as such: titles may be about tags, types and inequalities, and must not lose a word.

import { titleLength } from './entry.ts'
import { cleanSpace, cutAtWord, decodeEntities, decodeTypography } from './html-text.ts'
import { plainText } from './plain-text.ts'

/** As HTML: closed elements that HTML knows are removed. */
export function titleOf(html: string): string | null {
  const isPage = /^\s*<(?:!doctype\s|html[\s>])/i.test(html)
  return bounded(isPage ? plainText(html) : titleText(html.slice(0, longestRead)))
}

/**
 * As text: it stays as written, even `AT&amp;T`. Only white space is collapsed, and characters that a title may not contain are
 * removed.
 */
export function titleOfText(text: string): string | null {
  return bounded(text.slice(0, longestRead))
}

const longestRead = 20_000

function bounded(text: string): string | null {
  const title = cleanSpace(text)
  return title ? cutAtWord(title, titleLength) : null
}

function titleText(html: string): string {
  let text = html
  for (let pass = 0; pass < 3; pass++) {
    const { stripped, hasTags } = stripTags(text)
    text = decodeEntities(stripped)
    if (hasTags) return decodeTypography(text)
    const isEscapedAgain = /&(?:#\d|#x[\da-f]|[a-z]{2,8};)/i.test(text) || (text !== stripped && text.includes('<'))
    if (!isEscapedAgain) break
  }
  return text
}

const inline =
  /^(?:a|abbr|acronym|b|bdi|bdo|big|blink|cite|code|data|del|dfn|em|font|i|ins|kbd|mark|nobr|q|s|samp|small|span|strike|strong|sub|sup|time|tt|u|var)$/
const block =
  /^(?:address|applet|article|blockquote|body|button|center|div|form|frameset|h[1-6]|head|header|html|iframe|li|object|ol|p|pre|section|svg|table|tbody|td|th|title|tr|ul|video)$/
const empty = /^(?:br|embed|frame|hr|img|input|link|meta|param|wbr)$/
const unread = /^(?:script|style)$/

/** A match ends at the next `<` at the latest. */
const markup = /<(\/?)(?:x?html:)?([a-zA-Z][a-zA-Z0-9]{0,15})((?:[\s/](?:[^<>"']|"[^"<]*"|'[^'<]*')*)?)>/g

interface Token {
  from: number
  to: number
  name: string
  isClosing: boolean
  attributes: string
  /** null: it is text. */
  becomes: string | null
  partner?: Token
}

function stripTags(html: string): { stripped: string; hasTags: boolean } {
  if (!html.includes('<')) return { stripped: html, hasTags: false }
  const text = withoutSections(html)
  const tokens: Token[] = []
  for (const { 0: written, 1: slash, 2: name, 3: attributes, index } of text.matchAll(markup))
    tokens.push({
      from: index,
      to: index + written.length,
      name: name!.toLowerCase(),
      isClosing: slash !== '',
      attributes: attributes!,
      becomes: null,
    })
  pair(tokens)
  let end = 0
  for (const token of tokens) {
    token.becomes = replacement(token, text, token.from === end)
    if (token.becomes !== null) end = token.to
  }
  let stripped = ''
  let at = 0
  let hasTags = false
  for (const token of tokens) {
    if (token.becomes === null || token.from < at) continue
    hasTags = true
    stripped += text.slice(at, token.from) + token.becomes
    at = unread.test(token.name) && token.partner ? token.partner.to : token.to
  }
  return { stripped: stripped + text.slice(at), hasTags }
}

/** Comments and declarations are removed; CDATA sections are replaced by their content. */
function withoutSections(html: string): string {
  if (!html.includes('<!')) return html
  let text = ''
  let at = 0
  for (let start = html.indexOf('<!--'); start >= 0; start = html.indexOf('<!--', at)) {
    const end = html.indexOf('-->', start + 4)
    if (end < 0) break
    text += `${html.slice(at, start)} `
    at = end + 3
  }
  return `${text}${html.slice(at)}`.replace(/<!\[CDATA\[|\]\]>/g, '').replace(/<!doctype[\s>][^<>]*>/gi, ' ')
}

function pair(tokens: readonly Token[]): void {
  const open = new Map<string, Token[]>()
  for (const token of tokens) {
    const stack = open.get(token.name) ?? []
    open.set(token.name, stack)
    if (!token.isClosing) stack.push(token)
    else {
      const opener = stack.pop()
      if (!opener) continue
      opener.partner = token
      token.partner = opener
    }
  }
}

/** The replacement of a tag; null: it is text. `isNext`: at the start, or directly after another tag. */
function replacement(token: Token, text: string, isNext: boolean): string | null {
  const { name, partner, isClosing } = token
  const hasAttributes = /[\s/][\w:-]+\s*=/.test(token.attributes.slice(0, 200))
  const isPlain = /^[\s/]*$/.test(token.attributes)
  if (!hasAttributes && !isPlain) return null
  const isSpacedBefore = token.from === 0 || /\s/.test(text[token.from - 1]!)
  const isSpacedAfter = token.to === text.length || /\s/.test(text[token.to]!)
  const isMentioned = !hasAttributes && isSpacedBefore && isSpacedAfter
  if (unread.test(name)) return partner && !isClosing ? ' ' : null
  if (inline.test(name)) {
    if (partner || hasAttributes) return ''
    return isClosing ? (isSpacedBefore ? null : '') : isNext && !isSpacedAfter && token.from === 0 ? '' : null
  }
  if (block.test(name)) {
    if (hasAttributes) return ' '
    if (partner) return isMentioned && !isNext && text.trim().length > token.to ? null : ' '
    return !isClosing && token.from === 0 && !isSpacedAfter ? ' ' : isClosing && !isSpacedBefore ? ' ' : null
  }
  if (empty.test(name)) return isMentioned && !token.attributes.includes('/') ? null : name === 'wbr' ? '' : ' '
  return null
}
