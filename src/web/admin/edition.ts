// One edition: its account as it grows, its deliveries with what the relay said, its stories, what was done to it, and the
// buttons that its state allows, each with a page that asks first.

import type { Router } from 'express'
import { listAudit } from '../../access/audit.ts'
import { listCategories } from '../../articles/store.ts'
import { Refusal } from '../../base/errors.ts'
import type { Edition } from '../../db/schema.ts'
import { paragraphsOf } from '../../digests/announce.ts'
import { brakeSentence } from '../../digests/brake-words.ts'
import { listBrakesOf } from '../../digests/brakes.ts'
import { listEditionStories } from '../../digests/approval.ts'
import {
  editionMoves,
  type EditionMove,
  moveEdition,
  movesOf,
  retryFailed,
  decideUncertain,
} from '../../digests/control.ts'
import { accountOf, findEdition } from '../../digests/editions.ts'
import { html, type Html, type HtmlValue } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { wakeTick } from '../wake.ts'
import { sendConfirmation } from './confirm.ts'
import { accountBar, accountTable, editionName, editionState, progressWords } from './edition-parts.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { LiveFeed } from './live.ts'
import { actorNames, count, facts, moment, sentence, state } from './parts.ts'
import { noticeOf, pathId } from './query.ts'

/** What an editor can do to an edition; the last three are about single deliveries of it. */
type Move = EditionMove | 'retry' | 'resend' | 'accept'
const moves: readonly Move[] = [...(Object.keys(editionMoves) as EditionMove[]), 'retry', 'resend', 'accept']

const words: Record<Move, { label: string; explanation: string; done: string; isFinal?: boolean }> = {
  hold: {
    label: 'Hold',
    explanation: 'It isn’t sent at its slot, but waits until an editor releases or cancels it.',
    done: 'Held. It waits for an editor.',
  },
  release: {
    label: 'Release',
    explanation: 'It is approved: sent at its slot, or at once if the slot has passed.',
    done: 'Released.',
  },
  pause: {
    label: 'Pause',
    explanation: 'No further mail is begun. Those on the wire at this moment are finished.',
    done: 'Paused.',
  },
  resume: { label: 'Resume', explanation: 'Sending goes on with the mails that are open.', done: 'Sending goes on.' },
  cancel: {
    label: 'Cancel',
    explanation: 'Nothing more of it is sent, and that can’t be taken back. What has been sent stays sent.',
    done: 'Cancelled.',
    isFinal: true,
  },
  retry: {
    label: 'Retry failed',
    explanation: 'Mails that failed are tried again, for those who are still subscribed and have had no digest since.',
    done: 'What failed is being tried again.',
  },
  resend: {
    label: 'Resend uncertain',
    explanation:
      'Nobody knows whether the uncertain mails arrived. They are sent once more, with the same Message-ID, by which many mail programs show one.',
    done: 'What was uncertain is being sent again.',
  },
  accept: {
    label: 'Take uncertain as sent',
    explanation: 'The uncertain mails count as sent, and nothing more is done about them.',
    done: 'What was uncertain counts as sent.',
  },
}
const notices = Object.fromEntries(Object.entries(words).map(([move, { done }]) => [move, done]))
notices.triggered = 'Triggered. It is being planned; the counts below follow.'
notices.arranged = 'Saved, and rendered again.'

