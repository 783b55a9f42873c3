// Headers that say what kind of mail this is. Values are ASCII as it is sent, but for folds, which delivery adds.

import type { Config } from '../base/config.ts'
import { unsubscribeAddress } from '../delivery/return-path.ts'
import { unsubscribeUrl } from '../subscribers/links.ts'
import { addressOf } from '../base/addresses.ts'

type Headers = readonly (readonly [name: string, value: string])[]

/** In every mail: a program sends it, so no out-of-office replies should come back (RFC 3834; the second is Microsoft's). */
export const automaticHeaders: Headers = [
  ['Auto-Submitted', 'auto-generated'],
  ['X-Auto-Response-Suppress', 'OOF, AutoReply'],
]

/** RFC 2919, 2369 and 8058. */
export function listHeaders(config: ListConfig, subscriberId: number, editionId: number | null = null): Headers {
  return [...unsubscribeHeaders(config, subscriberId, editionId), ...fixedListHeaders(config)]
}

type ListConfig = Pick<Config, 'site' | 'web' | 'mail' | 'secretKeys' | 'inbound'>

/** Receivers are known to give up on longer ones, and a folded one breaks signatures of relays. */
const longestUnsubscribe = 300

/** The https form first: one click. By mail where mail to us is read; delivery doesn't fold the line. */
export function unsubscribeHeaders(
  config: Omit<ListConfig, 'site'>,
  subscriberId: number,
  editionId: number | null,
): Headers {
  const { mail, secretKeys, inbound } = config
  let value = `<${unsubscribeUrl(config, subscriberId, editionId)}>`
  if (mail.bounceDomain && inbound.takesMail) {
    const both = `${value}, <mailto:${unsubscribeAddress(secretKeys, mail.bounceDomain, subscriberId)}>`
    if ('List-Unsubscribe: '.length + both.length <= longestUnsubscribe) value = both
  }
  return [
    ['List-Unsubscribe', value],
    ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
  ]
}

/** The same in every mail of the list, whoever gets it. */
export function fixedListHeaders(config: Pick<Config, 'site' | 'web' | 'mail'>): Headers {
  return [
    ['List-Id', `${listName(config.site.name)}<newsletter.${domainOfSender(config)}>`],
    ['List-Archive', `<${addressOf(config, '/archive')}>`],
    ['List-Help', `<${addressOf(config, '/')}>`],
    ...(config.mail.replyTo ? [['List-Owner', `<mailto:${mailtoAddress(config.mail.replyTo.address)}>`] as const] : []),
  ]
}

/** Gmail's feedback loop: edition, kind, and a sender that is always the same. Nothing about a person. */
export function feedbackId(
  config: Pick<Config, 'mail'>,
  kind: string,
  editionId: number | null,
): readonly [string, string] {
  const sender = domainOfSender(config)
    .replace(/[^a-z0-9]/gi, '')
    .slice(0, 15)
    .padEnd(5, '0')
  return ['Feedback-ID', `${editionId ?? 0}:${kind}:broadsheet:${sender}`]
}

function domainOfSender({ mail }: Pick<Config, 'mail'>): string {
  return mail.from.address.slice(mail.from.address.lastIndexOf('@') + 1).toLowerCase()
}

/** RFC 6068: `?`, `&` and `%` have a meaning of their own in such a link. */
function mailtoAddress(address: string): string {
  const at = address.lastIndexOf('@')
  return encodeURIComponent(address.slice(0, at)) + address.slice(at)
}

/** RFC 2919 §2: a phrase before the id, left out when it would need encoding: many programs show it as it stands. */
function listName(name: string): string {
  // oxlint-disable-next-line no-control-regex
  const clean = name.replace(/[\x00-\x1f\x7f]+/g, ' ').trim()
  return /^[\x20-\x7e]{1,120}$/.test(clean) && !clean.includes('=?') ? `"${clean.replace(/["\\]/g, '\\$&')}" ` : ''
}
