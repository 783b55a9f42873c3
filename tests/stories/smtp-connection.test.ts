// One connection against a server that answers before it has read: what is still to be written must stay what it was.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { it } from 'node:test'
import { SmtpConnection } from '../../src/delivery/smtp-connection.ts'

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
  const letter = (sign: string) => [Buffer.alloc(size, sign), Buffer.from('\r\n')]
  const first = await connection.send('news@a.example', 'ada@b.example', letter('a'))
  assert.equal(first.reply?.code, 552)
  await connection.send('news@a.example', 'ada@b.example', letter('b'))
  await new Promise((resolve) => setTimeout(resolve, 500))
  connection.close('over')
  server.close()
  const all = Buffer.concat(wire)
  const start = all.indexOf('a'.repeat(100))
  let end = start
  while (all[end] === 0x61) end++
  assert.equal(end - start, size, 'the first mail came as it was')
})
