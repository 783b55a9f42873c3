// Markdown as plain text, for the text part of a mail: lists and quotations keep their marks, and every link its address. Pure.

import type { Token } from 'markdown-it'
import { wrap } from '../mails/text.ts'
import { buttonOf } from './markdown-button.ts'

/** Of tokens that end where they began: each that opens is closed. Lines of at most `width` characters where the words allow. */
export function markdownText(tokens: readonly Token[], width = 72, between = '\n\n'): string {
  return siblingsOf(tokens)
    .map((block) => textOf(block, width))
    .filter(Boolean)
    .join(between)
}

function textOf(block: readonly Token[], width: number): string {
  const [first] = block
  const inner = block.slice(1, -1)
  const children = inner[0]?.children
  if (first!.type === 'hr') return '-'.repeat(20)
  if (first!.type === 'blockquote_open') return prefixed(markdownText(inner, width - 2), '> ', '> ')
  if (/^h\d$/.test(first!.tag))
    return wrap(words(children!), width).replace(/.*$/, (last) => `${last}\n${'-'.repeat(last.length)}`)
  if (first!.tag !== 'ul' && first!.tag !== 'ol') {
    const button = buttonOf(children!)
    return button ? `${button.label}:\n${button.url}` : wrap(words(children!), width)
  }
  const between = inner.some(({ hidden }) => hidden) ? '\n' : '\n\n'
  let number = Number(first!.attrGet('start') ?? 1)
  return siblingsOf(inner)
    .map((item) => {
      const mark = first!.tag === 'ol' ? `${number++}. ` : '- '
      const rest = ' '.repeat(mark.length)
      return prefixed(markdownText(item.slice(1, -1), width - mark.length, between), mark, rest)
    })
    .join(between)
}

/** Blocks that stand beside each other, each with what is in it. */
function siblingsOf(tokens: readonly Token[]): Token[][] {
  const blocks: Token[][] = []
  let depth = 0
  for (const token of tokens) {
    if (depth === 0) blocks.push([])
    blocks.at(-1)!.push(token)
    depth += token.nesting
  }
  return blocks
}

function prefixed(text: string, first: string, rest: string): string {
  return text
    .split('\n')
    .map((line, index) => `${index === 0 ? first : rest}${line}`.trimEnd())
    .join('\n')
}

/** "Label <https://…>", as RFC 3986 Appendix C writes addresses within text. */
function words(tokens: readonly Token[]): string {
  let text = ''
  let from = 0
  let url = ''
  for (const token of tokens) {
    if (token.type === 'link_open') {
      from = text.length
      url = String(token.attrGet('href'))
    } else if (token.type === 'link_close') {
      const label = text.slice(from).trim()
      const isAddress = token.info === 'auto' || ['', url, `[${url}]`].includes(label)
      text = text.slice(0, from) + (isAddress ? url : `${label} <${url}>`)
    } else if (token.type === 'image' || token.type === 'picture') text += token.content && `[${token.content}]`
    else text += token.type === 'hardbreak' ? '\n' : token.type === 'softbreak' ? ' ' : token.content
  }
  return text.replace(/ {2,}/g, ' ').trim()
}
