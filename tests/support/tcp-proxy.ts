// A TCP proxy before Postgres that can cut or freeze what goes through it, for tests of lost connections.

import { once } from 'node:events'
import net from 'node:net'

export interface TcpProxy {
  port: number
  /** Resets every connection, wherever it is. */
  cut(): void
  /** Holds all bytes back until `thaw`. */
  freeze(): void
  thaw(): void
  close(): Promise<void>
}

export async function startTcpProxy(toPort: number): Promise<TcpProxy> {
  const pairs = new Set<[net.Socket, net.Socket]>()
  let isFrozen = false
  const listener = net.createServer((client) => {
    const upstream = net.connect(toPort, '127.0.0.1')
    const pair: [net.Socket, net.Socket] = [client, upstream]
    pairs.add(pair)
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('error', () => {})
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
      from.on('data', (chunk) => {
        to.write(chunk)
      })
      if (isFrozen) from.pause()
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as net.AddressInfo).port,
    cut: () => {
      for (const [client, upstream] of pairs) {
        client.resetAndDestroy()
        upstream.resetAndDestroy()
      }
    },
    freeze: () => {
      isFrozen = true
      for (const sockets of pairs) for (const socket of sockets) socket.pause()
    },
    thaw: () => {
      isFrozen = false
      for (const sockets of pairs) for (const socket of sockets) socket.resume()
    },
    close: async () => {
      for (const sockets of pairs) for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}
