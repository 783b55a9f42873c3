// The front page: what this is, the form, the latest stories by category and how many there are.

import type { Request, RequestHandler } from 'express'
import type { Refusal } from '../../base/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { Article, Category } from '../../db/schema.ts'
import { countsByCategory, latestArticles, listCategories } from '../../articles/store.ts'
import { categoriesIn } from '../../articles/category-names.ts'
import { type Choices } from '../../subscribers/choices.ts'
import { defaultAmong } from '../../subscribers/default-choice.ts'
import { html, type HtmlValue, to } from '../html.ts'
import type { Page } from '../layout.ts'
import { sendPage } from '../layout.ts'
import { sayFor } from '../language.ts'
import { siteTextsOf } from '../site-texts.ts'
import type { WebContext } from '../web-context.ts'
import { findNewestPublic, type PublicEdition } from '../reads/public-editions.ts'
import { categoryNav, feedSentence } from './archive.ts'
import { sharedRead } from './shared-read.ts'
import { signupForm, signupScripts } from './signup-form.ts'
import { pictureOf, storySection } from './story.ts'
import type { Typed } from './typed.ts'

const storiesPerCategory = 4

interface Front {
  sections: { category: Category; count: number; stories: Article[] }[]
  /** The site's default choice. */
  usual: Choices
  newest: PublicEdition | undefined
}

export function showFront(web: WebContext): RequestHandler {
  return async (request, response) => {
    sendPage(response, web.config, await frontPage(web, request, { typed: {} }))
  }
}

/** With a refusal or a heading: the form alone. */
export async function frontPage(
  web: WebContext,
  request: Request,
  { heading, ...given }: { typed: Typed; refusal?: Refusal; status?: number; heading?: string },
): Promise<Page> {
  const { config } = web
  const say = sayFor(config, request)
  const { sections, usual, newest } = await loadTogether(web.db)
  const categories = categoriesIn(
    sections.map((section) => section.category),
    say.locale,
  )
  const { tagline, optInStatement: statement } = siteTextsOf(config, request, say)
  const form = signupForm(say, config, { ...given, categories, usual, statement })
  return {
    title: config.site.name,
    kind: 'front',
    status: given.status ?? 200,
    say,
    dateLine: say.date(web.clock.now(), 'day', config.digest.timezone),
    scripts: signupScripts,
    face: {
      path: '/',
      description: `${tagline.text} ${say('form.newsletterOf', { site: config.site.name })}`,
      picture: pictureOf(
        config,
        sections.flatMap(({ stories }) => stories),
      ),
    },
    body:
      given.refusal || heading
        ? html`<h1>${heading ?? say('form.checkForm')}</h1>
            <section id="subscribe" aria-label="${say('form.subscribe')}">${form}</section>`
        : html`<section class="promise">
              <h1 lang="${tagline.language}" dir="auto">${tagline.text}</h1>
              <p class="deck">${say('form.promise', { site: config.site.name })}</p>
            </section>
            <section id="subscribe" aria-label="${say('form.subscribe')}">
              ${categories.length > 0 ? form : html`<p class="calm">${say('form.nothingYet')}</p>`}
              <div class="hint after-form">
                <p>${say.rich('form.alreadySubscriber', { a: link('/preferences') })}</p>
                ${
                  newest &&
                  html`<p>
                    ${say.rich('form.seeOneFirst', {
                      a: link(`/archive/${newest.id}`),
                      date: say.date(newest.at, 'date', config.digest.timezone),
                    })}
                  </p>`
                }
              </div>
            </section>
            ${categoryNav(
              say,
              sections.map(({ category, count }) => ({ ...category, count })),
            )}
            ${feedSentence(say, '/archive')}
            ${sections.map(({ category, stories }) => storySection(config, say, { ...category, stories }))}`,
  }
}

async function load(db: Db): Promise<Front> {
  const [categories, counts, newest] = await Promise.all([
    listCategories(db),
    countsByCategory(db),
    findNewestPublic(db),
  ])
  const sections = await Promise.all(
    categories.map(async (category) => ({
      category,
      count: counts.get(category.id) ?? 0,
      stories: await latestArticles(db, { categoryId: category.id, limit: storiesPerCategory }),
    })),
  )
  return { sections, usual: await defaultAmong(db, categories), newest }
}

const loadTogether = sharedRead(load)

const link = (path: string) => (within: HtmlValue) => html`<a href="${to(path)}">${within}</a>`
