// The reader's pages, in the order in which a reader meets them. GET shows, POST does.

import { Router } from 'express'
import { allowOrigins, answerPreflight } from '../cors.ts'
import { noForeignResources, readForm, readFormOrJson } from '../forms.ts'
import type { WebContext } from '../web-context.ts'
import { mailAddressLink, showAddressChange, showAddressUndo, takeAddressChange, takeAddressUndo } from './address.ts'
import { showCategory } from './archive-category.ts'
import { showArchive, showArchivedEdition } from './archive.ts'
import { followStory } from './click.ts'
import { mailConfirmation, showConfirmation, takeConfirmation } from './confirm.ts'
import { sendFavicon, sendRobots, sendSitemap } from './crawlers.ts'
import { sendEmbedForm, sendEmbedScript, sendEmbedStyle, showEmbed, showExample } from './embed.ts'
import { startEvenly } from '../even-time.ts'
import { sendFeed } from './feeds.ts'
import { showFront } from './front.ts'
import { showLess, takeLess, undoLess } from './less.ts'
import { showOwnPage } from './legal.ts'
import { siteLinkKeys } from '../../base/site-links.ts'
import { showOwnDigest } from './own-digest.ts'
import { savePreferences, showPreferences, undoSaved } from './preferences.ts'
import { cancelAddress, endLinks, sendMyData, showNextDigest, takeAddress, takeErasure } from './preferences-acts.ts'
import { mailFreshLink } from './preferences-link.ts'
import { showChange, showCheckYourMail, takeSubscription } from './subscribe.ts'
import { readOneClick, showUndo, showUnsubscribe, takeUndo, takeUnsubscribe } from './unsubscribe.ts'
import { takeReason } from './after-unsubscribe.ts'
import { seeOther } from '../place.ts'
import { readTextsFirst } from '../site-texts.ts'

/** To be mounted at the root. */
export function pagesRouter(web: WebContext): Router {
  const router = Router({ strict: true, caseSensitive: true })
  router.get('/click', followStory(web))
  router.use(readTextsFirst(web))
  router.get('/', showFront(web))
  router.options('/subscribe', answerPreflight(web.config))
  router.post('/subscribe', startEvenly, allowOrigins(web.config), readFormOrJson, takeSubscription(web))
  router.get('/subscribe', (_request, response) => seeOther(response, '/#subscribe'))
  router.get('/subscribe/check-your-mail', showCheckYourMail(web))
  router.get('/subscribe/change', showChange(web))

  const token = noForeignResources
  router.get('/confirm', token, showConfirmation(web))
  router.post('/confirm', token, readForm, takeConfirmation(web))
  router.post('/confirm/link', startEvenly, token, readForm, mailConfirmation(web))
  router.get('/preferences', token, showPreferences(web))
  router.post('/preferences', startEvenly, token, readForm, savePreferences(web))
  router.post('/preferences/undo', token, readForm, undoSaved(web))
  router.get('/preferences/next', token, showNextDigest(web))
  router.get('/preferences/data', token, sendMyData(web))
  router.post('/preferences/link', startEvenly, token, readForm, mailFreshLink(web))
  router.post('/preferences/end-links', token, readForm, endLinks(web))
  router.post('/preferences/erase', token, readForm, takeErasure(web))
  router.post('/preferences/address', startEvenly, token, readForm, takeAddress(web))
  router.post('/preferences/address/cancel', token, readForm, cancelAddress(web))
  router.get('/preferences/address', token, showAddressChange(web))
  router.post('/preferences/address/confirm', token, readForm, takeAddressChange(web))
  router.post('/preferences/address/link', startEvenly, token, readForm, mailAddressLink(web))
  router.get('/preferences/address/undo', token, showAddressUndo(web))
  router.post('/preferences/address/undo', token, readForm, takeAddressUndo(web))
  router.get('/less', token, showLess(web))
  router.post('/less', token, readForm, takeLess(web))
  router.post('/less/undo', token, readForm, undoLess(web))
  router.get('/unsubscribe', token, showUnsubscribe(web))
  router.post('/unsubscribe', token, readOneClick, takeUnsubscribe(web))
  router.post('/unsubscribe/reason', token, readForm, takeReason(web))
  router.get('/unsubscribe/undo', token, showUndo(web))
  router.post('/unsubscribe/undo', token, readForm, takeUndo(web))

  router.get('/archive', showArchive(web))
  for (const file of ['feed.xml', 'feed.json'] as const) {
    router.get(`/archive/${file}`, sendFeed(web, file))
    router.get(`/archive/:category/${file}`, sendFeed(web, file))
  }
  router.get('/archive/:category', showCategory(web))
  router.get('/archive/:edition', showArchivedEdition(web))
  router.get('/digest', showOwnDigest(web))
  router.get('/robots.txt', sendRobots(web))
  router.get('/sitemap.xml', sendSitemap(web))
  router.get('/favicon.ico', sendFavicon)
  router.get('/embed', showEmbed(web))
  router.get('/embed.js', sendEmbedScript(web))
  router.get('/embed/form', sendEmbedForm(web))
  router.get('/embed/form.css', sendEmbedStyle(web))
  router.get('/embed/example/:kind', showExample(web))
  for (const key of siteLinkKeys) router.get(`/${key}`, showOwnPage(web, key))
  return router
}