export function mountEdition(router: Router, web: WebContext): void {
  const live = new LiveFeed(async (id) => (await liveHtml(web, await getEdition(web, id))).text)

  router.get('/editions/:id', async (request, response) => {
    const edition = await getEdition(web, pathId(request))
    const categories = await listCategories(web.db, { withRetired: true })
    const isOver = edition.closedAt !== null
    const account = await accountOf(web.db, edition.id)
    const offered: Move[] = [...movesOf(edition)]
    if (account.failed > 0) offered.push('retry')
    if (account.uncertain > 0) offered.push('resend', 'accept')
    sendConsole(request, response, web, {
      section: 'editions',
      title: editionName(edition, categories),
      back: ['Editions', '/admin/editions'],
      notice: noticeOf(request, notices),
      actions: html`${
        (edition.state === 'awaiting_approval' || edition.state === 'held') &&
        edition.kind !== 'announcement' &&
        html`<a class="button main" href="/admin/editions/${edition.id}/arrange">Arrange stories…</a>`
      }
      ${edition.cutoffSeq !== null && edition.kind !== 'announcement' && html`<a class="button" href="/admin/preview?edition=${edition.id}">Preview</a>`}
      ${offered.map((move) => html`<a class="button" href="/admin/editions/${edition.id}/${move}">${words[move].label}…</a>`)}`,
      scripts: isOver ? [] : ['/assets/console.js'],
      body: html`${facts([
          ['Number', edition.id],
          [
            'Slot',
            edition.slotAt ? moment(web.config, edition.slotAt, { withYear: true }) : 'none: sent when triggered',
          ],
          ['Made', moment(web.config, edition.createdAt, { withYear: true })],
          ['Closed', moment(web.config, edition.closedAt, { withYear: true })],
        ])}
        <div ${!isOver && html`data-live="/admin/editions/${edition.id}/live"`}>${await liveHtml(web, edition)}</div>
        ${edition.kind === 'announcement' ? announcement(edition) : await storyList(web, edition)}
        ${await history(web, edition)}`,
    })
  })

  router.get('/editions/:id/live', async (request, response) => {
    const edition = await getEdition(web, pathId(request))
    live.watch(edition.id, response)
  })

  for (const move of moves) {
    router.get(`/editions/:id/${move}`, async (request, response) => {
      const edition = await getEdition(web, pathId(request))
      const categories = await listCategories(web.db, { withRetired: true })
      const account = await accountOf(web.db, edition.id)
      const { label, explanation, isFinal } = words[move]
      sendConfirmation(request, response, web, {
        section: 'editions',
        title: `${label} this edition?`,
        explanation: html`<p>
            <b>${editionName(edition, categories)}</b>, now ${editionState(edition)},
            ${progressWords(account, web.clock.now())}${
              move === 'retry' && `, ${count(account.failed, 'delivery', 'deliveries')} failed`
            }${
              (move === 'resend' || move === 'accept') &&
              `, ${count(account.uncertain, 'delivery', 'deliveries')} uncertain`
            }.
          </p>
          <p>${explanation}</p>`,
        button: `${label} edition ${edition.id}`,
        back: ['Back to the edition', `/admin/editions/${edition.id}`],
        isFinal: isFinal ?? false,
      })
    })
    router.post(`/editions/:id/${move}`, async (request, response) => {
      const editionId = pathId(request)
      const actor = actorOf(request)
      if (move === 'retry') await retryFailed(web, { editionId, actor })
      else if (move === 'resend') await decideUncertain(web, { editionId, as: 'resend', actor })
      else if (move === 'accept') await decideUncertain(web, { editionId, as: 'sent', actor })
      else await moveEdition(web, { editionId, move, actor })
      await wakeTick(web)
      response.redirect(303, `/admin/editions/${editionId}?done=${move}`)
    })
  }
}

export async function getEdition(web: WebContext, id: number): Promise<Edition> {
  const edition = await findEdition(web.db, id)
  if (!edition) throw new Refusal('not_found', `There is no edition ${id}.`)
  return edition
}

/** What changes while it is watched. */
async function liveHtml(web: WebContext, edition: Edition): Promise<Html> {
  const account = await accountOf(web.db, edition.id)
  const deliveries = (state: string) => `/admin/editions/${edition.id}/deliveries?state=${state}`
  if (edition.state === 'missed')
    return html`<p>
      ${editionState(edition)} ${count(edition.missed, 'subscriber')} had this slot while nothing ran. Their stories
      come in their next digest.
    </p>`
  const brakes = await listBrakesOf(web.db, edition)
  return html`${
      brakes.length > 0 &&
      html`<ul class="warnings" aria-label="What wants attention">
        ${brakes.map(
          (brake) =>
            html`<li>${state('Act', 'bad')} <a href="/admin/brakes/${brake.id}">${brakeSentence(brake)}</a></li>`,
        )}
      </ul>`
    }
    <p class="standing">
      ${editionState(edition)} ${planningWords(web, edition)}
      ${account.audience > 0 && `· ${progressWords(account, web.clock.now())}`}
      ${edition.note && html`· ${sentence(web.config, edition.note)}`}
    </p>
    ${account.audience > 0 && accountBar(account, { isLarge: true })} ${accountTable(account, deliveries)}`
}

/** What becomes of one that isn't planned yet: before its slot nobody is in it, and its account is empty. */
function planningWords(web: WebContext, edition: Edition): HtmlValue {
  if (edition.plannedAt || edition.closedAt) return null
  if (!edition.slotAt || edition.slotAt <= web.clock.now()) return '· still being planned'
  const isSentUnseen = web.config.digest.approvalPolicy === 'send'
  const then =
    edition.state === 'held'
      ? 'planned then, and kept until you release it'
      : edition.approvedAt || isSentUnseen
        ? 'planned and sent then'
        : 'planned then, and held if nobody has released it'
  return html`· ${moment(web.config, edition.slotAt)}: ${then}`
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
            ${list.slice(0, 30).map((story) => html`<li>${story.title}${story.isPinned && ' (pinned)'}</li>`)}
          </ol>
          ${list.length > 30 && html`<p class="small">and ${list.length - 30} older ones</p>`}
        </details>`,
    )}`
}

function announcement(edition: Edition): Html {
  return html`<h2>The text</h2>
    <div class="letter">${paragraphsOf(edition.content.body ?? '').map((paragraph) => html`<p>${paragraph}</p>`)}</div>`
}

async function history(web: WebContext, edition: Edition): Promise<Html> {
  const lines = await listAudit(web.db, { subject: `edition:${edition.id}`, limit: 20 })
  if (lines.length === 0) return html``
  const names = await actorNames(web.db)
  return html`<h2>What was done</h2>
    <ul class="history">
      ${lines.map(
        (line) =>
          html`<li>
            ${moment(web.config, line.at)} ${names.get(line.actor) ?? line.actor}:
            ${line.action.split('.')[1]?.replaceAll('_', ' ')}
          </li>`,
      )}
    </ul>`
}
