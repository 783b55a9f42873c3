// Structured logs (pino, one JSON object a line on stderr). At info and above no line holds an address, a token or a secret:
// log ids. The redaction below is the second lock, not the first.

import { pino, type Logger } from 'pino'

export type Log = Logger

export function createLog(level: string): Log {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: [
          'req.headers.authorization',
          'req.headers.cookie',
          '*.password',
          '*.secret',
          '*.token',
          '*.recipient',
          '*.email',
          'recipient',
          'email',
          'token',
        ],
        censor: '[redacted]',
      },
    },
    pino.destination({ dest: 2, sync: true }),
  )
}
