// Structured logs (pino, one JSON object per line on stderr). At level info and above, no line contains an address, a token or a
// secret: log ids. The redaction below is only a second safeguard.

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
