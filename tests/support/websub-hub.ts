// A WebSub hub on loopback, as the W3C recommendation has it: takes subscription requests, asks back in its own time, signs what it
// pushes. It reaches subscribers by the name in their callback, at the port the test gives: it has a resolver of its own.

import { createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  mode: string
  topic: string
  callback: string
  secret: string
  leaseSeconds: number
}

export interface Heard {
  status: number
  body: string
}

export interface WebSubHub {
  url: string
  host: string
  /** Subscription requests, in order. */
  asked: Asked[]
  /** How it answers a request: the default takes all with 202. */
  answer: (request: IncomingMessage, response: ServerResponse) => void
  /** Asks the subscriber whether it meant that; the answer as it came. A right one repeats the challenge. */
  verify(asked: Asked, more?: Record<string, string>): Promise<Heard & { challenge: string }>
  deny(asked: Asked, reason: string): Promise<Heard>
  push(asked: Asked, body: string, more?: { signature?: string; method?: string }): Promise<Heard>
  close(): Promise<void>
}

export async function openHub(options: { subscriberPort: () => number }): Promise<WebSubHub> {
  const asked: Asked[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString())
      const field = (name: string) => form.get(`hub.${name}`) ?? ''
      asked.push({
        mode: field('mode'),
        topic: field('topic'),
        callback: field('callback'),
        secret: field('secret'),
        leaseSeconds: Number(field('lease_seconds')),
      })
      hub.answer(incoming, response)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`

  const send = (url: string, method: string, headers: Record<string, string> = {}, body = '') =>
    new Promise<Heard>((resolve, reject) => {
      const { hostname, pathname, search } = new URL(url)
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: options.subscriberPort(),
          method,
          path: pathname + search,
          headers: { host: hostname, 'content-length': Buffer.byteLength(body), ...headers },
        },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  const withQuery = (callback: string, fields: Record<string, string>) => {
    const url = new URL(callback)
    for (const [name, value] of Object.entries(fields)) url.searchParams.set(`hub.${name}`, value)
    return url.href
  }

  const hub: WebSubHub = {
    url: `http://${host}/hub`,
    host,
    asked,
    answer: (_incoming, response) => response.writeHead(202).end(),
    verify: async (one, more = {}) => {
      const challenge = randomBytes(12).toString('hex')
      const fields = { mode: one.mode, topic: one.topic, challenge, lease_seconds: String(one.leaseSeconds), ...more }
      return { challenge, ...(await send(withQuery(one.callback, fields), 'GET')) }
    },
    deny: (one, reason) => send(withQuery(one.callback, { mode: 'denied', topic: one.topic, reason }), 'GET'),
    push: (one, body, more = {}) => {
      const method = more.method ?? 'sha256'
      const signature = more.signature ?? `${method}=${createHmac(method, one.secret).update(body).digest('hex')}`
      const headers = { 'content-type': 'application/rss+xml', link: `<${one.topic}>; rel="self"` }
      return send(one.callback, 'POST', signature ? { ...headers, 'x-hub-signature': signature } : headers, body)
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
  return hub
}
