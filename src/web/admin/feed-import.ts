// A pasted list of feeds from another program. First a preview is shown, whose button posts the same text again.

import type { Request, Response, Router } from 'express'
import { type ImportPlan, importFeeds, importInWords, planImport } from '../../articles/feed-import.ts'
import { parser } from '../../articles/parser.ts'
import { invalid } from '../../base/errors.ts'
import { field, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { rowList, state } from './parts.ts'

export function mountFeedImport(router: Router, web: WebContext): void {
  router.get('/feeds/import', (request, response) => sendPage(request, response, listForm('')))

  router.post('/feeds/import', readForm, async (request, response) => {
    const text = field(request, 'opml') ?? ''
    const listed = await parser.feedList(Buffer.from(text))
    if (typeof listed === 'string') throw invalid('opml', listed)
    const isDecided = field(request, 'decided') !== undefined
    if (!isDecided) return sendPage(request, response, preview(await planImport(web, listed), text))
    const done = await importFeeds(web, listed, actorOf(request))
    sendPage(
      request,
      response,
      html`<p class="notice" role="status">${importInWords(done, false)} They are fetched within a minute.</p>
        ${rows(done)}
        <p><a href="${to('/admin/feeds')}">All feeds</a></p>`,
    )
  })

  function sendPage(request: Request, response: Response, body: Html): void {
    sendConsole(request, response, web, {
      section: 'feeds',
      title: 'Import feeds',
      back: ['Feeds', '/admin/feeds'],
      body,
    })
  }
}

function listForm(text: string): Html {
  return html`<p>
      Most feed readers export their feeds as OPML. Folders become categories; nothing is added before you have seen it.
    </p>
    <form method="post" action="${to('/admin/feeds/import')}">
      <label for="opml">The text of the OPML file <span class="small">(up to about 200 feeds)</span></label>
      <textarea id="opml" name="opml" rows="12" required spellcheck="false" autocomplete="off">${text}</textarea>
      <p class="buttons"><button class="main">Show what would happen</button></p>
    </form>
    <p class="small">Longer lists: <code>feed import FILE.opml</code> on the command line.</p>`
}

function preview(plan: ImportPlan, text: string): Html {
  const isAny = plan.feeds.some(({ why }) => why === null)
  return html`<p>${importInWords(plan, true)}</p>
    ${
      isAny &&
      html`<form method="post" action="${to('/admin/feeds/import')}">
        <input type="hidden" name="opml" value="${text}" />
        <p class="buttons">
          <button class="main" name="decided" value="yes">Add these feeds</button>
          <a href="${to('/admin/feeds')}">Leave it</a>
        </p>
      </form>`
    }
    ${rows(plan)}`
}

function rows({ feeds }: ImportPlan): Html {
  return rowList(
    'Feeds of the list',
    feeds.map(({ url, title, categories, why, isDuplicate }) => ({
      title: title || url,
      state:
        why === null ? state('new', 'good') : isDuplicate ? state('there already', 'plain') : state('left out', 'warn'),
      under: title && url,
      trouble: isDuplicate ? null : why,
      facts: [['Goes to', categories.join(', ') || 'what its labels and rules say'], isDuplicate && ['Why', why]],
    })),
  )
}
