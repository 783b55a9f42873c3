// Quoted-printable (RFC 2045 §6.7), fragment by fragment: every fragment begins at a line's start and ends at a line's end (a soft
// break, or a hard one where the text ended in one), so encoded fragments can be concatenated in any order.
//
// Beyond the RFC: a line never begins with a dot (SMTP's stuffing has nothing to do) or with "From " (mbox), and a character is
// never split over two lines.

/** `bytes` is ASCII with CRLF line ends; `size` is what a decoder gives back, CRLF counted as two. */
export interface Fragment {
  bytes: Buffer
  size: number
}

const lineLength = 75 // 76 with the "=" of a soft break
const [tab, lf, cr, space, dot, equals] = [9, 10, 13, 32, 46, 61]
const hex = Buffer.from('0123456789ABCDEF')

export const emptyFragment: Fragment = { bytes: Buffer.alloc(0), size: 0 }

/** Line ends of any kind become CRLF; nothing else changes. Pure. */
export function encodeFragment(text: string): Fragment {
  if (text === '') return emptyFragment
  const input = Buffer.from(text)
  // Three bytes for each, a soft break for every 63 (75 less the longest character) of those, and one at the end.
  const output = Buffer.allocUnsafe(input.length * 3 + Math.ceil((input.length * 3) / 63) * 3 + 3)
  let at = 0
  let column = 0
  let size = 0
  const end = input.length
  for (let i = 0; i < end; i++) {
    const byte = input[i]!
    if (byte === lf || byte === cr) {
      if (byte === cr && input[i + 1] === lf) i++
      output[at++] = cr
      output[at++] = lf
      column = 0
      size += 2
      continue
    }
    size++
    let width = 1
    let isLiteral = byte > space && byte < 127 && byte !== equals
    if (byte === space || byte === tab) {
      // White space before a line end would be lost on the way.
      const next = input[i + 1]
      isLiteral = next !== undefined && next !== lf && next !== cr
    }
    if (!isLiteral) width = byte >= 0xc0 ? (byte >= 0xf0 ? 12 : byte >= 0xe0 ? 9 : 6) : 3
    if (column + width > lineLength && (byte < 0x80 || byte >= 0xc0)) {
      output[at++] = equals
      output[at++] = cr
      output[at++] = lf
      column = 0
    }
    if (column === 0 && (byte === dot || startsFrom(input, i))) isLiteral = false
    if (isLiteral) {
      output[at++] = byte
      column++
    } else {
      output[at++] = equals
      output[at++] = hex[byte >> 4]!
      output[at++] = hex[byte & 15]!
      column += 3
    }
  }
  if (column > 0) {
    output[at++] = equals
    output[at++] = cr
    output[at++] = lf
  }
  return { bytes: output.subarray(0, at), size }
}

function startsFrom(input: Buffer, at: number): boolean {
  return (
    input[at] === 70 &&
    input[at + 1] === 114 &&
    input[at + 2] === 111 &&
    input[at + 3] === 109 &&
    input[at + 4] === space
  )
}
