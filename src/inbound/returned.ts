// The delivery of a returned mail, from its quoted headers. The caller checks the MACs. Pure.

import { addressIn } from './addresses.ts'
import type { OwnAddresses, ReturnedMail } from './mail.ts'
import type { OpenMail } from './open.ts'

const returnPaths = /\bb-[0-9a-z]{1,11}-[a-z2-7]{20}@[a-z0-9.-]{1,255}/gi
const tokens = /[?&]token=([\w-]{1,40}\.[0-9a-z]{1,9}\.[\w-]{22})/gi

export function returnedMail(mail: OpenMail, own: OwnAddresses): ReturnedMail {
  const headers = mail.returned.slice(0, 64 * 1024).replace(/\n[ \t]{1,200}/g, ' ')
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*([^\\r\\n]{1,1000})`, 'im').exec(headers)?.[1] ?? null
  const domain = own.bounceDomain?.toLowerCase()
  const verp = new Set((headers.match(returnPaths) ?? []).map((each) => each.toLowerCase()))
  return {
    messageId: field('message-id')?.replace(/[<>\s]/g, '') ?? null,
    verp: [...verp].filter((each) => !domain || each.endsWith(`@${domain}`)),
    deliveryHeader: field('x-broadsheet-delivery')?.trim() ?? null,
    unsubscribeTokens: [...new Set([...headers.matchAll(tokens)].map((match) => match[1]!))],
    recipient: addressIn(field('to') ?? ''),
  }
}
