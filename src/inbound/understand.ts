// The content of an event, and what may prove which delivery it is about.

import type { Config } from '../base/config.ts'
import type { InboundEvent, ReportClass } from '../db/schema.ts'
import type { Hints } from './match.ts'
import { addressedTo, ownAddresses, readOurAddress } from './our-addresses.ts'
import { inboundReader } from './reader.ts'
import type { InboundFacts } from './store.ts'

/** The content of one mail, whichever program read it. */
export interface Understood {
  kind: string
  reports: readonly UnderstoodReport[]
}

export interface UnderstoodReport {
  recipient: string | null
  class: ReportClass
  reason: string
  status: string | null
  text: string
}

export interface Read {
  mail: Understood
  hints: Hints
  /** Recipients of the quoted mail. */
  quotedTo: readonly string[]
  /** The subscriber whom a mail to that address unsubscribes. */
  unsubscribes: number | null
}

export async function understand(config: Config, event: InboundEvent): Promise<Read> {
  if (event.facts) {
    const { returnPath, deliveryHeader, messageId, reports } = event.facts as InboundFacts
    const said = reports.map(({ diagnostic, ...report }) => ({ ...report, text: diagnostic ?? '' }))
    return {
      mail: { kind: reports.some(({ class: kind }) => kind === 'complaint') ? 'complaint' : 'bounce', reports: said },
      hints: {
        envelopeTo: null,
        quoted: [returnPath, deliveryHeader].filter((each) => each !== null),
        unsubscribeTokens: [],
        messageId,
        isVerified: true,
      },
      quotedTo: [],
      unsubscribes: null,
    }
  }
  if (!event.raw) throw new Error('Its text is gone.')
  return understandMail(config, Buffer.from(event.raw), event.envelopeTo)
}

export async function understandMail(config: Config, raw: Buffer, givenTo: string | null): Promise<Read> {
  const read = await inboundReader.read(raw, ownAddresses(config))
  const mail = { ...read, reports: read.reports.map(withoutNul) }
  const { returned } = mail
  const envelopeTo = givenTo ?? addressedTo(config, raw)
  const own = envelopeTo === null ? null : readOurAddress(config, envelopeTo)
  const isPlain = mail.kind === 'other' || mail.kind === 'unsubscribe'
  return {
    mail,
    hints: {
      envelopeTo,
      quoted: [...returned.verp, ...(returned.deliveryHeader === null ? [] : [returned.deliveryHeader])],
      unsubscribeTokens: returned.unsubscribeTokens,
      messageId: returned.messageId,
      isVerified: false,
    },
    quotedTo: returned.recipient === null ? [] : [returned.recipient],
    unsubscribes: own?.kind === 'unsubscribe' && isPlain ? own.id : null,
  }
}

/** A text column refuses NUL. */
function withoutNul<Report extends Pick<UnderstoodReport, 'recipient' | 'text'>>(report: Report): Report {
  const { recipient, text } = report
  return { ...report, recipient: recipient && recipient.replaceAll('\0', ''), text: text.replaceAll('\0', '') }
}
