// The development mailbox in the browser, below /mailbox: the list, and each mail as HTML, text, source and headers. A mail is
// shown in a frame without scripts and without an origin, so that it can't access a console in the same browser.

import path from 'node:path'
import express, { Router, type Response } from 'express'
import { Refusal } from '../base/errors.ts'
import type { Config } from '../base/config.ts'
import { html, type Html, type HtmlValue, to } from '../web/html.ts'
import { headOf, type Mailbox, type MailboxMessage, parseMail } from './mailbox.ts'
import { sendHtml } from '../web/place.ts'

const pageSize = 100
const views = ['html', 'text', 'headers', 'source'] as const
type View = (typeof views)[number]
const viewNames: Record<View, string> = { html: 'HTML', text: 'Text', headers: 'Headers', source: 'Source' }

/** Mounted at /mailbox. */
export function mailboxPages(config: Config, mailbox: Mailbox): Router {
  const router = Router({ caseSensitive: true })
  router.use((_request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex' })
    next()
  })
  router.use('/assets', express.static(path.join(import.meta.dirname, 'assets'), { index: false, fallthrough: false }))

  router.get('/', async (request, response) => {
    const before = typeof request.query['before'] === 'string' ? request.query['before'] : undefined
    const messages = await mailbox.list({ limit: pageSize + 1, ...(before ? { before } : {}) })
    sendHtml(response, mailboxFrame(config, 'Mailbox', listPage(messages, before)))
  })

  router.get('/messages.json', async (request, response) => {
    const limit = Number(request.query['limit'])
    response.json(await mailbox.list(Number.isInteger(limit) && limit > 0 ? { limit } : {}))
  })

  router.get('/messages/:id.eml', async (request, response) => {
    const { bytes } = await getMail(mailbox, request.params.id)
    response.set('Content-Type', 'message/rfc822').set('Content-Disposition', 'inline').send(bytes)
  })

  router.get('/messages/:id.html', async (request, response) => {
    const { bytes } = await getMail(mailbox, request.params.id)
    sendMailHtml(response, (await parseMail(bytes)).html ?? '')
  })

  router.get('/messages/:id', async (request, response) => {
    const { message, bytes } = await getMail(mailbox, request.params.id)
    const mail = await parseMail(bytes)
    const asked = views.find((view) => view === request.query['view'])
    const view = asked ?? (mail.html ? 'html' : 'text')
    const shown: Record<View, () => Html> = {
      html: () =>
        mail.html
          ? html`<iframe
              title="The mail as HTML"
              src="${to(`/mailbox/messages/${message.id}.html`)}"
              sandbox="allow-popups allow-popups-to-escape-sandbox"
            ></iframe>`
          : html`<p class="empty">This mail has no HTML part.</p>`,
      text: () =>
        mail.text ? html`<pre>${linked(mail.text)}</pre>` : html`<p class="empty">This mail has no text part.</p>`,
      headers: () => html`<pre>${headOf(bytes).toString('utf8').trimEnd()}</pre>`,
      source: () => html`<pre>${bytes.toString('utf8')}</pre>`,
    }
    sendHtml(
      response,
      mailboxFrame(config, message.subject || 'A mail', mailPage(message, view, shown[view](), bytes.length)),
    )
  })

  return router
}

async function getMail(mailbox: Mailbox, id: string) {
  const found = await mailbox.find(id)
  if (!found) throw new Refusal('not_found', 'This mail isn’t in the mailbox. It keeps the newest 5,000.')
  return found
}

/** Links open in a new tab: the frame allows no scripts and no cookies. */
export function sendMailHtml(response: Response, mail: string): void {
  const base = '<base target="_blank" />'
  const text = /<head[^>]*>/i.test(mail) ? mail.replace(/<head[^>]*>/i, (head) => head + base) : base + mail
  response.removeHeader('X-Frame-Options')
  response.set({
    'Content-Security-Policy':
      "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox",
    'Referrer-Policy': 'no-referrer',
  })
  response.type('html').send(text)
}

function listPage(messages: MailboxMessage[], before: string | undefined): Html {
  const shown = messages.slice(0, pageSize)
  return html`<h1>Mailbox</h1>
    <p class="deck">Every mail of this trial ends here, and goes nowhere else.</p>
    <div id="messages" data-newest="${shown[0]?.id ?? ''}" ${before ? html`` : html`data-live="${to('/mailbox')}"`}>
      ${
        shown.length === 0
          ? html`<p class="empty">
              No mail yet. <a href="${to('/')}">Sign up at the form</a>, and the confirmation arrives here.
            </p>`
          : html`<ol>
              ${shown.map(row)}
            </ol>`
      }
      ${messages.length > pageSize && html`<p><a href="${to(`/mailbox?before=${shown.at(-1)!.id}`)}">Older mails</a></p>`}
    </div>`
}

function row(message: MailboxMessage): Html {
  return html`<li>
    <a href="${to(`/mailbox/messages/${message.id}`)}">
      <span class="subject">${message.subject || '(no subject)'}</span>
      ${time(message.receivedAt)}
      <span class="people">to ${message.to}<span class="from"> from ${message.from}</span></span>
    </a>
  </li>`
}

function mailPage(message: MailboxMessage, view: View, shown: Html, bytes: number): Html {
  return html`<p class="back"><a href="${to('/mailbox')}">Mailbox</a></p>
    <h1>${message.subject || '(no subject)'}</h1>
    <p class="deck">From ${message.from} to ${message.to} · ${time(message.receivedAt)} · ${size(bytes)}</p>
    <nav class="views" aria-label="Ways to read this mail">
      ${views.map(
        (one) =>
          html`<a
            href="${to(`/mailbox/messages/${message.id}?view=${one}`)}"
            ${one === view ? html`aria-current="page"` : html``}
            >${viewNames[one]}</a
          > `,
      )}
      <a href="${to(`/mailbox/messages/${message.id}.eml`)}" download="${message.id}.eml">Download</a>
    </nav>
    <div class="mail">${shown}</div>`
}

/** In UTC without script; mailbox.js converts it to the local time. */
function time(at: string): Html {
  return html`<time datetime="${at}">${at.slice(0, 16).replace('T', ' ')} UTC</time>`
}

function size(bytes: number): string {
  return bytes < 10_000 ? `${bytes} bytes` : `${Math.round(bytes / 1000)} kB`
}

/** Web addresses as links, other text escaped. */
function linked(text: string): HtmlValue[] {
  return text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .map((part, index) => (index % 2 ? html`<a href="${part}" target="_blank" rel="noreferrer">${part}</a>` : part))
}

/** A page of the mailbox. */
export function mailboxFrame(config: Config, title: string, body: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} – development mailbox</title>
        <link rel="icon" href="${to('/mailbox/assets/whale.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${to('/mailbox/assets/mailbox.css')}" />
        <script src="${to('/mailbox/assets/mailbox.js')}" defer></script>
      </head>
      <body>
        <header>
          <p class="name"><a href="${to('/mailbox')}">Development mailbox</a></p>
          <nav>
            <a href="${to('/mailbox/preview')}">All mails</a>
            <a href="${to('/')}">${config.site.name}</a> <a href="${to('/admin')}">Console</a>
          </nav>
        </header>
        <main>${body}</main>
      </body>
    </html>`
}
