// A minimal SMTP sink for machines without Postfix's smtp-sink: takes everything, keeps nothing. Usage: node bench/sink.ts PORT

import net from 'node:net'

net
  .createServer((socket) => {
    socket.on('error', () => {})
    socket.write('220 sink ESMTP\r\n')
    let input = ''
    let isInData = false
    socket.on('data', (chunk) => {
      input += chunk.toString('latin1')
      let answer = ''
      for (;;) {
        const end = input.indexOf(isInData ? '\r\n.\r\n' : '\r\n')
        if (end < 0) {
          if (isInData) input = input.slice(-4)
          break
        }
        const line = input.slice(0, end)
        input = input.slice(end + (isInData ? 5 : 2))
        if (isInData) {
          isInData = false
          answer += '250 2.0.0 Ok\r\n'
        } else if (/^EHLO/i.test(line)) answer += '250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n'
        else if (/^DATA/i.test(line)) {
          isInData = true
          answer += '354 go on\r\n'
        } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n')
        else answer += '250 2.0.0 Ok\r\n'
      }
      if (answer) socket.write(answer)
    })
  })
  .listen(Number(process.argv[2]), '127.0.0.1')
