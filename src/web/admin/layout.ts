// The frame of every console page: the site's name, the navigation, the signed-in editor. Denser than the public pages, in the
// same design. Everything works without script.

import type { Request, Response } from 'express'
import { html, Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { editorOf } from './guard.ts'
import { sendHtml } from '../place.ts'
import { asset } from '../assets.ts'

export const sections = [
  ['overview', 'Overview', '/admin'],
  ['editions', 'Editions', '/admin/editions'],
  ['articles', 'Articles', '/admin/articles'],
  ['feeds', 'Feeds', '/admin/feeds'],
  ['categories', 'Categories', '/admin/categories'],
  ['site-texts', 'Site texts', '/admin/site-texts'],
  ['subscribers', 'Subscribers', '/admin/subscribers'],
  ['returned', 'Returned mail', '/admin/returned'],
  ['suppressions', 'Suppressions', '/admin/suppressions'],
  ['embed', 'Form for your site', '/admin/embed'],
  ['editors', 'Editors', '/admin/editors'],
  ['api-keys', 'API keys', '/admin/api-keys'],
  ['audit', 'Audit log', '/admin/audit'],
] as const
export type Section = (typeof sections)[number][0]

export interface ConsolePage {
  status?: number
  section: Section
  title: string
  body: Html
  /** The page before, above the title. */
  back?: readonly [label: string, href: string]
  /** Links and buttons next to the title. */
  actions?: Html
  /** One sentence about what was just done, or noticePart with it. */
  notice?: string | Html | undefined
  /** The address of live updates (live.ts). */
  live?: string
  scripts?: readonly string[]
}

export function sendConsole(request: Request, response: Response, web: WebContext, page: ConsolePage): void {
  response.status(page.status ?? 200)
  sendHtml(response, consolePage(web, page, editorOf(request).email))
}

function consolePage(web: WebContext, page: ConsolePage, email: string): Html {
  const link = ([section, label, href]: (typeof sections)[number]) =>
    html`<li><a href="${to(href)}" ${section === page.section && html`aria-current="page"`}>${label}</a></li>`
  const { notice, actions } = page
  return consoleFrame(
    web,
    page.live ? { ...page, scripts: [...(page.scripts ?? []), 'console.js'] } : page,
    html`<nav class="sections" aria-label="Console">
        <ul>
          ${sections.map(link)}
        </ul>
        <div class="who">
          <p>${email}</p>
          <form method="post" action="${to('/admin/sign-out')}"><button class="quiet">Sign out</button></form>
        </div>
      </nav>
      <main id="main" ${page.live && html`data-live="${to(page.live)}"`}>
        ${page.back && html`<p class="back"><a href="${to(page.back[1])}">← ${page.back[0]}</a></p>`}
        <div class="head">
          <h1>${page.title}</h1>
          ${actions && html`<div class="actions" data-part="actions">${actions}</div>`}
        </div>
        ${page.live && html`<p class="notice warn" data-stale hidden>Updates have stopped. Reload the page.</p>`}
        <div role="status" data-part="notice">${notice instanceof Html ? notice : noticePart(notice)}</div>
        ${page.body}
      </main>`,
  )
}

export const noticePart = (notice: string | null | undefined): Html =>
  html`${notice && html`<p class="notice">${notice}</p>`}`

/** Masthead and document around `body`; the sign-in pages have nothing else. */
export function consoleFrame(web: WebContext, page: Pick<ConsolePage, 'title' | 'scripts'>, body: Html): Html {
  const { site } = web.config
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title} – ${site.name} console</title>
        <link rel="icon" href="${asset('icon.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${asset('console.css')}" />
        ${page.scripts?.map((script) => html`<script src="${asset(script)}" defer></script>`)}
      </head>
      <body class="console">
        <a class="skip" href="#main">Skip to the content</a>
        <header class="masthead">
          <p class="name"><a href="${to('/admin')}">${site.name}</a></p>
          <p class="place">
            <span>Newsletter console</span>
            <span class="elsewhere"
              >${web.mailbox && html`<a href="${to('/mailbox')}">Mailbox</a>`}
              <a href="${to('/')}">Public page</a></span
            >
          </p>
        </header>
        ${body}
      </body>
    </html>`
}
