// MAP 1: everything that is reachable by URL, with its guard. Read it from top to bottom: public pages, then what tokens open,
// then the API, then the console.

import type { Express } from 'express'
import type { WebContext } from './web-context.ts'

export function mountRoutes(app: Express, _web: WebContext): void {
  app.get('/healthz', (_request, response) => {
    response.type('text').send('ok\n')
  })
}
