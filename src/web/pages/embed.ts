// The form for other sites: /embed is the form in a page that may be framed anywhere; /embed.js puts that frame where its
// <script> stands and keeps it as high as its content. The answer to the form opens in a tab of its own, on our address.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { RequestHandler } from 'express'
import { listCategories } from '../../articles/store.ts'
import { defaultAmong } from '../../subscribers/default-choice.ts'
import { html } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { signupForm, signupScripts } from './signup-form.ts'
import { sendHtml } from '../place.ts'
import { addressOf } from '../../base/addresses.ts'
import { asset, theme } from '../assets.ts'

export function showEmbed(web: WebContext): RequestHandler {
  const { site } = web.config
  return async (request, response) => {
    const categories = await listCategories(web.db)
    const usual = await defaultAmong(web.db, categories)
    const embeddedIn = (request.get('Referer') ?? '').slice(0, 400)
    const policy = String(response.get('Content-Security-Policy')).replace(/frame-ancestors [^;]+/, 'frame-ancestors *')
    response.removeHeader('X-Frame-Options')
    response.set({ 'Content-Security-Policy': policy, 'X-Robots-Tag': 'noindex' })
    sendHtml(
      response,
      html`<!doctype html>
        <html lang="en">
          <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <title>Subscribe to ${site.name}</title>
            <link rel="stylesheet" href="${asset('broadsheet.css')}" />
            <link rel="stylesheet" href="${theme(site)}" />
            ${signupScripts.map((script) => html`<script src="${asset(script)}" defer></script>`)}
            <script src="${asset('embedded.js')}" defer></script>
          </head>
          <body class="embedded">
            <main>
              <h1>${site.name}</h1>
              <p class="deck">${site.tagline}</p>
              ${signupForm(web.config, { categories, usual, typed: {}, embeddedIn })}
            </main>
          </body>
        </html>`,
    )
  }
}

export function sendEmbedScript(web: WebContext): RequestHandler {
  const source = readFileSync(path.join(import.meta.dirname, '../assets/embed.js'), 'utf8')
  const script = source.replace('PUBLIC_URL', JSON.stringify(addressOf(web.config, '')))
  return (_request, response) => {
    response.set({ 'Cross-Origin-Resource-Policy': 'cross-origin', 'Cache-Control': 'public, max-age=3600' })
    response.type('text/javascript').send(script)
  }
}
