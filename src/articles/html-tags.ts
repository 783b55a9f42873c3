// Finds the tags of a piece of HTML in one pass. A regular expression would go over the text again at each `<` if a quote is never
// closed: a megabyte of `<a "` would take minutes.

export interface Tag {
  /** As written; '' for comments, declarations and CDATA. */
  name: string
  isClosing: boolean
  /** As written, from the name to the `>`. */
  attributes: string
  /** The text of a CDATA section. */
  cdata?: string
  /** The position after the tag. */
  end: number
}

const tagName = /\/?[a-zA-Z][\w:-]*/y

/** Ask for tags from left to right: the scanner keeps what it knows for the next one. */
export class TagScanner {
  readonly #html: string
  /** For every position from the first to the second, the next `>` or quote is at the second. */
  #gap: readonly [from: number, to: number] = [0, -1]
  /** Quotes after which no tag ends. Created when the first is found. */
  #endless: Uint8Array | null = null

  constructor(html: string) {
    this.#html = html
  }

  /**
   * The tag that begins with the `<` at `start`. null if that `<` is only a character. An incomplete tag at the end of the
   * document counts.
   */
  tagAt(start: number): Tag | null {
    const html = this.#html
    const markup = { name: '', isClosing: false, attributes: '' }
    if (html.startsWith('<!--', start)) return { ...markup, end: this.#after('-->', start + 4) }
    if (html.startsWith('<![CDATA[', start)) {
      const end = this.#after(']]>', start + 9)
      const text = html.slice(start + 9, end)
      return { ...markup, cdata: text.endsWith(']]>') ? text.slice(0, -3) : text, end }
    }
    const second = html[start + 1]
    if (second === '!' || second === '?') return { ...markup, end: this.#after('>', start + 2) }
    tagName.lastIndex = start + 1
    const name = tagName.exec(html)?.[0]
    if (name === undefined) return null
    const from = start + 1 + name.length
    const end = this.#endFrom(from)
    if (end === null) return null
    const attributes = html.slice(from, html[end - 1] === '>' ? end - 1 : end)
    const isClosing = name.startsWith('/')
    return { name: isClosing ? name.slice(1) : name, isClosing, attributes, end }
  }

  #after(mark: string, from: number): number {
    const at = this.#html.indexOf(mark, from)
    return at < 0 ? this.#html.length : at + mark.length
  }

  /** The position after the first `>` outside quotes, or the document's end. null if a quote is never closed. */
  #endFrom(from: number): number | null {
    let at = this.#special(from, true)
    const length = this.#html.length
    while (at < length && this.#html[at] !== '>') {
      const close = this.#endless?.[at] ? -1 : this.#html.indexOf(this.#html[at]!, at + 1)
      if (close < 0) {
        this.#markEndless(from)
        return null
      }
      at = this.#special(close + 1)
    }
    return Math.min(at + 1, length)
  }

  /** Marks every quote that is opened on the way from here, so that it isn't searched again. */
  #markEndless(from: number): void {
    this.#endless ??= new Uint8Array(this.#html.length)
    for (let at = this.#special(from, true); !this.#endless[at];) {
      this.#endless[at] = 1
      const close = this.#html.indexOf(this.#html[at]!, at + 1)
      if (close < 0) return
      at = this.#special(close + 1)
    }
  }

  /** The position of the next `>` or quote, or the length. */
  #special(from: number, isStart = false): number {
    if (isStart && this.#gap[0] <= from && from <= this.#gap[1]) return this.#gap[1]
    special.lastIndex = from
    const to = special.exec(this.#html)?.index ?? this.#html.length
    if (isStart) this.#gap = [from, to]
    return to
  }
}

const special = /[>"']/g
