// What every SMTP server of the tests begins with: a port on loopback, its connections, and a relay that points there.

import { once } from 'node:events'
import net from 'node:net'
import type { Relay } from '../../src/base/relay.ts'

export interface SmtpListener {
  port: number
  /** In clear, without a password. */
  relay: Relay
  /** Open connections. Those that `track` was given are closed with it, too. */
  sockets: ReadonlySet<net.Socket>
  track(socket: net.Socket): void
  close(): Promise<void>
}

export async function listenForSmtp(talk: (socket: net.Socket) => void, port = 0): Promise<SmtpListener> {
  const sockets = new Set<net.Socket>()
  const track = (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const server = net.createServer((socket) => {
    track(socket)
    talk(socket)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const taken = (server.address() as net.AddressInfo).port
  const plain = { implicitTls: false, tls: 'never', user: null, password: null, weight: 1 } as const
  return {
    port: taken,
    relay: { name: `127.0.0.1:${taken}`, host: '127.0.0.1', port: taken, ...plain },
    sockets,
    track,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
