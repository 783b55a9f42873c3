// An SMTP server for tests that remembers what it accepted, and misbehaves on request. What it has is the truth: a mail is
// captured at the moment it was taken, whatever became of the answer.

import { once } from 'node:events'
import net from 'node:net'
import type { Relay } from '../../src/base/config.ts'

export interface Captured {
  from: string
  to: string
  /** The message as received, dots unstuffed. */
  message: string
}

export type Step = 'connect' | 'ehlo' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot'

/** What to do instead of the usual: a reply line, or to hang up. `stored` matters at the dot: hang up having taken the mail. */
export type Fault = { reply: string } | { hangUp: true; stored?: boolean } | { silent: true; stored?: boolean }

export interface CaptureServer {
  relay: Relay
  captured: Captured[]
  connections: number
  /** Commands seen per verb. */
  seen: Map<string, number>
  /** Asked at each step; undefined: behave. */
  fault: (step: Step, mail: { from: string; to: string }) => Fault | undefined
  /** Called when a mail has been captured, before it is answered. */
  onMail: (mail: Captured) => void | Promise<void>
  close(): Promise<void>
}

export async function startCaptureServer(
  options: { pipelining?: boolean; port?: number } = {},
): Promise<CaptureServer> {
  const sockets = new Set<net.Socket>()
  const listener = net.createServer((socket) => {
    server.connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    talk(socket, server, options.pipelining ?? true)
  })
  listener.listen(options.port ?? 0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as net.AddressInfo
  const server: CaptureServer = {
    relay: {
      name: `127.0.0.1:${port}`,
      host: '127.0.0.1',
      port,
      implicitTls: false,
      tls: 'never',
      user: null,
      password: null,
      weight: 1,
    },
    captured: [],
    connections: 0,
    seen: new Map(),
    fault: () => undefined,
    onMail: () => {},
    close: async () => {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
  return server
}

function talk(socket: net.Socket, server: CaptureServer, pipelining: boolean): void {
  let input = ''
  let mail = { from: '', to: '' }
  let isInData = false
  let isSilent = false
  /** True: the fault has answered. */
  const failed = (step: Step): boolean => {
    const fault = server.fault(step, mail)
    if (!fault) return false
    if ('reply' in fault) {
      socket.write(`${fault.reply}\r\n`)
      if (fault.reply.startsWith('421')) socket.end()
    } else if ('silent' in fault) isSilent = true
    else socket.destroy()
    return true
  }
  const capture = (message: string): Captured => {
    const captured = { ...mail, message: message.replace(/(^|\r\n)\.\./g, '$1.') }
    server.captured.push(captured)
    return captured
  }
  if (!failed('connect')) socket.write('220 capture ESMTP\r\n')
  socket.on('data', (chunk) => {
    input += chunk.toString('latin1')
    while (!isSilent && !socket.destroyed) {
      if (isInData) {
        const body = server.fault('body', mail)
        if (body && failed('body')) return
        const end = input.startsWith('.\r\n') ? 0 : input.indexOf('\r\n.\r\n')
        if (end < 0) return
        const message = input.startsWith('.\r\n') ? '' : input.slice(0, end + 2)
        input = input.slice(message ? end + 5 : 3)
        isInData = false
        const fault = server.fault('dot', mail)
        if (fault && 'stored' in fault && fault.stored) capture(message)
        if (fault) {
          if ('reply' in fault) {
            socket.write(`${fault.reply}\r\n`)
            if (fault.reply.startsWith('421')) socket.end()
          } else if ('silent' in fault) isSilent = true
          else socket.destroy()
          continue
        }
        void Promise.resolve(server.onMail(capture(message))).then(() => socket.write('250 2.0.0 Ok: taken\r\n'))
        continue
      }
      const end = input.indexOf('\r\n')
      if (end < 0) return
      const line = input.slice(0, end)
      input = input.slice(end + 2)
      const verb = line.slice(0, 4).toUpperCase()
      server.seen.set(verb, (server.seen.get(verb) ?? 0) + 1)
      if (verb === 'EHLO') {
        if (!failed('ehlo'))
          socket.write(pipelining ? '250-capture\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n' : '250 capture\r\n')
      } else if (verb === 'MAIL') {
        mail = { from: /<(.*?)>/.exec(line)?.[1] ?? '', to: '' }
        if (!failed('mail')) socket.write('250 2.1.0 Ok\r\n')
      } else if (verb === 'RCPT') {
        mail.to = /<(.*?)>/.exec(line)?.[1] ?? ''
        if (failed('rcpt')) mail.to = ''
        else socket.write('250 2.1.5 Ok\r\n')
      } else if (verb === 'DATA') {
        if (!mail.to) socket.write('554 5.5.1 no valid recipients\r\n')
        else if (!failed('data')) {
          socket.write('354 go on\r\n')
          isInData = true
        }
      } else if (verb === 'QUIT') socket.end('221 bye\r\n')
      else socket.write('250 2.0.0 Ok\r\n')
    }
  })
}
