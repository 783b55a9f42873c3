// One edition: its account, its deliveries with the relay's answers, its stories, its history, and the buttons that its state
// allows. All of this except the stories is live: it is updated without a reload.

import type { Request, Router } from 'express'
import { listAudit } from '../../access/audit.ts'
import { listCategories } from '../../articles/store.ts'
import type { Edition } from '../../db/schema.ts'
import { brakeSentence } from '../../desk/brake-words.ts'
import { listBrakesOf } from '../../desk/brakes.ts'
import { html, type Html, type HtmlValue, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { dueWords, moveButtons, moveNotice, mountEditionMoves } from './edition-moves.ts'
import { type EditionNow, getEdition, isBeforeSlot, readEditionNow } from './edition-now.ts'
import { accountBar, accountTable, editionName, editionState, progressWords } from './edition-parts.ts'
import { noticePart, sendConsole } from './layout.ts'
import { LiveFeed, type Parts, partOf } from './live.ts'
import { count, facts, historyList, moment, sentence, state } from './parts.ts'
import { returnedOfEdition } from './returned.ts'
import { pathId, queryText } from './query.ts'
import { listEditionStories } from '../../editions/stories.ts'
import { countUnsubscribes } from '../../subscribers/unsubscribes.ts'

export function mountEdition(router: Router, web: WebContext): void {
  const live = new LiveFeed()

  router.get('/editions/:id', async (request, response) => {
    const now = await readEditionNow(web, pathId(request))
    const { edition } = now
    const { done, path } = liveOf(request, edition.id)
    const { actions, notice, ...body } = await liveParts(web, now, done)
    sendConsole(request, response, web, {
      section: 'editions',
      title: editionName(edition, await listCategories(web.db, { withRetired: true })),
      back: ['Editions', '/admin/editions'],
      notice,
      actions,
      live: path,
      body: html`${partOf('facts', body.facts)} ${partOf('brakes', body.brakes)}
        <p class="standing">
          <span role="status" data-part="state">${body.state}</span> <span data-part="words">${body.words}</span>
        </p>
        ${partOf('account', body.account)}
        ${edition.kind === 'announcement' ? announcement(edition) : await storyList(web, edition)}
        ${partOf('history', body.history)}`,
    })
  })

  router.get('/editions/:id/live', async (request, response) => {
    const { id } = await getEdition(web, pathId(request))
    const { done, path } = liveOf(request, id)
    live.watch(path, async () => liveParts(web, await readEditionNow(web, id, { isLive: true }), done), response)
  })

  mountEditionMoves(router, web)
}

/** The address of the page's live updates, which include the notice. */
function liveOf(request: Request, id: number): { done: string | undefined; path: string } {
  const done = /^[a-z]{1,20}$/.exec(queryText(request, 'done') ?? '')?.[0]
  return { done, path: `/admin/editions/${id}/live${done ? `?done=${done}` : ''}` }
}

/** The parts that are updated. */
async function liveParts(web: WebContext, now: EditionNow, done: string | undefined): Promise<EditionParts> {
  const { edition, account } = now
  const history = await listAudit(web.db, { subject: `edition:${edition.id}`, limit: 20 })
  const isMissed = edition.state === 'missed'
  const isEmpty = isMissed || (account.audience === 0 && !edition.plannedAt && !edition.closedAt)
  return {
    actions: html`${ownPages(edition)} ${moveButtons(now)}`,
    notice: noticePart(moveNotice(now, done, history)),
    facts: facts([
      ['Number', edition.id],
      ['Slot', edition.slotAt ? moment(web.config, edition.slotAt, { withYear: true }) : 'none: sent when triggered'],
      ['Made', moment(web.config, edition.createdAt, { withYear: true })],
      ['Closed', moment(web.config, edition.closedAt, { withYear: true })],
    ]),
    brakes: await brakeList(web, edition),
    state: editionState(edition),
    words: isMissed
      ? html`${count(edition.missed, 'subscriber')} had this slot while nothing ran. Their stories come in their next
        digest.`
      : html`${planningWords(web, now)} ${account.audience > 0 && `· ${progressWords(account, web.clock.now())}`}
        ${now.again === null && '· counting what can be sent again'}
        ${edition.note && html`· ${sentence(web.config, edition.note)}`}`,
    account: isEmpty
      ? html``
      : html`${account.audience > 0 && accountBar(account, { isLarge: true })}
        ${accountTable(account, (filter) => `/admin/editions/${edition.id}/deliveries?state=${filter}`)}
        ${await returnedOfEdition(web, edition, account.sent)} ${await unsubscribesOf(web, edition)}`,
    history: await historyList(web, history),
  }
}

/** Next to the account, which doesn't change. */
async function unsubscribesOf(web: WebContext, { id }: Edition): Promise<HtmlValue> {
  const unsubscribes = (await countUnsubscribes(web.db, [id])).get(id)!
  return unsubscribes > 0 && html`<p class="small">${count(unsubscribes, 'subscriber')} unsubscribed by its links.</p>`
}

interface EditionParts extends Parts {
  actions: Html
  notice: Html
  facts: Html
  brakes: Html
  state: Html
  words: Html
  account: Html
  history: Html
}

/** Buttons that only open a page. */
function ownPages(edition: Edition): Html {
  if (edition.kind === 'announcement') return html``
  const canArrange = edition.state === 'awaiting_approval' || edition.state === 'held'
  return html`${canArrange && html`<a class="button main" href="${to(`/admin/editions/${edition.id}/arrange`)}">Arrange stories…</a>`}
  ${edition.cutoffSeq !== null && html`<a class="button" href="${to(`/admin/preview?edition=${edition.id}`)}">Preview</a>`}`
}

async function brakeList(web: WebContext, edition: Edition): Promise<Html> {
  const brakes = await listBrakesOf(web.db, edition)
  if (brakes.length === 0) return html``
  return html`<ul class="warnings" aria-label="Needs attention">
    ${brakes.map(
      (brake) =>
        html`<li>${state('Act', 'bad')} <a href="${to(`/admin/brakes/${brake.id}`)}">${brakeSentence(brake)}</a></li>`,
    )}
  </ul>`
}

/** For an edition that isn't planned yet: before its slot it has no deliveries, and its account is empty. */
function planningWords(web: WebContext, now: EditionNow): HtmlValue {
  const { edition } = now
  if (edition.plannedAt || edition.closedAt || edition.state === 'cancelled') return null
  if (!isBeforeSlot(web, edition)) return '· still being planned'
  const isSentUnseen = web.config.digest.approvalPolicy === 'send'
  const then =
    edition.state === 'held'
      ? 'planned then, and kept until you release it'
      : edition.approvedAt || isSentUnseen
        ? 'planned and sent then'
        : 'planned then, and held if nobody has released it'
  return html`· ${moment(web.config, edition.slotAt)}: ${then}. ${dueWords(now)}`
}

async function storyList(web: WebContext, edition: Edition): Promise<Html> {
  const stories = (await listEditionStories(web.db, edition.id)).filter((story) => !story.isDropped)
  if (stories.length === 0) return html``
  const categories = await listCategories(web.db, { withRetired: true })
  const groups = [...Map.groupBy(stories, (story) => story.categoryId)]
  return html`<h2>Stories on offer</h2>
    <p class="small">Each subscriber gets, of their due categories, what they haven’t had.</p>
    ${groups.map(
      ([id, list]) =>
        html`<details>
          <summary>
            ${categories.find((category) => category.id === id)?.name ?? `Category ${id}`}
            (${count(list.length, 'story', 'stories')})
          </summary>
          <ol class="stories">
            ${list.slice(0, 30).map((story) => html`<li><bdi>${story.title}</bdi>${story.isPinned && ' (pinned)'}</li>`)}
          </ol>
          ${list.length > 30 && html`<p class="small">and ${list.length - 30} older ones</p>`}
        </details>`,
    )}`
}

function announcement(edition: Edition): Html {
  return html`<h2>The mail</h2>
    <iframe
      class="mail"
      title="The announcement as a mail"
      sandbox=""
      src="${to(`/admin/preview/mail?edition=${edition.id}`)}"
    ></iframe>`
}
