// The front page: what this is, the form, the latest stories by category and how many there are.

import type { RequestHandler } from 'express'
import type { Refusal } from '../../base/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { Article, Category } from '../../db/schema.ts'
import { countsByCategory, latestArticles, listCategories } from '../../articles/store.ts'
import { type Choices } from '../../subscribers/choices.ts'
import { defaultAmong } from '../../subscribers/default-choice.ts'
import { messagesFor } from '../../messages/messages.ts'
import { html, to } from '../html.ts'
import type { Page } from '../layout.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { findNewestPublic, type PublicEdition } from '../reads/public-editions.ts'
import { categoryNav, feedSentence } from './archive.ts'
import { sharedRead } from './shared-read.ts'
import { signupForm, signupScripts } from './signup-form.ts'
import { pictureOf, storySection } from './story.ts'
import type { Typed } from './typed.ts'
import { fullDate, longDate } from './words.ts'

const storiesPerCategory = 4

interface Front {
  sections: { category: Category; count: number; stories: Article[] }[]
  /** The site's default choice. */
  usual: Choices
  newest: PublicEdition | undefined
}

export function showFront(web: WebContext): RequestHandler {
  return async (_request, response) => {
    sendPage(response, web.config, await frontPage(web, { typed: {} }))
  }
}

/** With a refusal or a heading: the form alone. */
export async function frontPage(
  web: WebContext,
  { heading, ...form }: { typed: Typed; refusal?: Refusal; status?: number; heading?: string },
): Promise<Page> {
  const { config } = web
  const say = messagesFor(config, 'en')
  const { sections, usual, newest } = await loadTogether(web.db)
  const categories = sections.map((section) => section.category)
  return {
    title: config.site.name,
    kind: 'front',
    status: form.status ?? 200,
    dateLine: fullDate(config, web.clock.now()),
    scripts: signupScripts,
    face: {
      path: '/',
      description: `${config.site.tagline} The newsletter of ${config.site.name}.`,
      picture: pictureOf(
        config,
        sections.flatMap(({ stories }) => stories),
      ),
    },
    body:
      form.refusal || heading
        ? html`<h1>${heading ?? 'Please check the form'}</h1>
            <section id="subscribe" aria-label="Subscribe">
              ${signupForm(config, { ...form, categories, usual })}
            </section>`
        : html`<section class="promise">
              <h1>${config.site.tagline}</h1>
              <p class="deck">
                The newsletter of ${config.site.name}: one mail with what is new in your topics, each story only once.
              </p>
            </section>
            <section id="subscribe" aria-label="Subscribe">
              ${
                categories.length > 0
                  ? signupForm(config, { ...form, categories, usual })
                  : html`<p class="calm">There is nothing to subscribe to yet. Come back soon.</p>`
              }
              <div class="hint after-form">
                <p>Already a subscriber? <a href="${to('/preferences')}">Manage preferences</a></p>
                ${
                  newest &&
                  html`<p>
                    Want to see one first? <a href="${to(`/archive/${newest.id}`)}">Read the newest digest</a>
                    (${longDate(config, newest.at)})
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
