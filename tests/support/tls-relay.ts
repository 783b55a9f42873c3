// A relay that offers STARTTLS in front of a capture server, with whatever is wrong with it. What a client says before TLS is
// remembered: no mail may be in it.

import { readFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import tls from 'node:tls'
import { listenForSmtp } from './smtp-listener.ts'

export const tlsFaults = [
  /** STARTTLS isn't offered, or is refused. */
  'none',
  'refused',
  /** A certificate of nobody we know, an expired one, one that isn't valid yet, one of another host. */
  'unknown',
  'expired',
  'future',
  'elsewhere',
  /** Nothing newer than TLS 1.1. */
  'old',
  /** Cut off in the handshake. */
  'reset',
  /** An answer to EHLO, in clear behind the go-ahead, as an attacker would slip it in. */
  'injected',
] as const
export type TlsFault = (typeof tlsFaults)[number]

export interface TlsRelay {
  port: number
  /** Asked per connection; null: all is well. */
  fault: () => TlsFault | null
  /** Commands that came before TLS. */
  inClear: string[]
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const folder = path.join(import.meta.dirname, '../samples/certificates')
export const readCertificate = (name: string) => readFileSync(path.join(folder, `${name}.pem`))

/** For the whole process: whom the trusted certificate is signed by is believed. */
export function trustTestAuthority(): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readCertificate('authority').toString()])
}

const certificates: readonly TlsFault[] = ['unknown', 'expired', 'future', 'elsewhere']

/** What the relay itself brings to the handshake. */
function identityOf(fault: TlsFault | null): tls.SecureContextOptions {
  const name = fault !== null && certificates.includes(fault) ? fault : 'trusted'
  const old: tls.SecureContextOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }
  return { key: readCertificate('key'), cert: readCertificate(name), ...(fault === 'old' ? old : {}) }
}

/** Listens on loopback as `localhost`. `isImplicit`: TLS from the first byte, as smtps wants it. */
export async function startTlsRelay(capturePort: number, isImplicit = false): Promise<TlsRelay> {
  const listener = await listenForSmtp((client) => {
    const goOn = (fault: TlsFault | null) => {
      const secureContext = tls.createSecureContext(identityOf(fault))
      const secure = new tls.TLSSocket(client, { isServer: true, secureContext })
      const behind = net.connect(capturePort, '127.0.0.1')
      listener.track(behind)
      secure.on('error', () => behind.destroy()).on('close', () => behind.destroy())
      behind.on('close', () => secure.destroy())
      const join = () => {
        secure.pipe(behind)
        behind.pipe(secure)
      }
      // Its greeting has been given in clear already.
      if (isImplicit) join()
      else behind.once('data', join)
    }
    if (isImplicit) goOn(relay.fault())
    else talkInClear(client, relay, goOn)
  })
  const relay: TlsRelay = {
    port: listener.port,
    fault: () => null,
    inClear: [],
    close: () => listener.close(),
    [Symbol.asyncDispose]: () => relay.close(),
  }
  return relay
}

function talkInClear(client: net.Socket, relay: TlsRelay, secure: (fault: TlsFault | null) => void): void {
  const fault = relay.fault()
  let input = ''
  client.write('220 localhost ESMTP\r\n')
  client.on('data', hear)
  function hear(chunk: Buffer): void {
    input += chunk.toString('latin1')
    for (let end = input.indexOf('\r\n'); end >= 0; end = input.indexOf('\r\n')) {
      const line = input.slice(0, end)
      input = input.slice(end + 2)
      relay.inClear.push(line)
      answer(line.split(' ')[0]!.toUpperCase())
    }
  }
  function answer(verb: string): void {
    if (verb === 'EHLO')
      client.write(
        `250-localhost\r\n${fault === 'none' ? '' : '250-STARTTLS\r\n'}250-AUTH PLAIN LOGIN\r\n250 PIPELINING\r\n`,
      )
    else if (verb === 'QUIT') client.end('221 bye\r\n')
    else if (verb === 'DATA') client.write('354 go on\r\n')
    else if (verb !== 'STARTTLS') client.write('250 fine\r\n')
    else if (fault === 'none') client.write('502 5.5.1 not implemented\r\n')
    else if (fault === 'refused') client.write('454 4.7.0 TLS not available\r\n')
    else {
      client.off('data', hear)
      client.write(fault === 'injected' ? '220 go on\r\n250-evil\r\n250-AUTH LOGIN\r\n250 SIZE 1\r\n' : '220 go on\r\n')
      if (fault === 'reset') client.once('data', () => client.destroy())
      else secure(fault)
    }
  }
}
