// /about, /contact, /privacy, /terms and /disclaimer: what this program can say truly of any newsletter that it sends. Where the site
// has a page of its own (ABOUT_URL, …), footers lead there, and ours does nothing but lead there too: two texts could contradict
// each other.

import type { RequestHandler } from 'express'
import { addressOf } from '../../base/addresses.ts'
import type { Config } from '../../base/config.ts'
import { siteLinks, type SiteLinkKey } from '../../base/site-links.ts'
import type { SiteTexts } from '../../articles/site-texts.ts'
import { directionOf, isolate } from '../../base/direction.ts'
import type { Say } from '../../messages/messages.ts'
import { siteLinkWords } from '../../messages/words.ts'
import { readableAddress } from '../../base/email-address.ts'
import { html, type Html, safeUrl, to } from '../html.ts'
import { sayFor } from '../language.ts'
import { sendPage } from '../layout.ts'
import { siteTextsOf } from '../site-texts.ts'
import type { WebContext } from '../web-context.ts'

interface Text {
  /** What the page is about, as text: its description too. */
  deck: string
  rest: Html
}

export function showOwnPage({ config }: WebContext, key: SiteLinkKey): RequestHandler {
  const { url } = siteLinks(config).find((link) => link.key === key)!
  const path = `/${key}`
  const isOurs = url === addressOf(config, path)
  return (request, response) => {
    const say = sayFor(config, request)
    const title = say(siteLinkWords[key])
    const { deck, rest } = isOurs
      ? texts[key](config, say, siteTextsOf(config, request, say))
      : {
          deck: say('site.ownPage', { site: config.site.name }),
          rest: html`<p><a href="${safeUrl(url)}" dir="ltr">${url.replace(/^mailto:/i, '')}</a></p>`,
        }
    sendPage(response, config, {
      say,
      title,
      kind: 'page',
      face: { path, description: deck },
      body: html`<h1>${title}</h1>
        <p class="deck">${isolate(deck, say.dir)}</p>
        ${rest}`,
    })
  }
}

type Within = (string | Html)[]
const linkTo = (path: string) => (within: Within) => html`<a href="${to(path)}">${within}</a>`

const texts: Record<SiteLinkKey, (config: Config, say: Say, own: SiteTexts) => Text> = {
  about: ({ site }, say, { tagline }) => ({
    deck: say('site.about', { site: site.name }),
    rest: html`<p lang="${tagline.language}" dir="${directionOf(tagline.text, say.dir)}">${tagline.text}</p>
      <p>
        ${say.rich('site.aboutHow', {
          site: site.name,
          a: (within: Within) => html`<a href="${site.url}">${within}</a>`,
        })}
      </p>
      <p>${say.rich('site.aboutNext', { subscribe: linkTo('/#subscribe'), archive: linkTo('/archive') })}</p>`,
  }),
  contact: ({ site, mail }, say) => {
    const { address } = mail.replyTo ?? mail.from
    const link = html`<a href="mailto:${address}" dir="ltr">${readableAddress(address)}</a>`
    return {
      deck: say('site.contact', { site: site.name }),
      rest: html`<p>${say.rich('site.contactMail', { address: link })}</p>
        <p>${say('site.contactPost', { address: site.postalAddress })}</p>
        <p>${say.rich('site.contactSelf', { a: linkTo('/preferences') })}</p>`,
    }
  },
  privacy: ({ site, retentionDays }, say) => ({
    deck: say('site.privacy', { site: site.name }),
    rest: html`<h2 class="section-name">${say('site.privacyStored')}</h2>
      <p>${say('site.privacyData')}</p>
      <p>${say('site.privacyCookie')}</p>
      <h2 class="section-name">${say('site.privacyNotStored')}</h2>
      <p>${say('site.privacyTracking')}</p>
      <h2 class="section-name">${say('site.privacyHowLong')}</h2>
      <p>${say('site.privacyDeletion', { days: retentionDays })}</p>
      <p>${say('site.responsible', { address: site.postalAddress })}</p>`,
  }),
  terms: ({ site }, say) => ({
    deck: say('site.terms'),
    rest: html`<p>${say('site.termsEnd', { site: site.name })}</p>
      <p>${say('site.termsRights')}</p>
      <p>${isolate(site.postalAddress, say.dir)}</p>`,
  }),
  disclaimer: ({ site }, say, { disclaimer }) => ({
    deck: disclaimer.text || say('site.disclaimer', { site: site.name }),
    rest: html`<p>${say('site.disclaimerStories')}</p>
      <p>${say('site.disclaimerLinks')}</p>
      <p>${say('site.disclaimerAdvice')}</p>
      <p>${isolate(site.postalAddress, say.dir)}</p>`,
  }),
}
