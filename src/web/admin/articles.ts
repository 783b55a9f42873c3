// Articles, newest first: hold one, pin it to the top of its categories, withdraw it from everything not yet sent.

import type { Router } from 'express'
import { noteAction } from '../../access/audit.ts'
import { type ArticleAction, articleActions, controlArticle, getArticle } from '../../articles/control.ts'
import { waitsUntil } from '../../articles/embargo.ts'
import { listCategories } from '../../articles/store.ts'
import { isolate } from '../../base/direction.ts'
import { Refusal } from '../../base/errors.ts'
import { articlePage, readArticleCursor } from '../api/articles.ts'
import { html, type Html, safeUrl, to } from '../html.ts'
import { listArticles, type ShownArticle } from '../reads/articles.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { empty, moment, pager, rowList, state } from './parts.ts'
import { largestInt, readId } from '../path-id.ts'
import { noticeOf, pathId, queryText } from './query.ts'
import { seeOther } from '../place.ts'

const pageSize = 50
const states = ['waiting', 'held', 'pinned', 'withdrawn'] as const

export function mountArticles(router: Router, web: WebContext): void {
  router.get('/articles', async (request, response) => {
    const query = {
      q: queryText(request, 'q'),
      category: queryText(request, 'category'),
      feed: queryText(request, 'feed'),
      state: states.find((one) => one === queryText(request, 'state')),
      cursor: queryText(request, 'cursor'),
    }
    const rows = await listArticles(web.db, {
      text: query.q,
      category: query.category,
      feedId: readId(query.feed, largestInt),
      state: query.state,
      after: readArticleCursor(query.cursor),
      limit: pageSize + 1,
    })
    const { items: articles, next } = articlePage(rows, pageSize)
    const categories = await listCategories(web.db, { withRetired: true })
    sendConsole(request, response, web, {
      section: 'articles',
      title: 'Articles',
      notice: noticeOf(request, {
        hold: 'Held back. It is in no mail until you release it.',
        release: 'Released. It counts as new from now on.',
        'release-waiting': 'Released. It still waits for its date, and counts as new from then on.',
        pin: 'Pinned: first in its categories.',
        unpin: 'No longer pinned.',
        withdraw: 'Withdrawn. It leaves every mail not yet sent.',
        restore: 'Back. It counts as new from now on.',
        'restore-waiting': 'Back. It still waits for its date, and counts as new from then on.',
      }),
      body: html`<form class="filters" method="get">
          <input
            name="q"
            type="search"
            value="${query.q ?? ''}"
            placeholder="Words in the title"
            aria-label="Words in the title"
          />
          <select name="category" aria-label="Category">
            <option value="">All categories</option>
            ${categories.map(
              ({ slug, name }) =>
                html`<option value="${slug}" ${slug === query.category && html`selected`}>${name}</option>`,
            )}
          </select>
          <select name="state" aria-label="State">
            <option value="">In any state</option>
            ${states.map((one) => html`<option value="${one}" ${one === query.state && html`selected`}>${one}</option>`)}
          </select>
          ${query.feed && html`<input type="hidden" name="feed" value="${query.feed}" />`}
          <button>Show</button>
        </form>
        ${articles.length === 0 ? empty('No articles here.') : articleRows(web, articles)}
        ${pager('/admin/articles', query, next)}`,
    })
  })

  router.get('/articles/:id/withdraw', async (request, response) => {
    const article = await getArticle(web.db, pathId(request, largestInt))
    sendConfirmation(request, response, web, {
      section: 'articles',
      title: `Withdraw “${isolate(article.title, 'ltr')}”?`,
      explanation: html`<p>
        It leaves the pages and every mail that hasn’t been sent. Mails that are out already keep it. You can bring it
        back.
      </p>`,
      button: 'Withdraw this story',
      back: ['Articles', '/admin/articles'],
      isFinal: true,
    })
  })

  router.post('/articles/:id/:action', async (request, response) => {
    const action = articleActions.find((one) => one === request.params.action)
    if (!action) throw new Refusal('not_found', 'There is nothing here.')
    const article = await controlArticle(web, pathId(request, largestInt), action)
    const subject = `article:${article.id}`
    await noteAction(web, { actor: actorOf(request), action: `article.${pastTense[action]}`, subject })
    const stillWaits = (action === 'release' || action === 'restore') && article.sendableAt === null
    seeOther(response, `/admin/articles?done=${action}${stillWaits ? '-waiting' : ''}`)
  })
}

const pastTense: Record<ArticleAction, string> = {
  hold: 'held',
  release: 'released',
  pin: 'pinned',
  unpin: 'unpinned',
  withdraw: 'withdrawn',
  restore: 'restored',
}

function articleRows(web: WebContext, articles: readonly ShownArticle[]): Html {
  return rowList(
    'Articles',
    articles.map((article) => ({
      title: html`<a href="${safeUrl(article.link)}" rel="noreferrer noopener">${article.title}</a>`,
      state: stateOf(web, article),
      facts: [
        [
          article.dateSource === 'first-seen' ? 'First seen' : article.sendableAt ? 'Published' : 'Dated',
          moment(web.config, article.publishedAt),
        ],
        [
          'In',
          article.categories.map((name) => isolate(name, 'ltr')).join(', ') || html`<span class="none">nobody’s</span>`,
        ],
        [
          'From',
          [article.feedTitle ?? article.source, article.author]
            .flatMap((name) => (name ? isolate(name, 'ltr') : []))
            .join(' · ') || 'the API',
        ],
      ],
      actions: buttons(article),
    })),
  )
}

function stateOf(web: WebContext, article: ShownArticle): Html {
  if (article.withdrawnAt) return state('withdrawn', 'bad')
  if (article.heldAt) return state('held', 'warn')
  const until = waitsUntil(article, web.clock.now())
  if (until) return state(html`waits until ${moment(web.config, until)}`, 'busy')
  if (!article.sendableAt) return state('waits for the next minute', 'busy')
  return article.pinnedAt ? state('pinned', 'good') : state('out', 'plain')
}

function buttons(article: ShownArticle): Html {
  const button = (action: ArticleAction, words: string) =>
    html`<form class="inline-form" method="post" action="${to(`/admin/articles/${article.id}/${action}`)}">
      <button class="quiet" aria-label="${words} ${article.title}">${words}</button>
    </form>`
  if (article.withdrawnAt) return button('restore', 'Bring back')
  return html`${article.heldAt ? button('release', 'Release') : button('hold', 'Hold')}
    ${article.pinnedAt ? button('unpin', 'Unpin') : button('pin', 'Pin')}
    <a href="${to(`/admin/articles/${article.id}/withdraw`)}">Withdraw…</a>`
}
