// Reads a returned mail. Standards first: RFC 5965 (complaints), RFC 3464 (delivery status), X-Failed-Recipients, RFC 3834
// (automatic replies). Then the servers' words. Pure; runs in the parser's thread (reader.ts).

import { complaintsIn } from './complaints.ts'
import { statusReports } from './delivery-status.ts'
import { addressesIn } from './addresses.ts'
import { failedAddresses, sendersOf } from './failed-addresses.ts'
import type { InboundMail, InboundReport, OwnAddresses } from './mail.ts'
import { type OpenMail, openMail } from './open.ts'
import { autoreplyIn, isFromServer, isUnsubscribe } from './origin.ts'
import { judge } from './judge.ts'
import { returnedMail } from './returned.ts'

/** No mail has more recipients. */
const mostReports = 100

export async function readInbound(raw: Uint8Array, own: OwnAddresses): Promise<InboundMail> {
  const mail = await openMail(raw)
  const about = {
    messageId: mail.headers.get('message-id')?.[0]?.replace(/[<>\s]/g, '') || null,
    to: recipientsOf(mail),
    returned: returnedMail(mail, own),
  }
  const complaints = complaintsIn(mail, about.returned.recipient)
  if (complaints.length) return { kind: 'complaint', reports: complaints, ...about }
  if (isUnsubscribe(mail, about.to)) return { kind: 'unsubscribe', reports: [], ...about }
  const bounces = bouncesIn(mail, own, about)
  if (bounces.length) return { kind: 'bounce', reports: bounces, ...about }
  const autoreply = autoreplyIn(mail)
  return autoreply ? { kind: 'autoreply', reports: [autoreply], ...about } : { kind: 'other', reports: [], ...about }
}

function bouncesIn(
  mail: OpenMail,
  own: OwnAddresses,
  { to, returned }: Pick<InboundMail, 'to' | 'returned'>,
): InboundReport[] {
  const returnedTo = returned.recipient
  const header = mail.headers.get('x-failed-recipients')?.flatMap(addressesIn) ?? []
  if (!mail.hasStatusPart && header.length === 0 && !isFromServer(mail)) return []
  const domain = own.bounceDomain ? `@${own.bounceDomain.toLowerCase()}` : null
  const isOwn = (address: string) => own.addresses.includes(address) || (domain !== null && address.endsWith(domain))
  const known = sendersOf(mail)
  const always = {
    reason: known.find((sender) => sender.reason)?.reason,
    knowsUsers: known.some((sender) => sender.knowsUsers),
  }
  const action = known.find((sender) => sender.action)?.action
  // Its recipient is us, unless no other address is named.
  const others = failedAddresses(mail, known, (address) => isOwn(address) || to.includes(address))
  const named = others.length ? others : failedAddresses(mail, known, isOwn)
  // If the header and the list in words name different addresses, use the one to which our mail was sent.
  const isListed = header.length === 1 && named.some(({ address }) => address === returnedTo)
  const failedHeader = isListed ? [returnedTo!] : header
  const said = (address: string | null): string[] => {
    const texts = named.filter((each) => each.address === address).map(({ text }) => text)
    return named.length < 2 ? [...texts, mail.said] : texts
  }
  const fallback = failedHeader[0] ?? named[0]?.address ?? (returnedTo && !isOwn(returnedTo) ? returnedTo : null)
  const reports = statusReports(mail, said, fallback, always)
  if (!reports.length) {
    const recipients = [...new Set(failedHeader.length ? failedHeader : named.map(({ address }) => address))]
    if (!recipients.length && fallback) recipients.push(fallback)
    for (const recipient of recipients)
      reports.push(judge(mail, { recipient, said: said(recipient), ...always, ...(action && { action }) }))
  }
  return reports.filter(({ recipient }) => recipient !== null && !isOwn(recipient)).slice(0, mostReports)
}

function recipientsOf({ headers }: OpenMail): string[] {
  const names = ['x-original-to', 'delivered-to', 'envelope-to', 'to']
  return [...new Set(names.flatMap((name) => (headers.get(name) ?? []).flatMap(addressesIn)))]
}
