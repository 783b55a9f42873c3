// Splits a returned mail into its parts: the sender's words, the machine-readable parts, and the message that it returns. Common
// errors of senders are repaired first, so that a library can parse it.

import { Parser } from 'htmlparser2'
import PostalMime from 'postal-mime'
import { returnedBegins } from './senders.ts'

/** Nothing beyond this is read: the important parts come first. */
export const mostBytes = 256 * 1024
/** For the library, a line costs as much as a thousand characters. */
const mostLines = 6000
const mostDepth = 20

export interface OpenMail {
  /** By lower-case name, in order. */
  headers: ReadonlyMap<string, readonly string[]>
  subject: string
  from: string
  /** The words, up to the start of the returned message. */
  said: string
  /** message/delivery-status, including one inside the text. */
  status: string | null
  hasStatusPart: boolean
  /** message/feedback-report. */
  feedback: string | null
  /** Our message that it quotes, or the rest of it. */
  returned: string
}

export async function openMail(raw: Uint8Array): Promise<OpenMail> {
  const source = repair(Buffer.from(raw.subarray(0, mostBytes)).toString('latin1'))
  const email = await PostalMime.parse(Buffer.from(source, 'latin1'), {
    forceRfc822Attachments: true,
    attachmentEncoding: 'utf8',
    maxNestingDepth: mostDepth,
  }).catch(() => null)
  const headers = new Map<string, string[]>()
  for (const { key, value } of email?.headers ?? []) headers.set(key, [...(headers.get(key) ?? []), value])
  const part = (type: RegExp) => {
    const found = email?.attachments.filter(({ mimeType }) => type.test(mimeType)) ?? []
    return found.length ? found.map(({ content }) => String(content).replace(/\r\n?/g, '\n')).join('\n\n') : null
  }
  // `text/plain charset=…`, without the semicolon, is parsed as an attachment.
  const oddText = part(/^text\/plain./) ?? ''
  const words = `${oddText}${oddText && '\n'}${email?.text?.trim() ? email.text : textOf(email?.html ?? '')}`
  // If its parts can't be separated, the whole mail is read as one text.
  const text = words.trim() ? words.replace(/\r\n?/g, '\n') : source.slice(source.indexOf('\n\n') + 1)
  const [said, rest] = split(text)
  const status = part(/^message\/(?:global-)?delivery-status$/)
  return {
    headers,
    subject: email?.subject ?? '',
    from: headers.get('from')?.[0] ?? '',
    said,
    status: status ?? statusIn(said) ?? statusIn(source),
    hasStatusPart: status !== null,
    feedback: part(/^message\/feedback-report$/),
    returned:
      part(/^(?:message\/(?:rfc822|global|partial)|text\/rfc822(?:-headers)?|message\/rfc822-headers)$/) ?? rest,
  }
}

function split(text: string): [said: string, returned: string] {
  const begin = returnedBegins.exec(text)
  return begin ? [text.slice(0, begin.index), text.slice(begin.index)] : [text, '']
}

/** Fields of a delivery status inside the text: some servers write them there, or leave out the part's headers. */
function statusIn(text: string): string | null {
  const fields = /^(?:Reporting-MTA|Final-Recipient|Original-Recipient|Action):/im.exec(text)
  if (!fields || !/^(?:Final|Original)-Recipient:.{0,20};/im.test(text)) return null
  return split(text.slice(fields.index))[0]
}

/** Single CRs become line ends. A boundary that the header doesn't name is taken from the body. */
function repair(source: string): string {
  const lines = source.replace(/\r\n?/g, '\n').trimStart().split('\n', mostLines).join('\n')
  const text = lines.replace(/^(?:>?From )[^\n]{0,998}\n/, '')
  const end = text.indexOf('\n\n')
  if (end < 0) return text
  const head = text.slice(0, end)
  const body = text.slice(end)
  const named = /^content-type:[^\n]{0,998}(?:\n[ \t][^\n]{0,998}){0,10}/im.exec(head)?.[0] ?? ''
  const boundary = /boundary=(?:"([^"\n]{1,200})"|([^\s;"]{1,200}))/i.exec(named)
  if (named && !/multipart/i.test(named)) return text
  const name = boundary?.[1] ?? boundary?.[2]
  if (name && body.includes(`\n--${name}`)) return withoutReturnedText(text, end, name)
  // If the header names no parts, only the text before a returned message is searched, because that message may have parts too.
  const real = /\n[ \t]?--([^\s]{1,200})[ \t]*\ncontent-/i.exec(named ? body : split(body)[0])?.[1]
  if (!real) return text
  const type = `Content-Type: ${/multipart\/[\w-]+/i.exec(named)?.[0] ?? 'multipart/mixed'}; boundary="${real}"`
  return `${named ? head.replace(named, () => type) : `${head}\n${type}`}${body.replaceAll(`\n --${real}`, `\n--${real}`)}`
}

const returnedPart = /\n--[^\n]{1,200}\n(?:[^\n]{1,998}\n){0,10}?content-type:[ \t]*message\/(?:rfc822|global)\b/gi
/** Characters of a returned message's text that are kept. */
const returnedBytes = 2000

/** The text of a returned message isn't needed, and is most of a report. Only its headers, and some of its text, are passed to the
 * library. `end`: of the report's own header. `boundary`: of its parts. */
function withoutReturnedText(text: string, end: number, boundary: string): string {
  returnedPart.lastIndex = end
  const part = returnedPart.exec(text)
  if (!part?.[0].startsWith(`\n--${boundary}`)) return text
  const headers = text.indexOf('\n\n', part.index)
  const body = headers < 0 ? -1 : text.indexOf('\n\n', headers + 2)
  const next = body < 0 ? -1 : text.indexOf(`\n--${boundary}`, body)
  if (body < 0) return text
  return text.slice(0, body + returnedBytes) + (next < 0 ? '' : text.slice(Math.max(next, body + returnedBytes)))
}

const lineTags = new Set(['br', 'p', 'div', 'td', 'tr', 'li', 'h1', 'h2', 'h3', 'pre'])
const silentTags = new Set(['style', 'script', 'title'])

function textOf(html: string): string {
  let text = ''
  let isSilent = false
  const parser = new Parser({
    onopentagname: (name) => (isSilent = silentTags.has(name)),
    ontext: (words) => (text += isSilent ? '' : words.replaceAll('\u00a0', ' ')),
    onclosetag(name) {
      isSilent = false
      if (lineTags.has(name)) text += '\n'
    },
  })
  parser.end(html)
  return text
}
