// MAP 1: everything that is reachable by URL. Each router is a list of its own routes with their guards: the reader's pages and
// what tokens open, the API behind keys, the console behind a session, and what the trial adds.

import type { Express } from 'express'
import { samplePath } from '../trial/sample-feed.ts'
import { sampleSite } from '../trial/sample-site.ts'
import { mailboxPages } from '../trial/mailbox-pages.ts'
import { consoleRouter } from './admin/router.ts'
import { docsRouter } from './api/docs.ts'
import { endpoints } from './api/endpoints.ts'
import { apiRouter } from './api/router.ts'
import { healthRouter } from './health.ts'
import { followStory } from './pages/click.ts'
import { pagesRouter } from './pages/router.ts'
import { websubRouter } from './pages/websub.ts'
import type { WebContext } from './web-context.ts'

export function mountRoutes(app: Express, web: WebContext): void {
  app.use(healthRouter(web))
  app.get('/click', followStory(web))
  app.use('/', pagesRouter(web))
  app.use('/websub', websubRouter(web))
  app.use('/api/docs', docsRouter(web.config))
  app.use('/api/v1', apiRouter(web, endpoints))
  app.use('/admin', consoleRouter(web))
  if (web.config.trial) app.use(samplePath, sampleSite(web))
  if (web.mailbox) app.use('/mailbox', mailboxPages(web.config, web.mailbox))
}
