// A feed before it is added: every entry as the ingester would store it. The address of a page shows the feeds that it names. The
// fetch is the same as in a poll, with the same limits; nothing is stored.

import type { Request, RequestHandler } from 'express'
import { wrongClock } from '../../articles/feeds.ts'
import { fetchingOf } from '../../articles/discover.ts'
import { seemsAhead } from '../../articles/embargo.ts'
import { cutAtWord } from '../../articles/html-text.ts'
import { lookAt } from '../../articles/look-at.ts'
import { listCategories } from '../../articles/store.ts'
import { nobodys, type Tried, type TriedEntry, tryFound } from '../../articles/try-feed.ts'
import type { Category } from '../../db/schema.ts'
import { html, type Html, safeUrl, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { categoryBoxes } from './category-choice.ts'
import { ignoreDatesBox } from './feed-mapping.ts'
import { sendConsole } from './layout.ts'
import { count, moment, rowList } from './parts.ts'
import { queryText } from './query.ts'
import { seeOther } from '../place.ts'

const shownEntries = 50

export function showTry(web: WebContext): RequestHandler {
  return async (request, response) => {
    const url = queryAddress(request)
    const fetching = fetchingOf(web)
    const reading = { timezone: web.config.digest.timezone }
    const found = await lookAt(url, fetching, reading)
    if (found.outcome === 'page' && found.wordpress)
      return seeOther(response, `/admin/feeds/site?url=${encodeURIComponent(url)}`)
    const categories = await listCategories(web.db)
    const tried = await tryFound(found, fetching, {
      ...reading,
      now: web.clock.now(),
      firstHours: web.config.feeds.firstHours,
      mapping: { categories, feedCategoryIds: [], rules: [] },
    })
    sendConsole(request, response, web, {
      section: 'feeds',
      title: tried.outcome === 'feed' ? tried.feed.title || 'A feed' : 'Try a feed',
      back: ['Feeds', '/admin/feeds'],
      body: html`${shown(web, tried, url, categories)}
        <h2>Try another</h2>
        <form method="get" action="${to('/admin/feeds/try')}">
          <label for="again">Address</label>
          <input
            id="again"
            name="url"
            type="url"
            required
            maxlength="2000"
            value="${queryText(request, 'url') ?? ''}"
          />
          <p class="buttons"><button>Try it</button></p>
        </form>`,
    })
  }
}

/** `?url=`, also without https:// in front. */
export function queryAddress(request: Request): string {
  const given = typeof request.query.url === 'string' ? request.query.url.trim().slice(0, 2000) : ''
  return /^[a-z]+:/i.test(given) ? given : `https://${given}`
}

function shown(web: WebContext, tried: Tried, url: string, categories: readonly Category[]): Html {
  if (tried.outcome === 'refused') return html`<p class="notice bad">${url}: ${tried.reason}</p>`
  if (tried.outcome === 'page')
    return html`<p>This page names ${count(tried.feeds.length, 'feed')}. Choose one:</p>
      <ul>
        ${tried.feeds.map(
          (feed) =>
            html`<li>
              <a href="${to(`/admin/feeds/try?url=${encodeURIComponent(feed.url)}`)}">${feed.title || feed.url}</a>
              <span class="small">${feed.url}</span>
            </li>`,
        )}
      </ul>`
  const isAhead = seemsAhead(tried.feed.entries, web.clock.now())
  return html`<p>
      <code>${tried.url}</code>: ${tried.feed.format.toUpperCase()} with
      ${count(tried.entries.length, 'entry', 'entries')}.
    </p>
    ${
      isAhead &&
      html`<p class="notice warn">
        Even its newest stories are dated ahead: ${wrongClock}. They wait for their date, unless you choose otherwise.
      </p>`
    }
    <form method="post" action="${to('/admin/feeds')}">
      <input type="hidden" name="url" value="${tried.url}" />
      <fieldset>
        <legend>All its stories go to</legend>
        ${categoryBoxes(categories, [], 'category')}
      </fieldset>
      ${isAhead && ignoreDatesBox(false)}
      <p class="buttons"><button class="main">Add this feed</button></p>
    </form>
    <h2>What it would bring</h2>
    ${entryRows(web, tried.entries.slice(0, shownEntries))}`
}

/** The category is chosen on this page. */
function happens(entry: TriedEntry): string {
  return entry.verdict === nobodys ? 'taken, if all its stories go to a category' : entry.verdict
}

function fileName(url: string): string {
  return cutAtWord(url.replace(/[?#].*$/, '').replace(/^.*\/(?=.)/, ''), 60)
}

function entryRows(web: WebContext, entries: readonly TriedEntry[]): Html {
  return rowList(
    'Entries',
    entries.map((entry) => ({
      title: html`<a href="${safeUrl(entry.link)}" rel="noreferrer noopener">${entry.title ?? '(no title)'}</a>`,
      under: html`<div dir="auto">
        ${entry.excerpt.length > 160 ? `${entry.excerpt.slice(0, 160)}…` : entry.excerpt}
      </div>`,
      facts: [
        ['Date', entry.dateSource === 'feed' ? moment(web.config, new Date(entry.publishedAt)) : 'none given'],
        entry.categories.length > 0 && ['Its labels', entry.categories.slice(0, 8).join(', ')],
        entry.mappedTo.length > 0 && [
          'Goes to',
          entry.mappedTo.map((slug, at) => `${slug} (${entry.mappedBecause[at]})`).join(', '),
        ],
        entry.image !== null && [
          'Picture',
          html`<a href="${safeUrl(entry.image)}" rel="noreferrer noopener">${fileName(entry.image)}</a>:
            ${entry.imageNote}`,
        ],
        entry.source !== null && ['Source', entry.source],
        entry.cut.length > 0 && ['Left out', entry.cut.map((text) => `“${cutAtWord(text, 80)}”`).join(', ')],
        ['What happens', happens(entry)],
        entry.sendableAt !== null &&
          entry.publishedAt === entry.sendableAt && ['In mails from', moment(web.config, new Date(entry.sendableAt))],
      ],
    })),
  )
}
