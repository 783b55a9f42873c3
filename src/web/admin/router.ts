// The console: sign-in pages first, then the guard, then everything else. One router holds every route, so that a test can list
// them all and none is forgotten.

import { Router } from 'express'
import { sameOriginOnly } from '../forms.ts'
import type { WebContext } from '../web-context.ts'
import { mountApiKeys } from './api-keys.ts'
import { mountAudit } from './audit.ts'
import { mountDeliveries } from './deliveries.ts'
import { mountEdition } from './edition.ts'
import { mountEditions } from './editions.ts'
import { mountEditors } from './editors.ts'
import { requireEditor } from './guard.ts'
import { mountSignIn } from './sign-in.ts'

export function consoleRouter(web: WebContext): Router {
  const router = Router({ strict: true, caseSensitive: true })
  const onlyOurForms = sameOriginOnly(web.config.web.publicUrl)
  router.use((request, response, next) =>
    request.method === 'GET' || request.method === 'HEAD' ? next() : onlyOurForms(request, response, next),
  )
  mountSignIn(router, web)
  router.use(requireEditor(web))
  mountEditions(router, web)
  mountEdition(router, web)
  mountDeliveries(router, web)
  mountEditors(router, web)
  mountApiKeys(router, web)
  mountAudit(router, web)
  return router
}
