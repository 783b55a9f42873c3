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
  /** The next time that those bytes go up, their connection breaks: before they have arrived, or when the answer comes. */
  cutAt(bytes: string, when: 'before' | 'answer'): void
  close(): Promise<void>
}

export async function startTcpProxy(toPort: number): Promise<TcpProxy> {
  const pairs = new Set<[net.Socket, net.Socket]>()
  let isFrozen = false
  let trap: { bytes: string; when: 'before' | 'answer' } | null = null
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
      from.on('data', (chunk: Buffer) => {
        if (from === client && trap && chunk.includes(trap.bytes, 0, 'latin1')) {
          const { when } = trap
          trap = null
          if (when === 'before') return breakPair(pair)
          upstream.prependOnceListener('data', () => breakPair(pair))
        }
        if (!to.destroyed) to.write(chunk)
      })
      if (isFrozen) from.pause()
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as net.AddressInfo).port,
    cut: () => {
      for (const pair of pairs) breakPair(pair)
    },
    cutAt: (bytes, when) => {
      trap = { bytes, when }
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

function breakPair(pair: [net.Socket, net.Socket]): void {
  for (const socket of pair) socket.resetAndDestroy()
}
