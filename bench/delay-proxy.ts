// A relay that is far away: a TCP proxy that holds each byte for MS milliseconds in either direction, then passes it on in order.
// It limits no throughput. Usage: node bench/delay-proxy.ts LISTEN-PORT TO-PORT MS

import net from 'node:net'

/** Held per direction of a connection, before its sender is told to wait. */
const mostBytesHeld = 16_000_000

const [port, toPort, delayMs] = process.argv.slice(2).map(Number) as [number, number, number]

net
  .createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = net.connect({ port: toPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    delay(client, upstream)
    delay(upstream, client)
  })
  .listen(port, '127.0.0.1')

/** Bytes, the end and a reset of `from` reach `to` after the delay. */
function delay(from: net.Socket, to: net.Socket): void {
  const held: { due: number; pass: () => void }[] = []
  let bytesHeld = 0
  let timer: NodeJS.Timeout | null = null
  const hold = (pass: () => void) => {
    held.push({ due: performance.now() + delayMs, pass })
    timer ??= setTimeout(passDue, delayMs)
  }
  const passDue = () => {
    while (held.length && held[0]!.due <= performance.now()) held.shift()!.pass()
    timer = held.length ? setTimeout(passDue, Math.max(1, Math.ceil(held[0]!.due - performance.now()))) : null
  }
  from.on('data', (chunk: Buffer) => {
    bytesHeld += chunk.length
    if (bytesHeld > mostBytesHeld) from.pause()
    const written = () => {
      bytesHeld -= chunk.length
      if (bytesHeld <= mostBytesHeld) from.resume()
    }
    hold(() => to.write(chunk, written))
  })
  from.on('end', () => hold(() => to.end()))
  from.on('error', () => hold(() => to.resetAndDestroy()))
}
