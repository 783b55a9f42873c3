// The fictional Whale Gazette as a website, below /gazette: front page, categories, stories with their pictures, and the feeds
// that the real ingester fetches. It exists only in the trial, so that the links in the first digest work.

import path from 'node:path'
import express, { Router } from 'express'
import { Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import { html, type Html, to } from '../web/html.ts'
import { paintPicture } from './picture.ts'
import {
  categoryPath,
  feedPath,
  picturePath,
  sampleFeed,
  samplePath,
  sampleSiteName,
  storyPath,
} from './sample-feed.ts'
import { findStory, publishedStories, sampleCategories, type SampleStory } from './stories.ts'
import { readFirstStart } from './trial-data.ts'
import { sendHtml, linksOf } from '../web/place.ts'
import { addressOf } from '../base/addresses.ts'

/** Items per feed: the stories of about thirteen hours. */
const feedItems = 20

/** Mounted at /gazette. */
export function sampleSite(ctx: Context): Router {
  const router = Router({ caseSensitive: true })
  const pictures = new Map<string, Buffer>()
  const stories = async (options: { category?: string; limit: number }) =>
    publishedStories(await readFirstStart(ctx), ctx.clock.now(), options)

  router.use('/assets', express.static(path.join(import.meta.dirname, 'assets'), { index: false, fallthrough: false }))

  router.get('/', async (_request, response) => {
    const [lead, ...rest] = await stories({ limit: 25 })
    sendHtml(
      response,
      frame(
        sampleSiteName,
        html`${lead && teaser(lead, 'lead')}
          <div class="columns">${rest.map((story) => teaser(story))}</div>`,
      ),
    )
  })

  router.get('/category/:slug', async (request, response) => {
    const category = knownCategory(request.params.slug)
    const list = await stories({ category: category.slug, limit: 40 })
    const body = html`<h1>${category.name}</h1>
      <p class="deck">${category.description}. <a href="${to(feedPath(category.slug))}">RSS</a></p>
      <div class="columns">${list.map((story) => teaser(story))}</div>`
    sendHtml(response, frame(category.name, body, feedPath(category.slug)))
  })

  router.get('/category/:slug/feed', async (request, response) => {
    const category = knownCategory(request.params.slug)
    const list = await stories({ category: category.slug, limit: feedItems })
    response.type('application/rss+xml; charset=utf-8')
    // Express answers a matching If-None-Match with 304: the ETag is derived from the feed's bytes.
    if (list[0]) response.set('Last-Modified', list[0].publishedAt.toUTCString())
    response.send(sampleFeed((path) => addressOf(ctx.config, path), category, list))
  })

  router.get('/pictures/:file', async (request, response) => {
    const slug = request.params.file.replace(/\.png$/, '')
    const story = findStory(await readFirstStart(ctx), ctx.clock.now(), slug)
    if (!story || !request.params.file.endsWith('.png')) throw nothingHere(request.params.file)
    let picture = pictures.get(slug)
    if (!picture) {
      if (pictures.size > 200) pictures.clear()
      picture = paintPicture(slug, story.categories[0]!)
      pictures.set(slug, picture)
    }
    // The mailbox shows mails in a sandboxed frame, which has no origin.
    response.set({ 'Cross-Origin-Resource-Policy': 'cross-origin', 'Cache-Control': 'max-age=86400' })
    response.type('png').send(picture)
  })

  router.get('/:year/:month/:day/:slug', async (request, response) => {
    const story = findStory(await readFirstStart(ctx), ctx.clock.now(), request.params.slug)
    if (!story) throw nothingHere(request.path)
    const address = storyPath(story)
    if (!address.startsWith(`${samplePath}${request.path.replace(/\/$/, '')}`))
      return response.redirect(301, linksOf(response)(address))
    const more = (await stories({ category: story.categories[0]!, limit: 5 })).filter((one) => one.slug !== story.slug)
    sendHtml(response, frame(story.title, article(story, more)))
  })

  return router
}

function knownCategory(slug: string) {
  const category = sampleCategories.find((one) => one.slug === slug)
  if (!category) throw nothingHere(slug)
  return category
}

const nothingHere = (what: string) =>
  new Refusal('not_found', `The Whale Gazette has nothing at ${what.slice(0, 200)}.`)

function kicker(story: SampleStory): Html {
  const names = story.categories.map((slug) => {
    const category = knownCategory(slug)
    return html`<a href="${to(categoryPath(slug))}">${category.name}</a> `
  })
  return html`<p class="kicker">${names}</p>`
}

function teaser(story: SampleStory, kind = 'teaser'): Html {
  return html`<article class="${kind}">
    <a href="${to(storyPath(story))}" tabindex="-1" aria-hidden="true"
      ><img src="${to(picturePath(story))}" alt="" width="600" height="338" loading="lazy"
    /></a>
    ${kicker(story)}
    <h2><a href="${to(storyPath(story))}">${story.title}</a></h2>
    <p>${story.summary}</p>
    <p class="byline">${story.author} · ${when(story.publishedAt)}</p>
  </article>`
}

function article(story: SampleStory, more: SampleStory[]): Html {
  return html`<article class="story">
      ${kicker(story)}
      <h1>${story.title}</h1>
      <p class="byline">By ${story.author} · ${when(story.publishedAt)}</p>
      <img src="${to(picturePath(story))}" alt="" width="600" height="338" />
      ${story.body.map((text) => html`<p>${text}</p>`)}
    </article>
    <aside>
      <h2>More in ${knownCategory(story.categories[0]!).name}</h2>
      <ul>
        ${more.slice(0, 4).map((one) => html`<li><a href="${to(storyPath(one))}">${one.title}</a></li>`)}
      </ul>
    </aside>`
}

/** Time in UTC: the Gazette doesn't know its readers' time zones. */
function when(date: Date): string {
  return date.toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
}

function frame(title: string, body: Html, feed?: string): Html {
  const name = html`<a href="${to(`${samplePath}/`)}">${sampleSiteName}</a>`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title === sampleSiteName ? title : `${title} – ${sampleSiteName}`}</title>
        <link rel="icon" href="${to(`${samplePath}/assets/whale.svg`)}" type="image/svg+xml" />
        <link rel="stylesheet" href="${to(`${samplePath}/assets/gazette.css`)}" />
        ${feed && html`<link rel="alternate" type="application/rss+xml" href="${to(feed)}" />`}
      </head>
      <body>
        <header>
          ${title === sampleSiteName ? html`<h1 class="name">${name}</h1>` : html`<p class="name">${name}</p>`}
          <p class="motto">Port Lantern’s daily · all of it invented</p>
          <nav>
            ${sampleCategories.map((one) => html`<a href="${to(categoryPath(one.slug))}">${one.name}</a> `)}
            <a class="newsletter" href="${to('/')}">Newsletter</a>
          </nav>
        </header>
        <main>${body}</main>
        <footer>
          <p>
            ${sampleSiteName}, 1 Harbour Street, Port Lantern · a fictional newspaper that comes with the trial ·
            <a href="${to('/privacy')}">Privacy</a> · <a href="${to('/terms')}">Terms</a>
          </p>
        </footer>
      </body>
    </html>`
}
