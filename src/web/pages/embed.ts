// The sign-up form on other sites, in three ways: a script that puts it into the page, in the page's own font and colours; a frame;
// and plain HTML. The script answers in place, if EMBED_ORIGINS names the site; otherwise, and without script, the answer opens in a
// tab of its own, on our address.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { RequestHandler, Response } from 'express'
import { listCategories } from '../../articles/store.ts'
import { addressOf } from '../../base/addresses.ts'
import { Refusal } from '../../base/errors.ts'
import { asset, theme } from '../assets.ts'
import { html, type Html, trusted } from '../html.ts'
import { sendHtml } from '../place.ts'
import type { WebContext } from '../web-context.ts'
import { defaultAmong } from '../../subscribers/default-choice.ts'
import { signupForm, signupScripts } from './signup-form.ts'
import { type SnippetKind, snippets } from './snippets.ts'

const folder = path.join(import.meta.dirname, '../assets')

/** GET /embed: the form in a page that any site may frame. */
export function showEmbed(web: WebContext): RequestHandler {
  const { site } = web.config
  return async (request, response) => {
    const categories = await listCategories(web.db)
    const usual = await defaultAmong(web.db, categories)
    const embeddedIn = (request.get('Referer') ?? '').slice(0, 400)
    allowFrames(response)
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

/** GET /embed.js */
export function sendEmbedScript(web: WebContext): RequestHandler {
  const script = readFileSync(path.join(folder, 'embed.js'), 'utf8')
    .replace('PUBLIC_URL', JSON.stringify(addressOf(web.config, '')))
    .replace(
      'EMBED_ORIGINS',
      JSON.stringify([...web.config.site.embedOrigins, new URL(web.config.web.publicUrl).origin]),
    )
  return (_request, response) => {
    forOtherSites(response)
    response.type('text/javascript').send(script)
  }
}

/** GET /embed/form: the form alone, for the script. Its links have their whole address. */
export function sendEmbedForm(web: WebContext): RequestHandler {
  return async (_request, response) => {
    const categories = await listCategories(web.db)
    const usual = await defaultAmong(web.db, categories)
    const form = signupForm(web.config, { categories, usual, typed: {}, embeddedIn: '' })
    forOtherSites(response)
    response.type('html').send(form.text((route) => addressOf(web.config, route)))
  }
}

/** GET /embed/form.css: the pages' style sheet, for the inside of a shadow root. Font, ink and accent are the page's around it. */
export function sendEmbedStyle(web: WebContext): RequestHandler {
  const { accent } = web.config.site.light
  const own = `
:host {
  --ink: var(--broadsheet-ink, currentColor);
  --paper: var(--broadsheet-paper, transparent);
  --accent: var(--broadsheet-accent, ${accent});
  --on-accent: var(--broadsheet-on-accent, #fff);
  --soft: color-mix(in srgb, currentColor 75%, transparent);
  --hair: color-mix(in srgb, currentColor 20%, transparent);
  --edge: color-mix(in srgb, currentColor 60%, transparent);
  --bad: currentColor;
  --serif: var(--broadsheet-font, inherit);
  --sans: var(--broadsheet-font, inherit);
  display: block;
  color: var(--broadsheet-ink, inherit);
  color-scheme: inherit;
  font: inherit;
  font-family: var(--broadsheet-font, inherit);
}
`
  const style = readFileSync(path.join(folder, 'broadsheet.css'), 'utf8').replaceAll(':root', ':host') + own
  return (_request, response) => {
    forOtherSites(response)
    response.type('css').send(style)
  }
}

/** GET /embed/example/:kind: a page of another site with one of the snippets in it, for the console. */
export function showExample(web: WebContext): RequestHandler {
  return (request, response) => {
    const kind = String(request.params['kind'])
    if (!['script', 'frame', 'html'].includes(kind)) throw new Refusal('not_found', 'There is no such example.')
    allowFrames(response)
    sendHtml(response, examplePage(web, kind as SnippetKind))
  }
}

function examplePage(web: WebContext, kind: SnippetKind): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>An example page</title>
        <link rel="stylesheet" href="${asset('example.css')}" />
      </head>
      <body>
        <main>
          <h1>A page of your site</h1>
          <p>The form below takes this page’s font and colours where it can.</p>
          ${trusted(snippets(web.config)[kind])}
          <p>The page goes on here.</p>
        </main>
      </body>
    </html>`
}

function allowFrames(response: Response): void {
  const policy = String(response.get('Content-Security-Policy')).replace(/frame-ancestors [^;]+/, 'frame-ancestors *')
  response.removeHeader('X-Frame-Options')
  response.set({ 'Content-Security-Policy': policy, 'X-Robots-Tag': 'noindex' })
}

/** The same for everybody, and open to every site. */
function forOtherSites(response: Response): void {
  response.set({
    'Access-Control-Allow-Origin': '*',
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Cache-Control': 'public, max-age=3600',
  })
}
