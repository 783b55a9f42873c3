// Approval: before an edition is sent, an editor pins, drops and reorders its stories and writes an introduction, all in one form.
// Only changes are saved; saving renders the edition again.

import type { Request, Router } from 'express'
import { listCategories } from '../../articles/store.ts'
import { type Arrangement, arrangeEdition } from '../../desk/approval.ts'
import { field, fieldList, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { editionName } from './edition-parts.ts'
import { getEdition } from './edition-now.ts'
import { actorOf } from './guard.ts'
import { senderWordsFields, senderWordsOf } from './sender-words.ts'
import { sendConsole } from './layout.ts'
import { empty, moment } from './parts.ts'
import { pathId } from './query.ts'
import { seeOther } from '../place.ts'
import { type ArrangedStory, listEditionStories } from '../../editions/stories.ts'

/** Per category: the stories that fit into a mail, and some to choose instead. */
const shown = 25

export function mountArrange(router: Router, web: WebContext): void {
  router.get('/editions/:id/arrange', async (request, response) => {
    const edition = await getEdition(web, pathId(request))
    const categories = await listCategories(web.db, { withRetired: true })
    const stories = await listEditionStories(web.db, edition.id)
    const groups = [...Map.groupBy(stories, (story) => story.categoryId)]
    const isOpen = edition.state === 'awaiting_approval' || edition.state === 'held'
    sendConsole(request, response, web, {
      section: 'editions',
      title: 'Arrange stories',
      back: [editionName(edition, categories), `/admin/editions/${edition.id}`],
      body: !isOpen
        ? empty('This edition isn’t waiting any more, so its stories stay as they are.')
        : html`<p>
              Pinned stories come first. A dropped one is left out of this edition. Lower numbers come earlier. Each
              subscriber still gets only what is due for them and new to them.
              ${edition.slotAt && html`Its slot is ${moment(web.config, edition.slotAt)}.`}
            </p>
            <form method="post">
              <label for="intro">Introduction <span class="small">(optional, above the stories)</span></label>
              <textarea id="intro" name="intro" maxlength="5000" rows="4">${edition.content.intro ?? ''}</textarea>
              ${senderWordsFields(edition.content)}
              ${groups.map(([id, list]) => storyTable(categories.find((each) => each.id === id)?.name ?? `Category ${id}`, list))}
              <p class="buttons">
                <button class="main">Save the arrangement</button>
                <a href="${to(`/admin/editions/${edition.id}`)}">Leave it</a>
              </p>
            </form>`,
    })
  })

  router.post('/editions/:id/arrange', readForm, async (request, response) => {
    const editionId = pathId(request)
    const stories = await listEditionStories(web.db, editionId)
    const arrangement = readArrangement(request, stories)
    await arrangeEdition(web, { editionId, arrangement, actor: actorOf(request) })
    seeOther(response, `/admin/editions/${editionId}?done=arranged`)
  })
}

function storyTable(name: string, stories: readonly ArrangedStory[]): Html {
  const listed = stories.slice(0, shown)
  const key = (story: ArrangedStory) => `${story.categoryId}-${story.articleId}`
  return html`<h2>${name}</h2>
    <div class="scroll" role="region" aria-label="Stories of ${name}" tabindex="0">
      <table class="arrange">
        <thead>
          <tr>
            <th>Place</th>
            <th>Pin</th>
            <th>Drop</th>
            <th>Story</th>
          </tr>
        </thead>
        <tbody>
          ${listed.map(
            (story, index) =>
              html`<tr>
                <td>
                  <input type="hidden" name="story" value="${key(story)}" />
                  <input
                    type="number"
                    name="place[${key(story)}]"
                    value="${index + 1}"
                    min="1"
                    max="999"
                    aria-label="Place of ${story.title}"
                  />
                </td>
                <td>
                  <input
                    type="checkbox"
                    name="pin"
                    value="${story.articleId}"
                    ${story.isPinned && html`checked`}
                    aria-label="Pin ${story.title}"
                  />
                </td>
                <td>
                  <input
                    type="checkbox"
                    name="drop"
                    value="${story.articleId}"
                    ${story.isDropped && html`checked`}
                    aria-label="Drop ${story.title}"
                  />
                </td>
                <td dir="auto">${story.title}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${stories.length > listed.length && html`<p class="small">and ${stories.length - listed.length} older ones</p>`}`
}

/** Only values that differ from the current edition. */
function readArrangement(request: Request, stories: readonly ArrangedStory[]): Arrangement {
  const listed = new Set(fieldList(request, 'story'))
  const key = (story: ArrangedStory) => `${story.categoryId}-${story.articleId}`
  const onPage = stories.filter((story) => listed.has(key(story)))
  const pinned = new Set(fieldList(request, 'pin').map(Number))
  const dropped = new Set(fieldList(request, 'drop').map(Number))
  const places = (request.body as { place?: Record<string, unknown> }).place ?? {}
  const ids = (test: (story: ArrangedStory) => boolean) => [
    ...new Set(onPage.filter(test).map((story) => story.articleId)),
  ]
  const order = [...Map.groupBy(onPage, (story) => story.categoryId)].flatMap(([categoryId, list]) => {
    const sorted = list
      .map((story, index) => ({ story, index, place: Number(places[key(story)]) || index + 1 }))
      .sort((a, b) => a.place - b.place || a.index - b.index)
    const isMoved = sorted.some(({ index }, at) => index !== at)
    return isMoved ? [{ categoryId, articleIds: sorted.map(({ story }) => story.articleId) }] : []
  })
  return {
    order,
    pin: ids((story) => pinned.has(story.articleId) && !story.isPinned),
    unpin: ids((story) => !pinned.has(story.articleId) && story.isPinned),
    drop: ids((story) => dropped.has(story.articleId) && !story.isDropped),
    restore: ids((story) => !dropped.has(story.articleId) && story.isDropped),
    intro: field(request, 'intro') ?? '',
    ...senderWordsOf(request),
  }
}
