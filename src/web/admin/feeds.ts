// Feeds: the health of each, the stories of its last poll and why the others were ignored; try, add, map, pause, poll now, remove.

import type { Request, Router } from 'express'
import { noteAction } from '../../access/audit.ts'
import { discoverFeed } from '../../articles/discover.ts'
import { listRules, setRules } from '../../articles/feed-rules.ts'
import {
  addFeed,
  changeFeed,
  type FeedReport,
  type FeedView,
  getFeed,
  listFeeds,
  removeFeed,
} from '../../articles/feeds.ts'
import { pollFeed, type PollOutcome } from '../../articles/poll.ts'
import { readRules } from '../../articles/rule-lines.ts'
import { listCategories } from '../../articles/store.ts'
import { invalid } from '../../base/errors.ts'
import { field, fieldList, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { mountFeedImport } from './feed-import.ts'
import { mountFeedSite } from './feed-site.ts'
import { mappingForm } from './feed-mapping.ts'
import { aheadWords, feedRows, feedState, nextPoll } from './feed-rows.ts'
import { showTry } from './feed-try.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { count, empty, facts, moment, number, rowList } from './parts.ts'
import { largestInt } from '../path-id.ts'
import { noticeOf, pathId } from './query.ts'
import { seeOther } from '../place.ts'

const back = ['Feeds', '/admin/feeds'] as const

export function mountFeeds(router: Router, web: WebContext): void {
  router.get('/feeds', async (request, response) => {
    const feeds = await listFeeds(web.db)
    sendConsole(request, response, web, {
      section: 'feeds',
      title: 'Feeds',
      notice: noticeOf(request, {
        site: 'Added. Their feeds are fetched within a minute.',
        removed: 'Removed. Its stories stay.',
        polled: 'Fetched just now.',
        'not-polled': failedPoll,
        paused: 'Paused. Nothing is fetched until you resume it.',
        active: 'Resumed. It is fetched within a minute.',
      }),
      body: html`${
          feeds.length === 0
            ? empty('No feeds yet. Give the address of a feed, or of a page that names one.')
            : feedRows(web, feeds)
        }
        <h2>Add a feed</h2>
        <form method="get" action="${to('/admin/feeds/try')}">
          <label for="url">Address of the feed, of a page that names it, or of a WordPress site</label>
          <input id="url" name="url" type="url" required maxlength="2000" placeholder="https://" />
          <p class="buttons"><button class="main">Try it</button></p>
        </form>
        <p><a href="${to('/admin/feeds/import')}">Import a list of feeds (OPML)…</a></p>`,
    })
  })

  router.get('/feeds/try', showTry(web))
  mountFeedSite(router, web)
  mountFeedImport(router, web)

  router.post('/feeds', readForm, async (request, response) => {
    const given = field(request, 'url') ?? ''
    const found = await discoverFeed(web, given)
    // The editor chooses one there.
    if (found.outcome !== 'feed') return seeOther(response, `/admin/feeds/try?url=${encodeURIComponent(given)}`)
    const added = await addFeed(web, {
      url: found.url,
      categories: fieldList(request, 'category'),
      ignoresDatesAhead: field(request, 'ignore-dates-ahead') !== undefined,
    })
    await note(request, 'feed.added', added.id, { url: added.url })
    const isFetched = hasFetched(await pollFeed(web, added.id))
    seeOther(response, `/admin/feeds/${added.id}?done=${isFetched ? 'added' : 'not-added'}`)
  })

  router.get('/feeds/:id', async (request, response) => {
    const feed = await getFeed(web.db, pathId(request, largestInt))
    const categories = await listCategories(web.db)
    const rules = await listRules(web.db, feed.id)
    sendConsole(request, response, web, {
      section: 'feeds',
      title: feed.title || feed.url,
      back,
      notice: noticeOf(request, {
        added: 'Added and fetched.',
        'not-added': 'Added, but the first fetch failed. The reason is below.',
        polled: 'Fetched just now.',
        'not-polled': failedPoll,
        changed: 'Saved. It counts from the next poll on.',
        paused: 'Paused. Nothing is fetched until you resume it.',
        active: 'Resumed. It is fetched within a minute.',
      }),
      actions: html`<form class="inline-form" method="post" action="${to(`/admin/feeds/${feed.id}/poll`)}">
          <button class="main">Poll now</button>
        </form>
        <form class="inline-form" method="post" action="${to(`/admin/feeds/${feed.id}/state`)}">
          ${
            feed.state === 'active'
              ? html`<button name="state" value="paused">Pause</button>`
              : html`<button name="state" value="active">Resume</button>`
          }
        </form>`,
      body: html`${health(web, feed)} ${report(web, feed.lastReport as FeedReport | null)}
        ${mappingForm(feed, categories, rules, web.config.digest.timezone)}
        <p>
          <a href="${to(`/admin/articles?feed=${feed.id}`)}">Its stories</a> ·
          <a href="${to(`/admin/feeds/${feed.id}/remove`)}">Remove the feed…</a>
        </p>`,
    })
  })

  router.post('/feeds/:id/poll', readForm, async (request, response) => {
    const id = pathId(request, largestInt)
    await getFeed(web.db, id)
    const isFetched = hasFetched(await pollFeed(web, id))
    await note(request, 'feed.polled', id)
    seeOther(response, `${whence(request, id)}?done=${isFetched ? 'polled' : 'not-polled'}`)
  })

  router.post('/feeds/:id/state', readForm, async (request, response) => {
    const wanted = field(request, 'state')
    if (wanted !== 'active' && wanted !== 'paused') throw invalid('state', 'Must be active or paused.')
    const feed = await changeFeed(web, { id: pathId(request, largestInt), state: wanted })
    await note(request, wanted === 'active' ? 'feed.resumed' : 'feed.paused', feed.id)
    seeOther(response, `${whence(request, feed.id)}?done=${wanted}`)
  })

  router.post('/feeds/:id/mapping', readForm, async (request, response) => {
    const feed = await changeFeed(web, {
      id: pathId(request, largestInt),
      categories: fieldList(request, 'category'),
      ignoresDatesAhead: field(request, 'ignore-dates-ahead') !== undefined,
      timezone: field(request, 'timezone')?.trim() || null,
    })
    await setRules(web, feed.id, readRules(field(request, 'rules') ?? ''))
    await note(request, 'feed.mapped', feed.id)
    seeOther(response, `/admin/feeds/${feed.id}?done=changed`)
  })

  router.get('/feeds/:id/remove', async (request, response) => {
    const feed = await getFeed(web.db, pathId(request, largestInt))
    sendConfirmation(request, response, web, {
      section: 'feeds',
      title: `Remove “${feed.title || feed.url}”?`,
      explanation: html`<p>It is no longer fetched. Its stories stay, and so does everything that was sent.</p>`,
      button: 'Remove this feed',
      back,
      isFinal: true,
    })
  })

  router.post('/feeds/:id/remove', async (request, response) => {
    const id = pathId(request, largestInt)
    await removeFeed(web, id)
    await note(request, 'feed.removed', id)
    seeOther(response, '/admin/feeds?done=removed')
  })

  function note(request: Request, action: string, id: number, detail: Record<string, unknown> = {}): Promise<void> {
    return noteAction(web, { actor: actorOf(request), action, subject: `feed:${id}`, detail })
  }
}

const failedPoll = 'It was asked just now, but the fetch failed. The reason is below.'

function hasFetched(poll: PollOutcome | undefined): boolean {
  return poll?.outcome === 'polled' || poll?.outcome === 'not-modified'
}

/** The page with the button. */
function whence(request: Request, id: number): string {
  return field(request, 'from') === 'list' ? '/admin/feeds' : `/admin/feeds/${id}`
}

function health(web: WebContext, feed: FeedView): Html {
  return html`<p class="small"><code>${feed.url}</code></p>
    ${feed.seemsAhead && html`<p class="notice warn">${aheadWords} <a href="#mapping">Ignore dates ahead</a></p>`}
    ${feed.moveProblem && html`<p class="notice warn">${feed.moveProblem}</p>`}
    ${feed.lastError && html`<p class="notice ${feed.state === 'gone' ? 'bad' : 'warn'}">${feed.lastError}</p>`}
    ${facts([
      ['Health', feedState(feed)],
      ['Last success', moment(web.config, feed.lastSuccessAt)],
      ['Last new story', moment(web.config, feed.lastNewAt)],
      ['Next poll', feed.state === 'active' ? nextPoll(web, feed) : '–'],
      ['Rhythm', `every ${Math.max(1, Math.round(feed.intervalSeconds / 60))} minutes`],
      feed.movedFrom !== null && [
        'Moved',
        html`${moment(web.config, feed.movedAt, { withYear: true })} from <code>${feed.movedFrom}</code>`,
      ],
      feed.hubUrl !== null && ['Hub', hubState(web, feed)],
    ])}`
}

function hubState(web: WebContext, feed: FeedView): Html {
  if (feed.hubDenied !== null) return html`refused: ${feed.hubDenied}`
  if (feed.hubExpiresAt) return html`tells us at once, until ${moment(web.config, feed.hubExpiresAt)}`
  return html`asked ${moment(web.config, feed.hubAskedAt)}, has not answered`
}

function report(web: WebContext, last: FeedReport | null): Html | null {
  if (!last) return null
  return html`<h2>What it brought last</h2>
    <p>
      ${moment(web.config, new Date(last.at))}: ${count(last.entries, 'entry', 'entries')}, ${number(last.taken)} taken,
      ${number(last.changed)} changed, ${number(last.unchanged)} known, ${number(last.ignored)} ignored.
    </p>
    ${
      last.reasons.length > 0 &&
      rowList(
        'Ignored entries',
        last.reasons.map((reason) => ({ title: reason.title || '(no title)', facts: [['Ignored, as', reason.why]] })),
      )
    }`
}
