// A relay that wants a user name and password, or a token: smtp-server, with a certificate for `localhost` that the test authority
// signed, and with whatever is odd about its sign-in. And the endpoint that gives out tokens.

import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerAuthenticationResponse } from 'smtp-server'
import { type Relay, parseRelay } from '../../src/base/relay.ts'
import { readCertificate } from './tls-relay.ts'

export const account = { user: 'news@paper.example', password: 'pä&ssword' }

export interface SignInRelay {
  /** With these options behind the question mark, and this password. */
  relay(options?: string, password?: string): Relay
  /** Each attempt's mechanism, `(in clear)` behind it where that is so. */
  attempts: string[]
  /** Recipients. */
  taken: string[]
  /** The token it accepts. */
  token: string
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export async function startSignInRelay(options: {
  /** As offered, without TLS too. */
  mechanisms: string[]
  /** What a mechanism is answered, whatever is right. */
  refused?: Record<string, { code: number; text: string }>
}): Promise<SignInRelay> {
  const smtp = new SMTPServer({
    logger: false,
    key: readCertificate('key'),
    cert: readCertificate('trusted'),
    authMethods: options.mechanisms,
    allowInsecureAuth: true,
    authOptional: options.mechanisms.length === 0,
    ...(options.mechanisms.length ? {} : { disabledCommands: ['AUTH'] }),
    onAuth: (auth, session, done) => {
      server.attempts.push(auth.method + (session.secure ? '' : ' (in clear)'))
      const refusal = options.refused?.[auth.method]
      if (refusal) return done(Object.assign(new Error(refusal.text), { responseCode: refusal.code }))
      const isRight =
        auth.username === account.user &&
        (auth.method === 'CRAM-MD5'
          ? auth.validatePassword(account.password)
          : auth.method === 'XOAUTH2'
            ? auth.accessToken === server.token
            : auth.password === account.password)
      if (isRight) return done(null, { user: account.user })
      if (auth.method !== 'XOAUTH2') return done(new Error('5.7.8 wrong user name or password'))
      // Answered with 334 and this in base64, as Google does.
      done(null, { data: { status: '401', schemes: 'bearer' } } as SMTPServerAuthenticationResponse)
    },
    onData: (stream, session, done) => {
      stream.resume()
      stream.on('end', () => {
        server.taken.push(...session.envelope.rcptTo.map((recipient) => recipient.address))
        done()
      })
    },
  })
  smtp.on('error', () => {})
  smtp.listen(0, '127.0.0.1')
  await once(smtp.server, 'listening')
  const { port } = smtp.server.address() as AddressInfo
  const server: SignInRelay = {
    relay: (query = '', password = account.password) => {
      const who = [account.user, password].map(encodeURIComponent).join(':')
      const relay = parseRelay(`smtp://${who}@localhost:${port}?tls=required&${query}`)
      if (typeof relay === 'string') throw new Error(relay)
      return relay
    },
    attempts: [],
    taken: [],
    token: '',
    close: () => new Promise((resolve) => smtp.close(resolve)),
    [Symbol.asyncDispose]: () => server.close(),
  }
  return server
}

export interface TokenEndpoint {
  url: string
  /** What each request asked for. */
  asked: Record<string, string>[]
  /** The answer to the n-th request, from 1. */
  answer: (n: number) => Record<string, unknown>
  [Symbol.asyncDispose](): Promise<void>
}

export async function startTokenEndpoint(answer: TokenEndpoint['answer']): Promise<TokenEndpoint> {
  const listener = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      endpoint.asked.push(Object.fromEntries(new URLSearchParams(body)))
      const answered = endpoint.answer(endpoint.asked.length)
      response.writeHead('error' in answered ? 400 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answered))
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const endpoint: TokenEndpoint = {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/token`,
    asked: [],
    answer,
    [Symbol.asyncDispose]: async () => {
      listener.closeAllConnections()
      listener.close()
      await once(listener, 'close')
    },
  }
  return endpoint
}
