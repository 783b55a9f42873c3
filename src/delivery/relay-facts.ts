// What an open connection shows about its relay, for `doctor`.

import { TLSSocket } from 'node:tls'
import type { Relay } from '../base/relay.ts'
import { type Dialled, ehloName } from './relay-dial.ts'

export interface RelayFacts {
  /** The first line of the answer to EHLO. */
  hello: string
  ehloName: string
  /** `TLSv1.3`; null: not encrypted. */
  tls: string | null
  certificate: { subject: string; issuer: string; validTo: string } | null
  mechanism: string | null
  /** Bytes; null: not announced. */
  sizeLimit: number | null
  extensions: readonly string[]
}

/** `extensions`: names and values from the answer to EHLO. */
export function factsOf(
  relay: Relay,
  { socket, mechanism }: Dialled,
  { hello, extensions }: { hello: string; extensions: ReadonlyMap<string, string> },
): RelayFacts {
  const secure = socket instanceof TLSSocket ? socket : null
  const certificate = secure?.getPeerCertificate()
  return {
    hello,
    ehloName: ehloName(relay),
    tls: secure?.getProtocol() ?? null,
    certificate: certificate?.valid_to
      ? {
          subject: String(certificate.subject?.CN ?? certificate.subjectaltname ?? ''),
          issuer: String(certificate.issuer?.O ?? certificate.issuer?.CN ?? ''),
          validTo: certificate.valid_to,
        }
      : null,
    mechanism,
    sizeLimit: sizeLimitOf(extensions),
    extensions: [...extensions.keys()],
  }
}

export function sizeLimitOf(extensions: ReadonlyMap<string, string>): number | null {
  return Number(extensions.get('SIZE') ?? 0) || null
}
