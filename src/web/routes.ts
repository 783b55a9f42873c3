// MAP 1: every URL. Each router is a list of its own routes with their guards: public pages and pages with a token, the API with
// keys, the console with a session, and the trial's pages.

import type { Express, Router } from 'express'
import { samplePath } from '../trial/sample-feed.ts'
import { sampleSite } from '../trial/sample-site.ts'
import { previewPages } from '../trial/preview-pages.ts'
import { mailboxPages } from '../trial/mailbox-pages.ts'
import { consoleRouter } from './admin/router.ts'
import { docsRouter } from './api/docs.ts'
import { endpoints } from './api/endpoints.ts'
import { apiRouter } from './api/router.ts'
import { healthRouter } from './health.ts'
import { inboundRouter } from './inbound.ts'
import { refuseOtherMethods } from './methods.ts'
import { pagesRouter } from './pages/router.ts'
import { websubRouter } from './pages/websub.ts'
import type { WebContext } from './web-context.ts'

/** Where each is mounted, in this order. */
export function routersOf(web: WebContext): [path: string, Router][] {
  return [
    ['/', healthRouter(web)],
    ['/', pagesRouter(web)],
    ['/websub', websubRouter(web)],
    ['/inbound', inboundRouter(web)],
    ['/api/docs', docsRouter(web.config)],
    ['/api/v1', apiRouter(web, endpoints)],
    ['/admin', consoleRouter(web)],
    ...(web.config.trial ? [[samplePath, sampleSite(web)] satisfies [string, Router]] : []),
    ...(web.mailbox
      ? ([
          ['/mailbox/preview', previewPages(web)],
          ['/mailbox', mailboxPages(web.config, web.mailbox)],
        ] satisfies [string, Router][])
      : []),
  ]
}

export function mountRoutes(app: Express, web: WebContext): void {
  for (const [path, router] of routersOf(web)) {
    refuseOtherMethods(router)
    app.use(path, router)
  }
}
