// An announcement's Markdown as parts of a mail: HTML with the mail's own styles, and buttons, which the MJML template draws. What it
// may hold is listed below: no HTML, no tables, no code. Nothing else than http, https and mailto becomes a link. What isn't
// understood stays as it was typed, so that an editor sees it in the preview. Pure.

import MarkdownIt, { type Token } from 'markdown-it'
import { type Direction, directionOf } from '../base/direction.ts'
import { buttonOf, type Button } from './markdown-button.ts'
import { markdownText } from './markdown-text.ts'

export type MailPart = { html: string } | { button: Button }

export interface MarkdownMail {
  parts: MailPart[]
  text: string
  /** The first words, without marks. */
  summary: string
}

export interface MarkdownLook {
  /** A link as it stands in the mail. */
  link(url: string): string
  /** A picture's address as it is loaded; null: it isn't shown, only its words. */
  picture(url: string): string | null
  /** A style in the site's own colours. */
  style(css: string): string
  /** The direction of the mail; null: it may have either, so each text says its own. */
  around: Direction | null
}

const marks = [
  'heading',
  'emphasis',
  'list',
  'blockquote',
  'hr',
  'link',
  'image',
  'autolink',
  'linkify',
  'newline',
  'escape',
]

const markdown = new MarkdownIt('zero', { linkify: true }).enable(marks)
markdown.validateLink = (url) => /^(?:https?:\/\/[^/]|mailto:.)/i.test(url)
// Only what is written as a whole address: "example.com" and "//" stay text.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false }).add('//', null).add('ftp:', null)

/** In pixels: the column of the mail, and what lists and quotations take of it. */
const columnWidth = 560
const indents: Record<string, number> = { ul: 48, ol: 48, blockquote: 18 }

const styles: Record<string, string> = {
  p: 'margin:12px 0 0;color:#3d3a35',
  h2: 'margin:30px 0 0;font-size:23px;line-height:1.25;font-weight:bold',
  h3: 'margin:24px 0 0;font-size:19px;line-height:1.3;font-weight:bold',
  // Word ignores a list's padding, and cuts its marks off where there is no margin.
  ul: 'margin:12px 24px 0;padding:0;color:#3d3a35',
  ol: 'margin:12px 24px 0;padding:0;color:#3d3a35',
  li: 'margin:4px 0 0',
  a: 'color:#7a1f2b',
}
const classes: Record<string, string> = { p: 'soft', ul: 'soft', ol: 'soft', a: 'accent' }

// A table inherits no letters in Word.
const font = "17px/1.5 'Iowan Old Style','Palatino Linotype',Georgia,serif"
const table = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
const { rules } = markdown.renderer
rules['blockquote_open'] = (_tokens, _index, _options, env) =>
  lookOf(env).style(
    `${table}<td height="14" style="font-size:1px;line-height:14px">&nbsp;</td></tr><tr><td class="rule" style="border-left:2px solid #d9d4ca;padding:0 16px 12px;font:${font}">`,
  )
rules['blockquote_close'] = () => '</td></tr></table>'
rules['hr'] = (_tokens, _index, _options, env) =>
  lookOf(env).style(
    `${table}<td class="rule" height="24" style="border-bottom:1px solid #d9d4ca;font-size:1px;line-height:24px">&nbsp;</td></tr></table>`,
  )
rules['picture'] = (tokens, index, options, _env, renderer) => renderer.renderToken(tokens, index, options)

const lookOf = (env: unknown) => (env as { look: MarkdownLook }).look

export function readMarkdown(source: string, look: MarkdownLook): MarkdownMail {
  const tokens = markdown.parse(cleanLines(source), {})
  dress(tokens, look)
  const parts: MailPart[] = []
  let from = 0
  const addHtml = (to: number) => {
    const html = markdown.renderer
      .render(tokens.slice(from, to), markdown.options, { look })
      .replaceAll('\n', ' ')
      .trim()
    if (html) parts.push({ html })
  }
  for (const [index, { level, children }] of tokens.entries()) {
    const button = level === 1 && children ? buttonOf(children) : null
    if (!button || tokens[index - 1]!.type !== 'paragraph_open') continue
    addHtml(index - 1)
    parts.push({ button })
    from = index + 2
  }
  addHtml(tokens.length)
  const summary = tokens.map(({ children }) => (children ? wordsOf(children) : '')).find(Boolean) ?? ''
  return { parts, text: markdownText(tokens), summary }
}

/** Gives tokens their styles, headings their levels, and links and pictures their addresses. */
function dress(tokens: readonly Token[], look: MarkdownLook): void {
  let width = columnWidth
  let level = 1
  for (const [index, token] of tokens.entries()) {
    width -= token.nesting * (indents[token.tag] ?? 0)
    if (token.type === 'heading_open') {
      // The subject is the heading of the first level; below it no level is left out.
      level = Math.min(Number(token.tag.slice(1)) + 1, level + 1, 3)
      token.tag = tokens[index + 2]!.tag = `h${level}`
    }
    dressTag(token, look)
    if (token.nesting === 1) turn(token, textAfter(tokens, index), look.around)
    let url: string | null = null
    for (const child of token.children ?? []) {
      if (child.type === 'link_open') child.attrSet('href', (url = look.link(String(child.attrGet('href')))))
      else if (child.type === 'link_close') url = null
      else if (child.type === 'image') dressPicture(child, width, url, look)
      dressTag(child, look)
    }
  }
}

/** As the filter `turn` of the templates does it. */
function turn(token: Token, text: string, around: Direction | null): void {
  const dir = directionOf(text, around ?? 'ltr')
  if (dir === around) return
  token.attrSet('dir', dir)
  token.attrSet('align', dir === 'rtl' ? 'right' : 'left')
}

function textAfter(tokens: readonly Token[], index: number): string {
  while (index < tokens.length && tokens[index]!.type !== 'inline') index++
  return tokens[index]?.content ?? ''
}

function dressTag(token: Token, look: MarkdownLook): void {
  if (token.nesting !== 1) return
  if (styles[token.tag]) token.attrSet('style', look.style(styles[token.tag]!))
  if (classes[token.tag]) token.attrSet('class', classes[token.tag]!)
}

/** Its title may say its size: `![A ferry](https://…/ferry.jpg "1200x800")`. A link around it needs words. */
function dressPicture(token: Token, most: number, url: string | null, look: MarkdownLook): void {
  const src = look.picture(String(token.attrGet('src')))
  token.content = wordsOf(token.children!) || (url ?? '')
  if (!src) {
    token.type = 'text'
    return
  }
  token.type = 'picture'
  const [, across = 0, down = 0] =
    /^(\d{1,5}) ?[x×] ?(\d{1,5})$/.exec(String(token.attrGet('title') ?? ''))?.map(Number) ?? []
  const width = Math.min(across || most, most)
  const height: [string, string][] = across && down ? [['height', String(Math.round((width * down) / across))]] : []
  token.attrs = [
    ['src', src],
    ['alt', token.content],
    ['width', String(width)],
    ...height,
    ['style', `display:block;width:100%;max-width:${width}px;height:auto;border:0;font-size:14px;line-height:1.4`],
  ]
}

function wordsOf(tokens: readonly Token[]): string {
  return tokens
    .map(({ type, content }) => (type.endsWith('break') ? ' ' : content))
    .join('')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Without control characters, which mark places for personal values in a mail. */
function cleanLines(source: string): string {
  return (
    source
      .replace(/\r\n?|[\u2028\u2029]/g, '\n')
      // oxlint-disable-next-line no-control-regex
      .replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, ' ')
  )
}
