// The console: sign-in pages first, then the guard, then everything else. One router contains every route, so that a test can list
// them all.

import { Router } from 'express'
import { Refusal } from '../../base/errors.ts'
import { sameOriginOnly } from '../forms.ts'
import { refuseOtherMethods } from '../methods.ts'
import type { WebContext } from '../web-context.ts'
import { mountAnnouncement } from './announcement.ts'
import { mountApiKeys } from './api-keys.ts'
import { mountArrange } from './arrange.ts'
import { mountArticles } from './articles.ts'
import { mountAudit } from './audit.ts'
import { mountBrakes } from './brakes.ts'
import { mountCategories } from './categories.ts'
import { mountDefaultChoice } from './default-choice.ts'
import { mountDeliveries } from './deliveries.ts'
import { mountEdition } from './edition.ts'
import { mountEditions } from './editions.ts'
import { mountEditors } from './editors.ts'
import { mountEmbed } from './embed.ts'
import { consoleErrors } from './errors.ts'
import { mountFeeds } from './feeds.ts'
import { requireEditor } from './guard.ts'
import { mountImports } from './imports.ts'
import { mountOverview } from './overview.ts'
import { mountPreview } from './preview.ts'
import { mountReturned } from './returned.ts'
import { mountSending } from './sending.ts'
import { mountSignIn } from './sign-in.ts'
import { mountSiteTexts } from './site-texts.ts'
import { mountSubscribers } from './subscribers.ts'
import { mountSuppressions } from './suppressions.ts'
import { mountTrigger } from './trigger.ts'
import { mountUnsubscribes } from './unsubscribes.ts'

export function consoleRouter(web: WebContext): Router {
  const router = Router({ strict: true, caseSensitive: true })
  const onlyOurForms = sameOriginOnly(web.config.web.adminUrl)
  router.use((_request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex', 'Referrer-Policy': 'same-origin' })
    next()
  })
  router.use((request, response, next) =>
    request.method === 'GET' || request.method === 'HEAD' ? next() : onlyOurForms(request, response, next),
  )
  mountSignIn(router, web)
  router.use(requireEditor(web))
  mountOverview(router, web)
  mountEditions(router, web)
  mountArrange(router, web)
  mountEdition(router, web)
  mountDeliveries(router, web)
  mountBrakes(router, web)
  mountSending(router, web)
  mountTrigger(router, web)
  mountAnnouncement(router, web)
  mountPreview(router, web)
  mountSubscribers(router, web)
  mountImports(router, web)
  mountUnsubscribes(router, web)
  mountReturned(router, web)
  mountSuppressions(router, web)
  mountArticles(router, web)
  mountFeeds(router, web)
  mountCategories(router, web)
  mountDefaultChoice(router, web)
  mountSiteTexts(router, web)
  mountEmbed(router, web)
  mountEditors(router, web)
  mountApiKeys(router, web)
  mountAudit(router, web)
  refuseOtherMethods(router)
  router.use((request) => {
    throw new Refusal('not_found', `There is nothing at /admin${request.path.slice(0, 200)}.`)
  })
  router.use(consoleErrors(web))
  return router
}
