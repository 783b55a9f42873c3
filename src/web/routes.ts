// MAP 1: everything that is reachable by URL, with its guard. Read it from top to bottom: public pages, then what tokens open,
// then the API, then the console.

import type { Express } from 'express'
import { consoleRouter } from './admin/router.ts'
import { docsRouter } from './api/docs.ts'
import { endpoints } from './api/endpoints.ts'
import { apiRouter } from './api/router.ts'
import { pagesRouter } from './pages/router.ts'
import type { WebContext } from './web-context.ts'

export function mountRoutes(app: Express, web: WebContext): void {
  app.get('/healthz', (_request, response) => {
    response.type('text').send('ok\n')
  })
  app.use(pagesRouter(web))
  app.use('/api/v1', apiRouter(web, endpoints))
  app.use('/api/docs', docsRouter(web.config))
  app.use('/admin', consoleRouter(web))
}
