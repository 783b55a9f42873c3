// The site's own sentences by key: tagline, opt-in statement and disclaimer in other languages than the environment has them in.

import { z } from 'zod'
import { type GivenSiteTexts, readSiteTexts, setSiteTexts } from '../../articles/site-texts.ts'
import { endpoint, listOf } from '../endpoint.ts'
import { languageTag, text } from './texts.ts'

const texts = {
  tagline: text(2000).optional(),
  optInStatement: text(2000).optional(),
  disclaimer: text(2000).optional(),
}

const siteTexts = z.object({ language: z.string(), ...texts }).meta({ id: 'SiteTexts' })

const listed = (given: GivenSiteTexts) =>
  Object.entries(given).map(([language, { tagline, optInStatement, disclaimer }]) => ({
    language,
    ...(tagline !== undefined && { tagline }),
    ...(optInStatement !== undefined && { optInStatement }),
    ...(disclaimer !== undefined && { disclaimer }),
  }))

const shared = { scope: 'articles', tag: 'categories', status: 200, answer: listOf(siteTexts) } as const

export const siteTextEndpoints = [
  endpoint({
    ...shared,
    method: 'get',
    path: '/site-texts',
    summary: 'Tagline, opt-in statement and disclaimer in other languages',
    description: 'SITE_TAGLINE, OPT_IN_STATEMENT and DISCLAIMER stand where a language has none.',
    async handle(web) {
      return { items: listed(await readSiteTexts(web.db)), next: null }
    },
  }),
  endpoint({
    ...shared,
    method: 'put',
    path: '/site-texts/:language',
    summary: 'Set the texts of one language',
    description: 'A text that is missing or empty is taken away. Consent records keep the statement that was shown.',
    params: z.object({ language: languageTag }),
    body: z.strictObject(texts),
    async handle(web, { params, body, actor }) {
      return { items: listed(await setSiteTexts(web, params.language, body, actor.name)), next: null }
    },
  }),
]
