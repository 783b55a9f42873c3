// An SMTP server for tests that remembers what it accepted, and misbehaves on request. What it has is the truth: a mail is
// captured at the moment it was taken, whatever became of the answer.

import { once } from 'node:events'
import { open } from 'node:fs/promises'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Relay } from '../../src/base/relay.ts'

export interface Captured {
  from: string
  to: string
  /** The message as received, dots unstuffed. */
  message: string
}

export type Step = 'connect' | 'ehlo' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot'

/** What to do instead of the usual: a reply line, or to hang up. `stored` matters at the dot: hang up having taken the mail. */
export type Fault =
  | { reply: string }
  | { hangUp: true; stored?: boolean }
  | { silent: true; stored?: boolean }
  /** Does what is usual, but late. */
  | { delayMs: number }

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
  [Symbol.asyncDispose](): Promise<void>
}

export async function startCaptureServer(
  options: {
    pipelining?: boolean
    port?: number
    /** A file that gets a line per mail, synced before the mail is answered: {from, to, messageId}. */
    store?: string
  } = {},
): Promise<CaptureServer> {
  const sockets = new Set<net.Socket>()
  const store = options.store === undefined ? null : await openStore(options.store)
  const listener = net.createServer((socket) => {
    server.connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    talk(socket, server, store?.keep ?? (async () => {}), options.pipelining ?? true)
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
      await store?.close()
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
  return server
}

function talk(socket: net.Socket, server: CaptureServer, keep: Keep, pipelining: boolean): void {
  let input = ''
  let mail = { from: '', to: '' }
  let isInData = false
  let isSilent = false
  let isTalking = false

  /** True: the fault has answered. */
  const failed = async (step: Step): Promise<boolean> => {
    const fault = server.fault(step, mail)
    if (!fault) return false
    if ('delayMs' in fault) {
      await sleep(fault.delayMs)
      return socket.destroyed
    }
    if ('stored' in fault && fault.stored && step === 'dot') await capture(takeMessage())
    if ('reply' in fault) {
      socket.write(`${fault.reply}\r\n`)
      if (fault.reply.startsWith('421')) socket.end()
    } else if ('silent' in fault) isSilent = true
    else socket.destroy()
    return true
  }
  let message = ''
  const takeMessage = () => {
    const taken = message
    message = ''
    return taken
  }
  const capture = async (raw: string): Promise<Captured> => {
    const captured = { ...mail, message: raw.replace(/(^|\r\n)\.\./g, '$1.') }
    await keep(captured)
    server.captured.push(captured)
    return captured
  }
  /** False: the rest of it hasn't come yet. */
  const readMessage = async (): Promise<boolean> => {
    if (server.fault('body', mail) && (await failed('body'))) return false
    const end = input.startsWith('.\r\n') ? 0 : input.indexOf('\r\n.\r\n')
    if (end < 0) return false
    message = input.startsWith('.\r\n') ? '' : input.slice(0, end + 2)
    input = input.slice(message ? end + 5 : 3)
    isInData = false
    if (await failed('dot')) return true
    await server.onMail(await capture(takeMessage()))
    socket.write('250 2.0.0 Ok: taken\r\n')
    return true
  }
  const obey = async (line: string): Promise<void> => {
    const verb = line.slice(0, 4).toUpperCase()
    server.seen.set(verb, (server.seen.get(verb) ?? 0) + 1)
    if (verb === 'EHLO') {
      if (!(await failed('ehlo')))
        socket.write(pipelining ? '250-capture\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n' : '250 capture\r\n')
    } else if (verb === 'MAIL') {
      mail = { from: /<(.*?)>/.exec(line)?.[1] ?? '', to: '' }
      if (!(await failed('mail'))) socket.write('250 2.1.0 Ok\r\n')
    } else if (verb === 'RCPT') {
      mail.to = /<(.*?)>/.exec(line)?.[1] ?? ''
      if (await failed('rcpt')) mail.to = ''
      else socket.write('250 2.1.5 Ok\r\n')
    } else if (verb === 'DATA') {
      if (!mail.to) socket.write('554 5.5.1 no valid recipients\r\n')
      else if (!(await failed('data'))) {
        socket.write('354 go on\r\n')
        isInData = true
      }
    } else if (verb === 'QUIT') socket.end('221 bye\r\n')
    else socket.write('250 2.0.0 Ok\r\n')
  }
  const goOn = async (): Promise<void> => {
    if (isTalking) return
    isTalking = true
    const isOver = () => isSilent || socket.destroyed
    while (!isOver()) {
      if (isInData) {
        if (!(await readMessage())) break
        continue
      }
      const end = input.indexOf('\r\n')
      if (end < 0) break
      const line = input.slice(0, end)
      input = input.slice(end + 2)
      await obey(line)
    }
    isTalking = false
  }
  void failed('connect').then((hasFailed) => {
    if (!hasFailed) socket.write('220 capture ESMTP\r\n')
  })
  socket.on('data', (chunk) => {
    input += chunk.toString('latin1')
    void goOn()
  })
}

type Keep = (mail: Captured) => Promise<void>

/** One line a mail, on the disk before the mail is answered; mails that come together share an fsync. */
async function openStore(file: string): Promise<{ keep: Keep; close(): Promise<void> }> {
  const handle = await open(file, 'a')
  let pending = ''
  let writing: Promise<void> | null = null
  let next: Promise<void> | null = null
  const write = async (): Promise<void> => {
    const lines = pending
    pending = ''
    await handle.write(lines)
    await handle.datasync()
  }
  return {
    keep: ({ from, to, message }) => {
      pending += `${JSON.stringify({ from, to, messageId: messageIdOf(message) })}\n`
      // Whoever comes while a write is under way waits for the next one.
      next ??= (writing ?? Promise.resolve()).then(() => {
        next = null
        writing = write()
        return writing
      })
      return next
    },
    close: async () => {
      await (next ?? writing)
      await handle.close()
    },
  }
}

export function messageIdOf(message: string): string {
  return /^Message-ID: (.*)$/m.exec(message)?.[1]?.trim() ?? ''
}
