// A small HTTP proxy that has the program below a path of its own, and elsewhere nothing: it strips the path or leaves it.

import { once } from 'node:events'
import { createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface PathProxy {
  port: number
  /** What was asked for outside the path, in order. */
  astray: string[]
  [Symbol.asyncDispose](): Promise<void>
}

/** `path` is like `/letters`. The Host header is passed on. */
export async function startPathProxy(how: { toPort: number; path: string; strips: boolean }): Promise<PathProxy> {
  const { toPort, path, strips } = how
  const astray: string[] = []
  const server = createServer((incoming, outgoing) => {
    const url = incoming.url!
    const rest = url.slice(path.length)
    if (!url.startsWith(path) || !/^(?:[/?]|$)/.test(rest)) {
      astray.push(`${incoming.method} ${url}`)
      outgoing.writeHead(404).end('nothing of the newsletter here\n')
      return
    }
    const stripped = rest.startsWith('/') ? rest : `/${rest}`
    const { method, headers } = incoming
    const asked = ask({ host: '127.0.0.1', port: toPort, method, headers, path: strips ? stripped : url }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    asked.on('error', () => outgoing.destroy())
    outgoing.on('close', () => asked.destroy())
    incoming.pipe(asked)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    astray,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
