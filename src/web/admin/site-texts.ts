// The site's own sentences in other languages: tagline, opt-in statement, disclaimer. And the fields for a category's texts.

import type { Request, Router } from 'express'
import { readSiteTexts, setSiteTexts, siteTextsIn, type SiteTextKey, siteTextKeys } from '../../articles/site-texts.ts'
import type { Config } from '../../base/config.ts'
import type { Category, CategoryTexts } from '../../db/schema.ts'
import { languagesOf, nameOf } from '../../messages/messages.ts'
import { field, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import { seeOther } from '../place.ts'
import type { WebContext } from '../web-context.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { noticeOf } from './query.ts'

const names: Record<SiteTextKey, { label: string; variable: string }> = {
  tagline: { label: 'Tagline', variable: 'SITE_TAGLINE' },
  optInStatement: { label: 'Opt-in statement', variable: 'OPT_IN_STATEMENT' },
  disclaimer: { label: 'Disclaimer', variable: 'DISCLAIMER' },
}

export function mountSiteTexts(router: Router, web: WebContext): void {
  const { site } = web.config
  router.get('/site-texts', async (request, response) => {
    const given = await readSiteTexts(web.db)
    sendConsole(request, response, web, {
      section: 'site-texts',
      title: 'Site texts',
      notice: noticeOf(request, { changed: 'Saved.' }),
      body: html`<p>
          Readers and subscribers see these texts in their language. Where a field is empty, they see the text that
          stands in it in grey. The texts in the site’s own language are set in the environment:
        </p>
        <dl class="facts">
          ${siteTextKeys.map(
            (key) =>
              html`<div>
                <dt>${names[key].label} <code>${names[key].variable}</code></dt>
                <dd><bdi lang="${site.locale}">${site[key] || 'none'}</bdi></dd>
              </div>`,
          )}
        </dl>
        ${languagesToFill(web.config, Object.keys(given)).map((language) => {
          const shown = siteTextsIn(web.config, {}, language)
          return html`<form method="post" action="${to(`/admin/site-texts/${language}`)}">
            <fieldset>
              <legend class="language">${languageLabel(language)}</legend>
              ${siteTextKeys.map((key) => {
                const id = `${key}-${language}`
                return html`<label for="${id}">${names[key].label}</label>
                  <textarea
                    id="${id}"
                    name="${key}"
                    rows="2"
                    maxlength="2000"
                    lang="${language}"
                    dir="auto"
                    placeholder="${shown[key].text}"
                  >
${given[language]?.[key] ?? ''}</textarea>`
              })}
              <p class="buttons"><button class="main">Save ${nameOf(language, 'en')}</button></p>
            </fieldset>
          </form>`
        })}`,
    })
  })

  router.post('/site-texts/:language', readForm, async (request, response) => {
    const texts = Object.fromEntries(siteTextKeys.map((key) => [key, field(request, key) ?? '']))
    await setSiteTexts(web, String(request.params.language), texts, actorOf(request))
    seeOther(response, '/admin/site-texts?done=changed')
  })
}

/** The languages that pages are in, and those that have texts already; not the site's own. */
function languagesToFill(config: Config, given: readonly string[]): string[] {
  const [own, ...others] = languagesOf(config)
  return [...new Set([...others, ...given])].filter((language) => language !== own)
}

/** Deutsch (German) */
function languageLabel(language: string): Html {
  return html`<bdi lang="${language}">${nameOf(language)}</bdi> (${nameOf(language, 'en')})`
}

/** Name and line of a category in every other language, folded away while none is given. */
export function categoryTextFields(config: Config, { translations }: Category): Html {
  const given = Object.keys(translations)
  return html`<details ${given.length > 0 && html`open`}>
    <summary>Name in other languages</summary>
    <p class="small">
      Readers and subscribers of that language see it. Where a field is empty, they see the text above.
    </p>
    ${languagesToFill(config, given).map((language) => {
      const attributes = html`lang="${language}" dir="auto" autocomplete="off"`
      const { name = '', description = '' } = translations[language] ?? {}
      return html`<fieldset>
        <legend class="language">${languageLabel(language)}</legend>
        <label for="name-${language}">Name</label>
        <input
          id="name-${language}"
          name="translations[${language}][name]"
          maxlength="80"
          value="${name}"
          ${attributes}
        />
        <label for="description-${language}">One line about it</label>
        <input
          id="description-${language}"
          name="translations[${language}][description]"
          maxlength="200"
          value="${description}"
          ${attributes}
        />
      </fieldset>`
    })}
  </details>`
}

/** What those fields sent. */
export function categoryTextsOf(request: Request): Record<string, CategoryTexts> {
  const sent = (request.body as { translations?: unknown }).translations
  if (typeof sent !== 'object' || sent === null) return {}
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return Object.fromEntries(
    Object.entries(sent as Record<string, { name?: unknown; description?: unknown } | null>).map(
      ([language, texts]) => [language, { name: text(texts?.name), description: text(texts?.description) }],
    ),
  )
}
