// Mails that come back, written in the shape of each server that sends them.

export const ownMail = [
  'Return-Path: <b-3f-abcdefghijklmnopqrst@bounces.paper.example>',
  'Received: from worker.paper.example by relay.paper.example; Thu, 9 May 2024 23:34:45 +0000',
  'From: The Paper <news@paper.example>',
  'To: ada@a.example',
  'Message-ID: <2@paper.example>',
  'List-Unsubscribe: <https://paper.example/unsubscribe?token=7.0.abcdefghijklmnopqrstuv>',
  'Subject: Politics, and two more',
  '',
  'Politics',
].join('\n')

export interface Bounce {
  from?: string
  subject?: string
  headers?: readonly string[]
  body: string
}

export function bounce({
  from = 'MAILER-DAEMON@mx.example',
  subject = 'Undelivered Mail',
  headers = [],
  body,
}: Bounce): string {
  return [
    `From: ${from}`,
    'To: b-3f-abcdefghijklmnopqrst@bounces.paper.example',
    `Subject: ${subject}`,
    'Message-ID: <1@mx.example>',
    ...headers,
    '',
    body,
    '',
  ].join('\n')
}

/** RFC 3464: words, fields, and the mail that is returned. */
export function report(words: string, fields: string, more: Partial<Bounce> = {}): string {
  const type = 'multipart/report; report-type=delivery-status; boundary="=_1"'
  return bounce({
    ...more,
    headers: ['MIME-Version: 1.0', `Content-Type: ${type}`, ...(more.headers ?? [])],
    body: [
      '--=_1',
      'Content-Type: text/plain',
      '',
      words,
      '--=_1',
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mx.example',
      '',
      fields,
      '--=_1',
      'Content-Type: message/rfc822',
      '',
      ownMail,
      '--=_1--',
    ].join('\n'),
  })
}
