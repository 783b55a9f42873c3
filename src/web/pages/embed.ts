// The sign-up form on other sites, in three ways: a script that puts it into the page, in the page's own font and colours; a frame;
// and plain HTML. The script answers in place, if EMBED_ORIGINS names the site; otherwise, and without script, the answer opens in a
// tab of its own, on our address. The language is that of the page around it.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { RequestHandler, Response } from 'express'
import { categoriesIn } from '../../articles/category-names.ts'
import { listCategories } from '../../articles/store.ts'
import { addressOf } from '../../base/addresses.ts'
import { directionOf } from '../../base/direction.ts'
import { Refusal } from '../../base/errors.ts'
import { languagesOf, messagesFor, type Say } from '../../messages/messages.ts'
import { asset, theme } from '../assets.ts'
import { html, type Html, trusted } from '../html.ts'
import { sayFor, setLanguage, withLanguage } from '../language.ts'
import { sendHtml } from '../place.ts'
import { siteTextsOf } from '../site-texts.ts'
import type { WebContext } from '../web-context.ts'
import { defaultAmong } from '../../subscribers/default-choice.ts'
import { signupForm, signupScripts } from './signup-form.ts'
import { type SnippetKind, snippets } from './snippets.ts'

const folder = path.join(import.meta.dirname, '../assets')

/** GET /embed: the form in a page that any site may frame. */
export function showEmbed(web: WebContext): RequestHandler {
  const { site } = web.config
  return async (request, response) => {
    const say = sayFor(web.config, request)
    const { categories, usual } = await formOf(web, say)
    const { tagline, optInStatement: statement } = siteTextsOf(web.config, request, say)
    const embeddedIn = (request.get('Referer') ?? '').slice(0, 400)
    allowFrames(response)
    setLanguage(response, say)
    sendHtml(
      response,
      html`<!doctype html>
        <html lang="${say.locale}" dir="${say.dir}">
          <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <title>${say('embed.title', { site: site.name })}</title>
            <link rel="stylesheet" href="${asset('broadsheet.css')}" />
            <link rel="stylesheet" href="${theme(site)}" />
            ${signupScripts.map((script) => html`<script src="${asset(script)}" defer></script>`)}
            <script src="${asset('embedded.js')}" defer></script>
          </head>
          <body class="embedded">
            <main>
              <h1 dir="${directionOf(site.name, say.dir)}">${site.name}</h1>
              <p class="deck" lang="${tagline.language}" dir="${directionOf(tagline.text, say.dir)}">${tagline.text}</p>
              ${signupForm(say, web.config, { categories, usual, statement, typed: {}, embeddedIn })}
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
    .replace('EMBED_WORDS', JSON.stringify(wordsOfScript(web)))
    .replace(
      'EMBED_ORIGINS',
      JSON.stringify([...web.config.site.embedOrigins, new URL(web.config.web.publicUrl).origin]),
    )
  return (_request, response) => {
    forOtherSites(response)
    response.type('text/javascript').send(script)
  }
}

/** What the script says itself, by language; `""`: in any other. */
function wordsOfScript({ config }: WebContext): Record<string, { frame: string; failed: string }> {
  const words = (say: Say) => ({ frame: say('embed.frame'), failed: say('embed.failed') })
  return Object.fromEntries([
    ['', words(messagesFor(config, null))],
    ...languagesOf(config).map((language) => [language.toLowerCase(), words(messagesFor(config, language))]),
  ])
}

/** GET /embed/form: the form alone, for the script. Its links have their whole address, and lead to pages in its language. */
export function sendEmbedForm(web: WebContext): RequestHandler {
  return async (request, response) => {
    const say = sayFor(web.config, request)
    const { optInStatement: statement } = siteTextsOf(web.config, request, say)
    const form = signupForm(say, web.config, { ...(await formOf(web, say)), statement, typed: {}, embeddedIn: '' })
    const inLanguage = html`<div lang="${say.locale}" dir="${say.dir}">${form}</div>`
    forOtherSites(response)
    setLanguage(response, say)
    const links = (route: string) => addressOf(web.config, withLanguage(route, say.language))
    response.type('html').send(inLanguage.text(links))
  }
}

async function formOf({ db }: WebContext, say: Say) {
  const categories = categoriesIn(await listCategories(db), say.locale)
  return { categories, usual: await defaultAmong(db, categories) }
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
/* The form takes font and colours of the page around it, and nothing else that the page sets on everything. */
:host > * {
  letter-spacing: normal;
  line-height: 1.5;
  text-align: start;
  text-indent: 0;
  text-transform: none;
  visibility: visible;
  white-space: normal;
  word-spacing: normal;
}
/* Readable on any background. */
:host :is(a, .change) {
  color: var(--broadsheet-accent, currentColor);
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
