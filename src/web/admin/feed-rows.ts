// A list of feeds: the health of each, its last stories, and the actions.

import { type FeedReport, type FeedView, wrongClock } from '../../articles/feeds.ts'
import { html, type Html, type HtmlValue, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { moment, number, rowList, state } from './parts.ts'

export const aheadWords = `Even its newest stories are dated ahead, and wait: ${wrongClock}.`

export function feedState(feed: FeedView): Html {
  if (feed.state === 'gone') return state('gone', 'bad')
  if (feed.state === 'paused') return state('paused', 'plain')
  if (feed.failures > 0) return state(`failing (${feed.failures})`, feed.failures > 4 ? 'bad' : 'warn')
  return feed.lastSuccessAt ? state('well', 'good') : state('not fetched yet', 'busy')
}

/** Feeds with problems first. */
export function feedRows(web: WebContext, feeds: readonly FeedView[]): Html {
  const trouble = (feed: FeedView) => (feed.state === 'gone' ? 2 : feed.state === 'active' && feed.failures > 0 ? 1 : 0)
  return rowList(
    'Feeds',
    feeds
      .toSorted((a, b) => trouble(b) - trouble(a) || a.id - b.id)
      .map((feed) => {
        const last = feed.lastReport as FeedReport | null
        return {
          title: html`<a href="${to(`/admin/feeds/${feed.id}`)}">${feed.title || feed.url}</a>`,
          state: feedState(feed),
          under: feed.title && feed.url,
          trouble: feed.lastError ?? (feed.seemsAhead ? aheadWords : feed.moveProblem),
          facts: [
            ['Last success', moment(web.config, feed.lastSuccessAt)],
            feed.state === 'active' && ['Next poll', nextPoll(web, feed)],
            ['Goes to', feed.categories.join(', ') || 'what its labels and rules say'],
            last && ['Brought last', brought(last)],
          ],
          more: last && whyIgnored(last),
          actions: rowActions(feed),
        }
      }),
  )
}

/** Of an active feed. */
export function nextPoll(web: WebContext, { nextPollAt }: FeedView): HtmlValue {
  return nextPollAt && nextPollAt <= web.clock.now() ? 'due now' : moment(web.config, nextPollAt)
}

function brought(last: FeedReport): string {
  return `${number(last.taken)} taken, ${number(last.changed)} changed, ${number(last.unchanged)} known, ${number(last.ignored)} ignored`
}

/** "3 ignored: it is older than what a new feed brings", the most frequent first. */
function whyIgnored(last: FeedReport): Html | null {
  const counts = new Map<string, number>()
  for (const { why } of last.reasons) counts.set(why, (counts.get(why) ?? 0) + 1)
  const said = [...counts].toSorted(([, a], [, b]) => b - a).map(([why, times]) => `${number(times)} × ${why}`)
  return said.length ? html`<span class="small">Ignored: ${said.join('; ')}</span>` : null
}

function rowActions(feed: FeedView): Html {
  const name = feed.title || feed.url
  const button = (path: string, words: string, state?: string) =>
    html`<form class="inline-form" method="post" action="${to(`/admin/feeds/${feed.id}/${path}`)}">
      <input type="hidden" name="from" value="list" />
      ${state && html`<input type="hidden" name="state" value="${state}" />`}
      <button class="quiet" aria-label="${words} ${name}">${words}</button>
    </form>`
  return html`${button('poll', 'Poll now')}
    ${feed.state === 'active' ? button('state', 'Pause', 'paused') : button('state', 'Resume', 'active')}
    <a href="${to(`/admin/feeds/${feed.id}#mapping`)}" aria-label="Map ${name}">Map</a>
    <a href="${to(`/admin/articles?feed=${feed.id}`)}" aria-label="Stories of ${name}">Stories</a>`
}
