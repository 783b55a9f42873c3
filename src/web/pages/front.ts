// The front page: what this is, the form, the latest stories by category and how many there are.

import type { RequestHandler } from 'express'
import type { Config } from '../../base/config.ts'
import type { Refusal } from '../../base/errors.ts'
import { shownSource } from '../../articles/source.ts'
import type { Db } from '../../db/connect.ts'
import type { Article, Category } from '../../db/schema.ts'
import { countsByCategory, latestArticles, listCategories } from '../../articles/store.ts'
import { html, safeUrl, type Html } from '../html.ts'
import type { Page } from '../layout.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { nothingTyped, type Typed } from './fields.ts'
import { sharedRead } from './shared-read.ts'
import { signupForm } from './signup-form.ts'
import { fullDate, longDate } from './words.ts'

const storiesPerCategory = 4

interface Front {
  sections: { category: Category; count: number; stories: Article[] }[]
}

export function showFront(web: WebContext): RequestHandler {
  return async (_request, response) => {
    sendPage(response, web.config, await frontPage(web, { typed: nothingTyped }))
  }
}

export async function frontPage(
  web: WebContext,
  form: { typed: Typed; refusal?: Refusal; status?: number },
): Promise<Page> {
  const { config } = web
  const { sections } = await loadTogether(web.db)
  const categories = sections.map((section) => section.category)
  return {
    title: config.site.name,
    kind: 'front',
    status: form.status ?? 200,
    dateLine: fullDate(config, web.clock.now()),
    scripts: ['timezone.js'],
    body: form.refusal
      ? html`<h1>Please check the form</h1>
          <section id="subscribe" aria-label="Subscribe">${signupForm(config, { ...form, categories })}</section>`
      : html`<section class="promise">
            <h1>${config.site.tagline}</h1>
            <p class="deck">
              The newsletter of ${config.site.name}. Choose your categories and how often each one comes: you get a
              single mail with what is new in them, every story once.
            </p>
          </section>
          <section id="subscribe" aria-label="Subscribe">
            ${
              categories.length > 0
                ? signupForm(config, { ...form, categories })
                : html`<p class="calm">There is nothing to subscribe to yet. Come back soon.</p>`
            }
          </section>
          ${
            categories.length > 0 &&
            html`<nav class="sections" aria-label="Categories">
              <ul>
                ${sections.map(
                  ({ category, count }) =>
                    html`<li>
                      <a href="#latest-${category.slug}">${category.name}</a> <span class="count">${count}</span>
                      <span class="hush">${count === 1 ? 'story' : 'stories'}</span>
                    </li>`,
                )}
              </ul>
            </nav>`
          }
          ${sections.map((section) => latest(config, section))}`,
  }
}

function latest(config: Config, { category, stories }: Front['sections'][number]): Html {
  return html`<section class="latest" id="latest-${category.slug}">
    <h2 class="section-name">${category.name}</h2>
    ${stories.length === 0 && html`<p class="calm">No stories yet.</p>`}
    ${stories.map((story, index) => teaser(config, story, index === 0))}
  </section>`
}

/** A story as a headline with its first lines. */
export function teaser(config: Config, story: Article, isLead: boolean): Html {
  const { author } = story
  const source = shownSource(story.source, config.site.name)
  return html`<article class="${isLead ? 'teaser lead' : 'teaser'}">
    <h3><a href="${safeUrl(story.link)}">${story.title}</a></h3>
    ${isLead && story.excerpt && html`<p>${story.excerpt}</p>`}
    <p class="byline">
      ${[source, author].filter(Boolean).map((name) => html`${name} · `)}<time
        datetime="${story.publishedAt.toISOString()}"
        >${longDate(config, story.publishedAt)}</time
      >
    </p>
  </article>`
}

async function load(db: Db): Promise<Front> {
  const [categories, counts] = await Promise.all([listCategories(db), countsByCategory(db)])
  const sections = await Promise.all(
    categories.map(async (category) => ({
      category,
      count: counts.get(category.id) ?? 0,
      stories: await latestArticles(db, { categoryId: category.id, limit: storiesPerCategory }),
    })),
  )
  return { sections }
}

const loadTogether = sharedRead(load)
