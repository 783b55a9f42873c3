// The front page: what this is, the form, the latest stories by category and how many there are.

import type { RequestHandler } from 'express'
import type { Config } from '../../base/config.ts'
import type { Refusal } from '../../base/errors.ts'
import { shownSource } from '../../articles/source.ts'
import type { Db } from '../../db/connect.ts'
import type { Article, Category } from '../../db/schema.ts'
import { countsByCategory, latestArticles, listCategories } from '../../articles/store.ts'
import { type Choices } from '../../subscribers/choices.ts'
import { defaultAmong } from '../../subscribers/default-choice.ts'
import { html, safeUrl, type Html, to } from '../html.ts'
import type { Page } from '../layout.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { findNewestPublic, type PublicEdition } from '../reads/public-editions.ts'
import { sharedRead } from './shared-read.ts'
import { signupForm, signupScripts } from './signup-form.ts'
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
  const { sections, usual, newest } = await loadTogether(web.db)
  const categories = sections.map((section) => section.category)
  return {
    title: config.site.name,
    kind: 'front',
    status: form.status ?? 200,
    dateLine: fullDate(config, web.clock.now()),
    scripts: signupScripts,
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
