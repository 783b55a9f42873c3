// The hold on sending: why, what is missing, and the operator's decision, with one button per choice.

import type { Router } from 'express'
import { releaseSending } from '../../desk/release-sending.ts'
import { missingSentence } from '../../desk/sending-words.ts'
import { findSendingHold, holdSentence, type SendingHold } from '../../delivery/sending-hold.ts'
import { field } from '../forms.ts'
import { html, type Html } from '../html.ts'
import { seeOther } from '../place.ts'
import type { WebContext } from '../web-context.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { sentence, state } from './parts.ts'
import { noticeOf } from './query.ts'
import { wakeTick } from '../../editions/wake.ts'

const notices = {
  released: 'Sending is released. What is due goes out.',
  skipped: 'Sending is released. What was due before now has been skipped.',
}

export function mountSending(router: Router, web: WebContext): void {
  router.get('/sending', async (request, response) => {
    const hold = await findSendingHold(web.db)
    sendConsole(request, response, web, {
      section: 'overview',
      title: hold ? 'Sending is held' : 'Sending',
      back: ['Overview', '/admin'],
      notice: hold ? undefined : noticeOf(request, notices),
      body: hold ? heldPart(web, hold) : html`<p>${state('Sending isn’t held.', 'good')}</p>`,
    })
  })

  router.post('/sending', async (request, response) => {
    const skipDue = field(request, 'due') === 'skip'
    await releaseSending(web, { skipDue, actor: actorOf(request) })
    await wakeTick(web)
    seeOther(response, `/admin/sending?done=${skipDue ? 'skipped' : 'released'}`)
  })
}

function heldPart(web: WebContext, hold: SendingHold): Html {
  const missing = missingSentence(hold)
  const button = (due: 'skip' | 'send', words: string, className: string) =>
    html`<form method="post">
      <input type="hidden" name="due" value="${due}" />
      <p class="buttons"><button class="${className}">${words}</button></p>
    </form>`
  return html`<div class="confirmation">
    <p>${sentence(web.config, holdSentence(hold))} Confirmations and sign-in links wait, too.</p>
    ${missing && html`<p>${sentence(web.config, missing)}</p>`}
    <h2>Skip what was due before now</h2>
    <p>
      Open editions are cancelled, slots that have come are counted as missed, single mails that waited are skipped, and
      the stories that are here now count as read. Nobody gets a story twice; what nobody was sent is not sent later.
    </p>
    ${button('skip', 'Skip it and release sending', 'main')}
    <h2>Send what is due</h2>
    <p>
      Everything goes out as this database knows it. What was sent in the time that it doesn’t know may be sent again.
    </p>
    ${button('send', 'Send it and release sending', 'final')}
  </div>`
}
