// One connection, as nodemailer opens it and our loop speaks on it, against servers that keep to no rules.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { it } from 'node:test'
import { dialRelay } from '../../src/delivery/relay-dial.ts'
import { SmtpConnection } from '../../src/delivery/smtp-connection.ts'
import { envelope, letter, polite, quick, startScriptedRelay } from '../support/scripted-relay.ts'
import { waitFor } from '../support/wait-for.ts'

it('takes the socket from nodemailer with nothing of it left on it', async () => {
  using server = await startScriptedRelay(polite)
  const relay = { ...server.relay, user: 'news', password: 'secret' }
  const { socket, mechanism } = await dialRelay(relay, quick)
  const listeners = ['data', 'end', 'close', 'error', 'timeout', 'readable', 'drain'].map((event) =>
    socket.listenerCount(event),
  )
  assert.deepEqual([mechanism, socket.timeout ?? 0, listeners], ['plain', 0, [0, 0, 0, 0, 0, 0, 0]])
  socket.destroy()
  assert.deepEqual(server.lines.slice(0, 2), [
    'EHLO letters.paper.example',
    `AUTH PLAIN ${Buffer.from('\0news\0secret').toString('base64')}`,
  ])
})

it('asks EHLO once more in its own loop, and reads the relay’s abilities from that answer', async () => {
  using server = await startScriptedRelay(polite)
  const connection = await SmtpConnection.open(server.relay, quick)
  const { sizeLimit, extensions, tls, mechanism } = connection.facts
  assert.deepEqual([sizeLimit, extensions, tls, mechanism], [1_000_000, ['PIPELINING', 'AUTH', 'SIZE'], null, null])
  assert.equal((await connection.send(envelope, letter)).isAccepted, true)
  connection.close('over')
  assert.equal(server.lines.filter((line) => line === 'EHLO letters.paper.example').length, 2)
})

it('ends when the relay says what nobody asked for, at whatever moment it comes', async () => {
  // Behind the answer to the sign-in, where nodemailer still listens.
  using early = await startScriptedRelay((line) =>
    line.startsWith('AUTH') ? '235 welcome\r\n250 and more' : polite(line),
  )
  await assert.rejects(
    SmtpConnection.open({ ...early.relay, user: 'news', password: 'secret' }, quick),
    /nobody asked for: 250 and more/,
  )
  // While the connection is idle.
  const sockets: net.Socket[] = []
  using idle = await startScriptedRelay((line, socket) => {
    sockets.push(socket)
    return polite(line)
  })
  const connection = await SmtpConnection.open(idle.relay, quick)
  sockets.at(-1)!.write('421 4.3.2 going down\r\n')
  await waitFor(() => !connection.isOpen)
  const outcome = await connection.send(envelope, letter)
  assert.deepEqual([outcome.isAccepted, outcome.isUntouched], [false, true])
  assert.match(outcome.cause!, /nobody asked for: 421 4\.3\.2 going down/)
})

it('a dot that is answered twice doesn’t shift the answers of the next mail', async () => {
  using server = await startScriptedRelay((line) => (line === '.' ? '250 taken\r\n250 taken' : polite(line)))
  const connection = await SmtpConnection.open(server.relay, quick)
  assert.equal((await connection.send(envelope, letter)).isAccepted, true)
  await waitFor(() => !connection.isOpen)
  const next = await connection.send(envelope, letter)
  assert.deepEqual([next.isAccepted, next.isUntouched], [false, true])

  // The second answer comes late, in front of those to the next envelope.
  let dots = 0
  using late = await startScriptedRelay((line) => {
    if (line === '.') dots++
    return line.startsWith('MAIL') && dots === 1 ? '250 taken\r\n250 ok' : polite(line)
  })
  const other = await SmtpConnection.open(late.relay, quick)
  assert.equal((await other.send(envelope, letter)).isAccepted, true)
  const shifted = await other.send(envelope, letter)
  assert.deepEqual([shifted.isAccepted, shifted.isUntouched, other.isOpen], [false, true, false])
  assert.equal(dots, 1)
})

it('names what couldn’t be signed in with, and quotes the relay', async () => {
  using server = await startScriptedRelay((line) =>
    line.startsWith('AUTH') ? '535 5.7.8 no such account' : polite(line),
  )
  const relay = { ...server.relay, user: 'news', password: 'secret' }
  await assert.rejects(SmtpConnection.open(relay, quick), /sign in "news" by PLAIN: 535 5\.7\.8 no such account/)
  await assert.rejects(
    SmtpConnection.open({ ...relay, auth: 'cram-md5' }, quick),
    /doesn't offer CRAM-MD5 for signing in; it offers PLAIN/,
  )
})

it('a mail that is refused before it was read through is not mixed with the next one', async () => {
  const size = 8_000_000
  const wire: Buffer[] = []
  const server = net.createServer((socket) => {
    let isBody = false
    socket.on('error', () => {})
    socket.write('220 early.example\r\n')
    socket.on('data', (chunk: Buffer) => {
      wire.push(chunk)
      if (chunk.includes('EHLO')) socket.write('250-early.example\r\n250 PIPELINING\r\n')
      else if (!isBody && chunk.includes('MAIL FROM') && !wire.some((part) => part.includes('aaaa'))) {
        isBody = true
        socket.write('250 ok\r\n250 ok\r\n354 go on\r\n')
      } else if (isBody) {
        isBody = false
        // Says yes to the next mail before it has read the rest of this one.
        socket.pause()
        socket.write('552 5.3.4 too big\r\n')
        setTimeout(() => socket.write('250 ok\r\n250 ok\r\n354 go on\r\n'), 100)
        setTimeout(() => socket.resume(), 300)
        setTimeout(() => socket.write('250 ok\r\n'), 600)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const relay = { name: 'early', host: '127.0.0.1', port, implicitTls: false, tls: 'never', user: null, password: null }
  const connection = await SmtpConnection.open({
    ...relay,
    tls: 'never',
    weight: 1,
    connections: null,
    ratePerSecond: null,
    warmUp: null,
  })
  const long = (sign: string) => [Buffer.alloc(size, sign), Buffer.from('\r\n')]
  const envelope = { from: 'news@a.example', to: 'ada@b.example', bytes: size + 2 }
  const first = await connection.send(envelope, long('a'))
  assert.equal(first.reply?.code, 552)
  await connection.send(envelope, long('b'))
  // The whole first mail, and the beginning of the second.
  await waitFor(() => wire.reduce((sum, part) => sum + part.length, 0) > size + 1000)
  connection.close('over')
  server.close()
  const all = Buffer.concat(wire)
  const start = all.indexOf('a'.repeat(100))
  let end = start
  while (all[end] === 0x61) end++
  assert.equal(end - start, size, 'the first mail came as it was')
})
