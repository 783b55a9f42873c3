// A mail in a frame or window of its own: its address allows only styles and pictures.

import type { Response } from 'express'

export function sendMailHtml(response: Response, mail: string): void {
  response.set({
    'Content-Security-Policy':
      "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
    'X-Frame-Options': 'SAMEORIGIN',
    'Referrer-Policy': 'no-referrer',
  })
  response.type('html').send(mail)
}
