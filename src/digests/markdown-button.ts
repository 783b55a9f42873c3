// The button of a mail in Markdown: a paragraph that is only one link in bold, `**[Read the report](https://…)**`. Pure.

import type { Token } from 'markdown-it'

export interface Button {
  label: string
  url: string
}

/** Of a paragraph's inline tokens, however bold and link are nested; null: it is text. */
export function buttonOf(children: readonly Token[]): Button | null {
  const inner = children.filter(({ type, content }) => type !== 'text' || content.trim() !== '')
  const types = inner.map(({ type }) => type)
  const link = inner.find(({ type }) => type === 'link_open')
  const isButton =
    /^(?:strong_open,link_open|link_open,strong_open)(?:,text)+,(?:link_close,strong_close|strong_close,link_close)$/
  if (!link || !isButton.test(types.join())) return null
  return { label: inner.map(({ content }) => content).join(''), url: String(link.attrGet('href')) }
}
