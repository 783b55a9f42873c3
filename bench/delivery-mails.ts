// The mails of the delivery bench: digests of 4 categories, the same for our engine and for the baseline. The stories are
// shared Buffers, as in a real edition; the greeting, the preferences link and the unsubscribe link are each subscriber's own.

import { generateKeyPairSync } from 'node:crypto'
import type { Composer, Composers } from '../src/delivery/composer.ts'
import { mailKinds } from '../src/delivery/composer.ts'
import { paragraphs } from './delivery-arguments.ts'

const story = (category: string, i: number) =>
  `<h3 style=3D"margin:0"><a href=3D"https://news.example/${category}/${i}">A headline of story ${i} in=\r\n ${category}</a></h3>\r\n` +
  `<p style=3D"font:16px/24px Georgia,serif;color:#1a1a1a">Lorem ipsum dolor sit amet, consetetur sa=\r\ndipscing elitr.</p>\r\n`.repeat(
    paragraphs,
  )

const categories = ['politics', 'world', 'business', 'investing']
export const fragments = categories.flatMap((category) =>
  Array.from({ length: 5 }, (_, i) => Buffer.from(story(category, i))),
)
const textPart = Buffer.from(
  categories
    .map((category) => `${category.toUpperCase()}\r\n${'A headline, and where to read it.\r\n'.repeat(5)}`)
    .join('\r\n'),
)

export function personalParts(recipient: string, id: number): { head: string; foot: string } {
  return {
    head: `<p>Good morning, ${recipient}</p>\r\n`,
    foot: `<p><a href=3D"https://news.example/preferences?token=3D${id}.0.abcdefghijklmnopqrstuv">Preferences=\r\n</a> <a href=3D"https://news.example/u?token=3D${id}.0.abcdefghijklmnopqrstuv">Unsubscribe</a></p>\r\n`,
  }
}

const boundary = '=_bench'
const open = Buffer.from(
  `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`,
)
const between = Buffer.from(
  `--${boundary}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`,
)
const end = Buffer.from(`--${boundary}--\r\n`)

const digest: Composer = {
  prepare: async () => (delivery) => {
    const { head, foot } = personalParts(delivery.recipient, delivery.id)
    return {
      outcome: 'mail',
      mail: {
        from: { name: 'The Gazette', address: 'news@news.example' },
        replyTo: null,
        subject: 'Your digest: politics, world, business, investing',
        headers: [
          ['List-Id', 'The Gazette <digest.news.example>'],
          ['List-Unsubscribe', `<https://news.example/u?token=${delivery.id}.0.abcdefghijklmnopqrstuv>`],
          ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
          ['Feedback-ID', '1:digest:gazette'],
        ],
        contentType: `multipart/alternative; boundary="${boundary}"`,
        body: [open, textPart, between, Buffer.from(head), ...fragments, Buffer.from(foot), end],
        htmlBytes: 30_000,
      },
      record: {
        articleIds: Array.from({ length: 20 }, (_, i) => i + 1),
        watermarks: { 1: 500, 2: 501, 3: 502, 4: 503 },
      },
    }
  },
}

export const benchComposers = Object.fromEntries(mailKinds.map((kind) => [kind, digest])) as Composers

/** What `transporter.sendMail()` is given for the same mail. */
export function baselineMail(recipient: string, id: number) {
  const { head, foot } = personalParts(recipient, id)
  const decode = (encoded: string) => encoded.replaceAll('=\r\n', '').replaceAll('=3D', '=')
  return {
    from: 'The Gazette <news@news.example>',
    to: recipient,
    subject: 'Your digest: politics, world, business, investing',
    text: textPart.toString(),
    html: decode(head) + decodedFragments(decode) + decode(foot),
    headers: {
      'List-Id': 'The Gazette <digest.news.example>',
      'List-Unsubscribe': `<https://news.example/u?token=${id}.0.abcdefghijklmnopqrstuv>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'Feedback-ID': '1:digest:gazette',
    },
  }
}

let decoded: string | null = null
function decodedFragments(decode: (encoded: string) => string): string {
  decoded ??= fragments.map((fragment) => decode(fragment.toString())).join('')
  return decoded
}

export function makeDkimKey(): string {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey
}
