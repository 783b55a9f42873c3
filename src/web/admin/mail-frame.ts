// A mail shown in the console, in a frame or a window of its own: its address allows nothing but styles and pictures.

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
