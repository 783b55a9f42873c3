// Editors: who may sign in. A new one gets a link by mail at once. Disabling one ends all their sessions.

import type { Router } from 'express'
import { createEditor, disableEditor, listEditors } from '../../access/editors.ts'
import { requestLink } from '../../access/sign-in.ts'
import { Refusal } from '../../base/errors.ts'
import { field, readForm } from '../forms.ts'
import { html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { actorOf, editorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { moment, state, table } from './parts.ts'
import { largestInt } from '../path-id.ts'
import { noticeOf, pathId } from './query.ts'
import { seeOther } from '../place.ts'

const notices: Record<string, string> = {
  added: 'Added. A link to sign in is on its way to them.',
  exists: 'This address is an editor’s already. A new link to sign in is on its way to them.',
  unmailed: 'This address is an editor’s. No link was mailed: they have been mailed some within the last hour.',
  disabled: 'Disabled, and signed out everywhere.',
}

export function mountEditors(router: Router, web: WebContext): void {
  router.get('/editors', async (request, response) => {
    const editors = await listEditors(web.db)
    const me = editorOf(request)
    sendConsole(request, response, web, {
      section: 'editors',
      title: 'Editors',
      notice: noticeOf(request, notices),
      body: html`<p>Editors sign in with a link that is mailed to them and works once. There are no passwords.</p>
        ${table(
          'Editors',
          html`<tr>
            <th>Address</th>
            <th>Since</th>
            <th>Last seen</th>
            <th>State</th>
            <td></td>
          </tr>`,
          editors.map(
            (editor) =>
              html`<tr>
                <td>${editor.email}${editor.id === me.id && ' (you)'}</td>
                <td>${moment(web.config, editor.createdAt)}</td>
                <td>${moment(web.config, editor.lastSeenAt)}</td>
                <td>${editor.disabledAt ? state('disabled', 'plain') : state('may sign in', 'good')}</td>
                <td>
                  ${
                    !editor.disabledAt &&
                    editor.id !== me.id &&
                    html`<a href="${to(`/admin/editors/${editor.id}/disable`)}">Disable…</a>`
                  }
                </td>
              </tr>`,
          ),
        )}
        <h2>Add an editor</h2>
        <form method="post" action="${to('/admin/editors')}">
          <label for="email">E-mail address</label>
          <input id="email" name="email" type="email" required maxlength="254" autocomplete="off" />
          <p class="hint">They can do everything here, and get a link to sign in by mail.</p>
          <p class="buttons"><button class="main">Add and mail a link</button></p>
        </form>`,
    })
  })

  router.post('/editors', readForm, async (request, response) => {
    const { editor, outcome } = await createEditor(web, {
      email: field(request, 'email') ?? '',
      actor: actorOf(request),
    })
    const isMailed = await requestLink(web, editor.email)
    seeOther(response, `/admin/editors?done=${isMailed ? (outcome === 'exists' ? 'exists' : 'added') : 'unmailed'}`)
  })

  router.get('/editors/:id/disable', async (request, response) => {
    const editor = (await listEditors(web.db)).find(({ id }) => id === pathId(request, largestInt))
    if (!editor) throw new Refusal('not_found', 'There is no such editor.')
    sendConfirmation(request, response, web, {
      section: 'editors',
      title: `Disable ${editor.email}?`,
      explanation: html`<p>
        They are signed out everywhere at once, and links they have stop working. What they did stays in the audit log.
        Adding the address again lets them back in.
      </p>`,
      button: 'Disable this editor',
      back: ['Editors', '/admin/editors'],
      isFinal: true,
    })
  })

  router.post('/editors/:id/disable', async (request, response) => {
    await disableEditor(web, { id: pathId(request, largestInt), actor: actorOf(request) })
    seeOther(response, '/admin/editors?done=disabled')
  })
}
