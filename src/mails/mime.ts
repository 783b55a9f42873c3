// multipart/alternative: text first, HTML second, both quoted-printable. The boundary is the same in every mail: it holds "=_", which
// quoted-printable never writes, so no text can imitate it, and everything around the two parts is one shared Buffer.

import { decodeFragments, encodeFragment } from './quoted-printable.ts'

const boundary = '=_broadsheet_alternative'

export const alternativeType = `multipart/alternative; boundary="${boundary}"`

const partHead = (type: string) =>
  `--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`

/** What comes before the text part, between the parts, and after the HTML part. Each part must end in a hard line break. */
export const beforeText = Buffer.from(partHead('text/plain'))
export const beforeHtml = Buffer.from(`\r\n${partHead('text/html')}`)
export const afterHtml = Buffer.from(`\r\n--${boundary}--\r\n`)

export interface Alternative {
  contentType: string
  body: Buffer[]
  isDotFree: true
  /** Decoded bytes of the HTML part. */
  htmlBytes: number
}

/** A whole mail from two texts. Digests are spliced from fragments instead: digests/splice.ts. Pure. */
export function buildAlternative({ text, html }: { text: string; html: string }): Alternative {
  const textPart = encodeFragment(withLineEnd(text))
  const htmlPart = encodeFragment(withLineEnd(html))
  return {
    contentType: alternativeType,
    body: [beforeText, textPart.bytes, beforeHtml, htmlPart.bytes, afterHtml],
    isDotFree: true,
    htmlBytes: htmlPart.size,
  }
}

/** Both parts of a body made here, as a reader's program shows them. */
export function readAlternative(body: readonly Buffer[]): { text: string; html: string } {
  const [, text, html] = Buffer.concat(body).toString('latin1').split(`--${boundary}`)
  const content = (part: string) =>
    decodeFragments([Buffer.from(part.slice(part.indexOf('\r\n\r\n') + 4).replace(/\r\n$/, ''), 'latin1')])
  return { text: content(text!).replaceAll('\r\n', '\n'), html: content(html!).replaceAll('\r\n', '\n') }
}

function withLineEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
