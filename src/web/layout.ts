// The frame of every public page: masthead with the site's name and the date, one column, footer. The Content-Security-Policy
// forbids inline script and style, so the site's colours come from /theme.css.

import type { Request, Response } from 'express'
import { systemClock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { copyrightLine, siteLinks } from '../base/site-links.ts'
import type { Say } from '../messages/messages.ts'
import { siteLinkWords } from '../messages/words.ts'
import { html, type Html, safeUrl, to } from './html.ts'
import { directionOf, isolate } from '../base/direction.ts'
import { askedLanguage, languageSwitch, sayFor, setLanguage } from './language.ts'
import { publicHead, type PublicFace } from './page-head.ts'
import { sendHtml } from './place.ts'
import { asset, theme } from './assets.ts'
import { siteTextsOf } from './site-texts.ts'

export interface Page {
  status?: number
  /** The language of the whole page; default: as sayFor chooses. */
  say?: Say
  /** A path that shows this page by GET, for the switch of languages; default: the path of a GET request, else the front page. */
  here?: string
  title: string
  body: Html
  /** false: noindex, no-store, no-referrer, as on every page that a token opens. */
  isIndexed?: boolean
  /** The class of <body>: `front`, `quiet`, … */
  kind?: string
  scripts?: readonly string[]
  /** In the masthead, below the name. */
  dateLine?: string
  /** Of pages that can be found and shared. */
  face?: PublicFace
}

export function sendPage(response: Response, config: Config, page: Page): void {
  if (page.isIndexed === false)
    response.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', 'X-Robots-Tag': 'noindex' })
  const { req: request } = response
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const say = page.say ?? sayFor(config, request)
  setLanguage(response, say)
  const here = page.here ?? (!isRead ? '/' : request.baseUrl + request.url)
  sendHtml(response.status(page.status ?? 200), publicPage(config, page, say, request, here))
}

function publicPage(config: Config, page: Page, say: Say, request: Request, here: string): Html {
  const { site } = config
  const { disclaimer } = siteTextsOf(config, request, say)
  const asked = askedLanguage(config, request)
  const name = site.logoUrl ? html`<img src="${site.logoUrl}" alt="${site.name}" />` : site.name
  return html`<!doctype html>
    <html lang="${say.locale}" dir="${say.dir}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title === site.name ? site.name : `${page.title} – ${site.name}`}</title>
        ${page.face && publicHead(config, page.title, page.face, { say, asked })}
        <link rel="icon" href="${to('/favicon.ico')}" sizes="32x32" />
        <link rel="icon" href="${asset('icon.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${asset('broadsheet.css')}" />
        <link rel="stylesheet" href="${theme(site)}" />
        ${page.scripts?.map((script) => html`<script src="${asset(script)}" defer></script>`)}
      </head>
      <body class="${page.kind ?? 'page'}">
        <a class="skip" href="#main">${say('common.skip')}</a>
        <header class="masthead">
          <p class="masthead-name"><a href="${to('/')}">${name}</a></p>
          ${page.dateLine && html`<p class="masthead-date">${page.dateLine}</p>`}
        </header>
        <main id="main">${page.body}</main>
        <footer class="colophon">
          <nav aria-label="${say('common.aboutThisSite')}">
            <p>
              <a href="${site.url}">${site.name}</a> · <a href="${to('/archive')}">${say('common.archive')}</a>
              ${siteLinks(config).map(({ key, url }) => html` · <a href="${safeUrl(url)}">${say(siteLinkWords[key])}</a>`)}
            </p>
          </nav>
          ${languageSwitch(config, say, here)}
          ${
            disclaimer.text &&
            html`<p lang="${disclaimer.language}" dir="${directionOf(disclaimer.text, say.dir)}">${disclaimer.text}</p>`
          }
          <p>${isolate(copyrightLine(config, systemClock.now()), say.dir)} · ${isolate(site.postalAddress, say.dir)}</p>
        </footer>
      </body>
    </html>`
}
