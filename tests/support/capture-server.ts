// An SMTP server for tests that remembers what it accepted, and misbehaves on request. What it has is the truth: a mail is
// captured at the moment it was taken, whatever became of the answer.

import type net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Relay } from '../../src/base/relay.ts'
import { type Keep, openStore } from './capture-store.ts'
import { listenForSmtp } from './smtp-listener.ts'

export interface Captured {
  from: string
  to: string
  /** The message as received, dots unstuffed. */
  message: string
}

export type Step = 'connect' | 'ehlo' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot'

/** What to do instead of the usual: a reply line, or to hang up. `stored` matters at the dot: hang up having taken the mail. */
export type Fault =
  | { reply: string; stored?: boolean; hangUp?: boolean }
  | { hangUp: true; stored?: boolean }
  | { silent: true; stored?: boolean }
  /** Does what is usual, but late. */
  | { delayMs: number }
  /** Takes the mail, and forgets what came behind its dot. */
  | { discards: true }

export interface CaptureServer {
  relay: Relay
  captured: Captured[]
  connections: number
  /** Commands seen per verb. */
  seen: Map<string, number>
  /** The names that clients gave with EHLO and HELO. */
  names: string[]
  /** Asked at each step; undefined: behave. `isAnnounced`: the command came before the last dot was answered; at a dot: something
   * has come behind it. */
  fault: (step: Step, mail: { from: string; to: string }, isAnnounced: boolean) => Fault | undefined
  /** Called when a mail has been captured, before it is answered. */
  onMail: (mail: Captured) => void | Promise<void>
  /** How long a dot is looked at, so that what was written right behind it has come. */
  dotMs: number
  /** A line that nobody asked for, on every connection. */
  say(line: string): void
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
  const store = options.store === undefined ? null : await openStore(options.store)
  const listener = await listenForSmtp((socket) => {
    server.connections++
    talk(socket, server, store?.keep ?? (async () => {}), options.pipelining ?? true)
  }, options.port)
  const server: CaptureServer = {
    relay: listener.relay,
    captured: [],
    connections: 0,
    seen: new Map(),
    names: [],
    fault: () => undefined,
    onMail: () => {},
    dotMs: 0,
    say: (line) => {
      for (const socket of listener.sockets) socket.write(`${line}\r\n`)
    },
    close: async () => {
      await listener.close()
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
  /** Commands that had come when the last dot was answered. */
  let announced = 0

  /** True: the fault has answered. */
  const failed = async (step: Step, isAnnounced = false): Promise<boolean> => {
    const fault = server.fault(step, mail, isAnnounced)
    if (!fault) return false
    if ('discards' in fault) {
      input = ''
      return false
    }
    if ('delayMs' in fault) {
      await sleep(fault.delayMs)
      return socket.destroyed
    }
    if ('stored' in fault && fault.stored && step === 'dot') await capture(takeMessage())
    if ('reply' in fault) {
      socket.write(`${fault.reply}\r\n`)
      if (fault.hangUp) socket.destroy()
      else if (fault.reply.startsWith('421')) socket.end()
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
    if (await failed('body')) return false
    const end = input.startsWith('.\r\n') ? 0 : input.indexOf('\r\n.\r\n')
    if (end < 0) return false
    message = input.startsWith('.\r\n') ? '' : input.slice(0, end + 2)
    input = input.slice(message ? end + 5 : 3)
    isInData = false
    if (server.dotMs) await sleep(server.dotMs)
    if (await failed('dot', input !== '')) return true
    await server.onMail(await capture(takeMessage()))
    announced = input.split('\r\n').length - 1
    socket.write('250 2.0.0 Ok: taken\r\n')
    return true
  }
  const obey = async (line: string): Promise<void> => {
    const isAnnounced = announced > 0
    if (isAnnounced) announced--
    const verb = line.slice(0, 4).toUpperCase()
    server.seen.set(verb, (server.seen.get(verb) ?? 0) + 1)
    if (verb === 'EHLO' || verb === 'HELO') server.names.push(line.slice(5))
    if (verb === 'EHLO' || verb === 'HELO') {
      const offers = pipelining && verb === 'EHLO' ? '250-capture\r\n250-PIPELINING\r\n250 SIZE 1000000' : '250 capture'
      if (!(await failed('ehlo'))) socket.write(`${offers}\r\n`)
    } else if (verb === 'MAIL') {
      mail = { from: /<(.*?)>/.exec(line)?.[1] ?? '', to: '' }
      if (!(await failed('mail', isAnnounced))) socket.write('250 2.1.0 Ok\r\n')
    } else if (verb === 'RCPT') {
      mail.to = /<(.*?)>/.exec(line)?.[1] ?? ''
      if (await failed('rcpt', isAnnounced)) mail.to = ''
      else socket.write('250 2.1.5 Ok\r\n')
    } else if (verb === 'DATA') {
      if (!mail.to) socket.write('554 5.5.1 no valid recipients\r\n')
      else if (!(await failed('data', isAnnounced))) {
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

export function messageIdOf(message: string): string {
  return /^Message-ID: (.*)$/m.exec(message)?.[1]?.trim() ?? ''
}
