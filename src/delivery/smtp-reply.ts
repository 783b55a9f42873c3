// Replies of an SMTP server, read from the stream. A reply is one or more lines `250-text` … `250 text` (RFC 5321 §4.2.1); the
// enhanced status code (RFC 3463), where there is one, is the first word of the text.

export interface SmtpReply {
  code: number
  /** `5.1.1`, or null when the server gave none. */
  enhanced: string | null
  /** All lines joined by a space, without the codes of the second and later lines; printable, at most 500 characters. */
  text: string
}

/** With its lines, for reading an EHLO answer. */
export interface ReadReply extends SmtpReply {
  lines: readonly string[]
}

/** No SMTP server sends a longer line: the connection is given up. RFC 5321 allows 512 octets. */
const longestLine = 8192

export class ReplyReader {
  #rest = ''
  #lines: string[] = []

  /** Takes data from the socket and returns the complete replies. Throws if the data can't come from an SMTP server. */
  read(chunk: Buffer): ReadReply[] {
    const replies: ReadReply[] = []
    const text = this.#rest + chunk.toString('latin1')
    let start = 0
    for (;;) {
      const end = text.indexOf('\n', start)
      if (end < 0) break
      const line = text.slice(start, text[end - 1] === '\r' ? end - 1 : end)
      start = end + 1
      if (!/^[2-5]\d\d(?:[ -]|$)/.test(line) || line.length > longestLine || this.#lines.length > 100)
        throw new Error('not an SMTP reply')
      this.#lines.push(line)
      if (line[3] === '-') continue
      replies.push(toReply(this.#lines))
      this.#lines = []
    }
    this.#rest = text.slice(start)
    if (this.#rest.length > longestLine) throw new Error('not an SMTP reply')
    return replies
  }
}

function toReply(lines: readonly string[]): ReadReply {
  const code = Number(lines[0]!.slice(0, 3))
  const enhanced = /^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)/.exec(lines[0]!.slice(4))?.[1] ?? null
  const text = lines.length === 1 ? lines[0]!.slice(4) : lines.map((line) => line.slice(4)).join(' ')
  return { code, enhanced, lines, text: printable(text).slice(0, 500) }
}

function printable(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : text.replace(/[^\x20-\x7e]/g, '?')
}
