// The categories of a WordPress site: the chosen ones are created here with their feeds. The posted form isn't trusted: the site
// is read again, and the ticked categories are looked up there.

import type { Request, Response, Router } from 'express'
import { discoverFeed } from '../../articles/discover.ts'
import { listFeeds } from '../../articles/feeds.ts'
import { addSiteCategories, mostChosen, type SiteReport } from '../../articles/site-categories.ts'
import type { WordPressSite } from '../../articles/wordpress.ts'
import { invalid } from '../../base/errors.ts'
import { field, fieldList, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { queryAddress } from './feed-try.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { count } from './parts.ts'
import { seeOther } from '../place.ts'

const back = ['Feeds', '/admin/feeds'] as const

export function mountFeedSite(router: Router, web: WebContext): void {
  router.get('/feeds/site', async (request, response) => {
    if (request.query['url'] === undefined) return sendPage(request, response, askForSite)
    const url = queryAddress(request)
    const found = await discoverFeed(web, url, { orSite: true })
    if (found.outcome === 'several')
      return sendPage(request, response, choiceOfFeeds(found.feeds.map((feed) => feed.url)))
    if (found.outcome === 'feed')
      return sendPage(
        request,
        response,
        html`${found.note && html`<p class="notice warn">${found.note}</p>`}
          <p>It has one feed of everything: ${linkToTry(found.url)}.</p>`,
      )
    const there = new Map((await listFeeds(web.db)).map((feed) => [feed.url, feed.id]))
    const whole = found.feeds[0]?.url ?? `${found.site.home}feed/`
    sendPage(request, response, siteForm(url, found.site, there, whole))
  })

  router.post('/feeds/site', readForm, async (request, response) => {
    const url = field(request, 'url') ?? ''
    const ticked = new Set(fieldList(request, 'feed'))
    if (ticked.size === 0) throw invalid('feed', 'Tick at least one category.')
    if (ticked.size > mostChosen) throw invalid('feed', `Tick ${mostChosen} categories at most.`)
    const found = await discoverFeed(web, url, { orSite: true })
    const categories = found.outcome === 'site' ? found.site.categories : []
    const chosen = categories.filter(({ feedUrl }) => ticked.has(feedUrl))
    if (chosen.length === 0) throw invalid('feed', 'The site no longer offers these categories. Load the site again.')
    const report = await addSiteCategories(web, chosen, actorOf(request))
    if (report.left.length === 0) return seeOther(response, '/admin/feeds?done=site')
    sendPage(request, response, outcome(report, url))
  })

  function sendPage(request: Request, response: Response, body: Html): void {
    sendConsole(request, response, web, { section: 'feeds', title: 'Categories of a WordPress site', back, body })
  }
}

const askForSite: Html = html`<form method="get" action="${to('/admin/feeds/site')}">
  <label for="url">Address of the site</label>
  <input id="url" name="url" type="text" inputmode="url" maxlength="2000" required />
  <p class="buttons"><button class="main">Look at it</button></p>
</form>`

function siteForm(url: string, site: WordPressSite, there: ReadonlyMap<string, number>, whole: string): Html {
  const stories = (known: number | null) =>
    known === null ? 'number of stories unknown' : count(known, 'story', 'stories')
  return html`<p>
      <code>${site.home}</code> is a WordPress site with ${count(site.categories.length, 'category', 'categories')}.
    </p>
    ${site.notes.map((note) => html`<p class="notice warn">${note}</p>`)}
    <form method="post" action="${to('/admin/feeds/site')}">
      <input type="hidden" name="url" value="${url}" />
      <fieldset>
        <legend>Offer these to readers, each with its own feed</legend>
        <div class="choices">
          ${site.categories.map(({ name, count: known, feedUrl, isUnfiled }) => {
            const id = there.get(feedUrl)
            return html`<label class="choice">
              <input type="checkbox" name="feed" value="${feedUrl}" ${id !== undefined && html`disabled`} />
              <span
                >${name}
                <span class="small"
                  >${id === undefined ? stories(known) : `feed ${id} already`}${isUnfiled && ', what nobody has filed'}</span
                ></span
              >
            </label>`
          })}
        </div>
      </fieldset>
      <p class="small">A category that you have already gets the feed as well; the others are made.</p>
      <p class="buttons"><button class="main">Add the ticked ones</button></p>
    </form>
    <h2>Or one feed of everything</h2>
    <p>The labels of its stories and your rules say where they go: ${linkToTry(whole)}</p>`
}

function outcome({ added, left }: SiteReport, url: string): Html {
  return html`${
      added.length > 0
        ? html`<p class="notice">Added, and fetched within a minute: ${added.map(({ name }) => name).join(', ')}.</p>`
        : html`<p class="notice warn">Nothing was added.</p>`
    }
    <h2>Not added</h2>
    <ul>
      ${left.map(({ name, why }) => html`<li><b>${name}</b>: ${why}</li>`)}
    </ul>
    <p>
      <a href="${to(`/admin/feeds/site?url=${encodeURIComponent(url)}`)}">Look at the site again</a> ·
      <a href="${to('/admin/feeds')}">All feeds</a>
    </p>`
}

function choiceOfFeeds(urls: readonly string[]): Html {
  return html`<p>Its categories can’t be read, but its page names ${count(urls.length, 'feed')}. Choose one:</p>
    <ul>
      ${urls.map((url) => html`<li>${linkToTry(url)}</li>`)}
    </ul>`
}

function linkToTry(url: string): Html {
  return html`<a href="${to(`/admin/feeds/try?url=${encodeURIComponent(url)}`)}">${url}</a>`
}
