// A relay on loopback that answers each line as the test says, for one connection's dialogue.

import type net from 'node:net'
import type { Relay } from '../../src/base/relay.ts'
import { listenForSmtp } from './smtp-listener.ts'

/** Answers each line with what `answer` says; '' for nothing. The message counts as one line, `.`. */
export async function startScriptedRelay(answer: (line: string, socket: net.Socket) => string) {
  const lines: string[] = []
  const listener = await listenForSmtp((socket) => {
    let rest = ''
    let isBody = false
    socket.write('220 relay.example ESMTP\r\n')
    socket.on('data', (chunk: Buffer) => {
      rest += chunk.toString('latin1')
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 2)
        if (isBody && line !== '.') continue
        isBody = line === 'DATA'
        lines.push(line)
        const reply = answer(line, socket)
        if (reply && !socket.destroyed) socket.write(`${reply}\r\n`)
      }
    })
  })
  const relay: Relay = { ...listener.relay, ehloName: 'letters.paper.example' }
  return { relay, lines, [Symbol.dispose]: () => void listener.close() }
}

/** What a relay without faults answers. */
export const polite = (line: string) =>
  line.startsWith('EHLO')
    ? '250-relay.example\r\n250-PIPELINING\r\n250-AUTH PLAIN\r\n250 SIZE 1000000'
    : line === 'DATA'
      ? '354 go on'
      : line.startsWith('AUTH')
        ? '235 welcome'
        : '250 ok'
export const letter = [Buffer.from('Subject: hello\r\n\r\nhello\r\n')]
export const envelope = { from: 'news@a.example', to: 'ada@b.example', bytes: letter[0]!.length }
export const quick = { connectSeconds: 5, commandSeconds: 5, dotSeconds: 5 }
