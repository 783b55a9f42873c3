// What search engines and browsers ask for by themselves: /robots.txt, /sitemap.xml, /favicon.ico.

import path from 'node:path'
import type { RequestHandler } from 'express'
import { addressOf, isConsoleApart } from '../../base/addresses.ts'
import { escapeHtml } from '../../base/escape-html.ts'
import { siteLinks } from '../../base/site-links.ts'
import { listCategories } from '../../articles/store.ts'
import { linksOf, sideOfRequest } from '../place.ts'
import { listAllPublicEditions } from '../reads/archive.ts'
import type { WebContext } from '../web-context.ts'

/** The protocol's limit for one file is 50,000 addresses. */
const mostEditions = 45_000

const closed = ['/admin', '/api/', '/click', '/confirm', '/digest', '/preferences', '/unsubscribe']

/** Nothing of the console; of the pages, all but what changes or counts something. A console on a host of its own has no pages. Below a
 * path, crawlers read the file of the host instead: docs/deploying.md says what to put there. */
export function sendRobots({ config }: WebContext): RequestHandler {
  return (request, response) => {
    const isConsole = isConsoleApart(config.web) && sideOfRequest(request) === 'console'
    const links = linksOf(response)
    const rules = isConsole
      ? ['Disallow: /']
      : [
          // With ADMIN_URL the console is on another host, and its address whole.
          ...closed.map(links).flatMap((address) => (address.startsWith('/') ? [`Disallow: ${address}`] : [])),
          `Sitemap: ${addressOf(config, '/sitemap.xml')}`,
        ]
    response.type('text').set('Cache-Control', 'public, max-age=3600')
    response.send(['User-agent: *', ...rules, ''].join('\n'))
  }
}

export function sendSitemap({ config, db }: WebContext): RequestHandler {
  return async (_request, response) => {
    const [categories, editions] = await Promise.all([listCategories(db), listAllPublicEditions(db, mostEditions)])
    const ownPages = siteLinks(config).filter(({ key, url }) => url === addressOf(config, `/${key}`))
    const pages: { path: string; at?: Date }[] = [
      { path: '/' },
      { path: '/archive' },
      ...categories.map(({ slug }) => ({ path: `/archive/${slug}` })),
      ...ownPages.map(({ key }) => ({ path: `/${key}` })),
      ...editions.map(({ id, at }) => ({ path: `/archive/${id}`, at })),
    ]
    const entries = pages.map(
      ({ path: route, at }) =>
        `<url><loc>${escapeHtml(addressOf(config, route))}</loc>${at ? `<lastmod>${at.toISOString()}</lastmod>` : ''}</url>`,
    )
    response.type('application/xml').set('Cache-Control', 'public, max-age=3600')
      .send(`<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${entries.join('\n')}
</urlset>
`)
  }
}

const favicon = path.join(import.meta.dirname, '../assets/favicon.ico')

export const sendFavicon: RequestHandler = (_request, response) => {
  response.sendFile(favicon, { maxAge: '1d' })
}
