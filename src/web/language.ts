// In which language a page answers, and how that choice is carried along. `?lang=de` wins, then the language of the subscriber whose
// token opened the page, then Accept-Language, then SITE_LOCALE. There is no cookie: a page that was asked for with `?lang=` writes
// it into every address of a page of ours (place.ts), so links, forms and redirects keep it.

import type { Request, Response } from 'express'
import { ownerOf } from '../base/addresses.ts'
import { catalogueOf } from '../messages/catalogue.ts'
import {
  languagesOf,
  messagesFor,
  nameOf,
  nearestLanguage,
  type Say,
  type SpeakingConfig,
} from '../messages/messages.ts'
import { html, type Html, to } from './html.ts'

const chosen = new WeakMap<Request, Say>()

/** What a page says, and in which language. `subscriber`: whoever the token of the page belongs to; the rest of the answer, such as
 * an error, is in their language too. Safe to repeat. */
export function sayFor(config: SpeakingConfig, request: Request, subscriber?: { locale: string | null }): Say {
  const known = subscriber ? undefined : chosen.get(request)
  if (known) return known
  const say = choose(config, request, subscriber)
  chosen.set(request, say)
  return say
}

function choose(config: SpeakingConfig, request: Request, subscriber?: { locale: string | null }): Say {
  const asked = askedLanguage(config, request)
  if (asked) return inLanguage(config, asked)
  if (subscriber) return messagesFor(config, subscriber.locale)
  const languages = [...catalogueOf(config).texts.keys()]
  for (const tag of request.acceptsLanguages()) {
    const language = nearestLanguage(languages, tag)
    if (language) return inLanguage(config, language)
  }
  return messagesFor(config, null)
}

/** The language of `?lang=`; null: there is none, or it has no messages. */
export function askedLanguage(config: SpeakingConfig, request: Request): string | null {
  const { lang } = request.query
  return typeof lang === 'string' ? nearestLanguage(catalogueOf(config).texts.keys(), lang) : null
}

/** The site's own language keeps its region (SITE_LOCALE=en-US), so that dates don't depend on how the language was chosen. */
function inLanguage(config: SpeakingConfig, language: string): Say {
  const site = messagesFor(config, null)
  return language === site.language ? site : messagesFor(config, language)
}

/** To be set on every answer whose words depend on the language. */
export function setLanguage(response: Response, say: Say): void {
  response.vary('Accept-Language').set('Content-Language', say.locale)
}

const noPages = new Set(['api', 'click', 'gazette', 'inbound', 'mailbox', 'websub'])

/** The path of a route with the language that the reader asked for. What isn't a page in their language stays as it is. Pure. */
export function withLanguage(path: string, language: string): string {
  const url = new URL(path, 'http://route')
  const [, word = ''] = url.pathname.split('/')
  if (ownerOf(path) !== 'public' || noPages.has(word) || /\.[a-z]+$/.test(url.pathname)) return path
  if (url.searchParams.has('lang')) return path
  const [before, fragment] = path.split('#')
  return `${before}${before!.includes('?') ? '&' : '?'}lang=${language}${fragment === undefined ? '' : `#${fragment}`}`
}

/** Plain links to this page in the other languages. `here`: a path that shows it by GET, with its query. */
export function languageSwitch(config: SpeakingConfig, say: Say, here: string): Html {
  const links = languagesOf(config).map((language) => {
    const name = nameOf(language)
    if (language === say.language) return html`<span lang="${language}" aria-current="true">${name}</span>`
    return html`<a href="${to(inOtherLanguage(here, language))}" hreflang="${language}" lang="${language}">${name}</a>`
  })
  return html`<nav aria-label="${say('common.language')}" class="languages">
    <p>${links.map((link, index) => html`${index > 0 && ' · '}${link}`)}</p>
  </nav>`
}

/** The path comes from the request, so it may be anything: `//elsewhere` mustn't become another host. */
function inOtherLanguage(here: string, language: string): string {
  const [path = '', query = ''] = here.split(/\?(.*)/s)
  const parameters = new URLSearchParams(query)
  parameters.set('lang', language)
  return `/${path.replace(/^[/\\]+/, '')}?${parameters.toString()}`
}
