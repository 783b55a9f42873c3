// API keys: created here, shown once, revoked here. A key is shown only on the page that follows its creation.

import type { Router } from 'express'
import { createApiKey, listApiKeys, revokeApiKey } from '../../access/api-keys.ts'
import { scopes, type Scope } from '../../access/scopes.ts'
import { invalid, Refusal } from '../../base/errors.ts'
import type { ApiKey } from '../../db/schema.ts'
import { field, fieldList, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { empty, moment, state, table } from './parts.ts'
import { largestInt } from '../path-id.ts'
import { pathId, queryText } from './query.ts'
import { seeOther } from '../place.ts'
import { addressOf } from '../../base/addresses.ts'

const scopeMeaning: Record<Scope, string> = {
  all: 'everything',
  read: 'read everything, addresses included',
  articles: 'push, change and withdraw articles; feeds and categories',
  subscribers: 'read and change subscribers and suppressions',
  editions: 'read, trigger and control editions, decide about brakes',
}

export function mountApiKeys(router: Router, web: WebContext): void {
  router.get('/api-keys', async (request, response) => {
    const keys = await listApiKeys(web.db)
    sendConsole(request, response, web, {
      section: 'api-keys',
      title: 'API keys',
      notice: queryText(request, 'done') === 'revoked' ? 'Revoked. It stopped working just now.' : undefined,
      body: html`<p>
          Programs use a key as <code>Authorization: Bearer KEY</code>. What they can ask for is at
          <a href="${to('/api/docs')}">the API’s documentation</a>.
        </p>
        ${
          keys.length === 0
            ? empty('No keys yet. Make one for each program, so that one can be revoked without the others.')
            : keyTable(web, keys)
        }
        <h2>Make a key</h2>
        ${newKeyForm()}`,
    })
  })

  router.post('/api-keys', readForm, async (request, response) => {
    const days = field(request, 'days') ?? ''
    if (!/^\d{0,4}$/.test(days))
      throw invalid('days', 'Days are a whole number, or nothing for a key that never expires.')
    const now = web.clock.now()
    const { key, apiKey } = await createApiKey(web, {
      name: field(request, 'name') ?? '',
      scope: fieldList(request, 'scope').join(','),
      expiresAt: Number(days) ? new Date(now.getTime() + Number(days) * 86_400_000) : null,
      actor: actorOf(request),
    })
    sendConsole(request, response, web, {
      section: 'api-keys',
      title: `The key “${apiKey.name}”`,
      back: ['API keys', '/admin/api-keys'],
      body: html`<p>Copy it now: it is shown this once and kept nowhere.</p>
        <code class="secret">${key}</code>
        <p class="small">
          Try it:
          <code>curl -H "Authorization: Bearer ${apiKey.prefix}…" ${addressOf(web.config, '/api/v1/editions')}</code>
        </p>
        <p><a href="${to('/admin/api-keys')}">I have it</a></p>`,
    })
  })

  router.get('/api-keys/:id/revoke', async (request, response) => {
    const key = (await listApiKeys(web.db)).find(({ id }) => id === pathId(request, largestInt))
    if (!key) throw new Refusal('not_found', 'There is no such key.')
    sendConfirmation(request, response, web, {
      section: 'api-keys',
      title: `Revoke “${key.name}”?`,
      explanation: html`<p>
        Whatever uses <code>${key.prefix}…</code> is refused from its next request on. This can’t be taken back; make a
        new key instead.
      </p>`,
      button: 'Revoke this key',
      back: ['API keys', '/admin/api-keys'],
      isFinal: true,
    })
  })

  router.post('/api-keys/:id/revoke', async (request, response) => {
    await revokeApiKey(web, { id: pathId(request, largestInt), actor: actorOf(request) })
    seeOther(response, '/admin/api-keys?done=revoked')
  })
}

function keyTable(web: WebContext, keys: readonly ApiKey[]): Html {
  const now = web.clock.now()
  const stateOf = (key: ApiKey) =>
    key.revokedAt
      ? state('revoked', 'plain')
      : key.expiresAt && key.expiresAt <= now
        ? state('expired', 'plain')
        : state('good', 'good')
  return table(
    'API keys',
    html`<tr>
      <th>Name</th>
      <th>Key</th>
      <th>May</th>
      <th>Made</th>
      <th>Last used</th>
      <th>Expires</th>
      <th>State</th>
      <td></td>
    </tr>`,
    keys.map(
      (key) =>
        html`<tr>
          <td>${key.name}</td>
          <td><code>${key.prefix}…</code></td>
          <td>${key.scope.replaceAll(',', ', ')}</td>
          <td>${moment(web.config, key.createdAt)}</td>
          <td>${key.lastUsedAt ? moment(web.config, key.lastUsedAt) : 'never'}</td>
          <td>${key.expiresAt ? moment(web.config, key.expiresAt, { withYear: true }) : 'never'}</td>
          <td>${stateOf(key)}</td>
          <td>${!key.revokedAt && html`<a href="${to(`/admin/api-keys/${key.id}/revoke`)}">Revoke…</a>`}</td>
        </tr>`,
    ),
  )
}

const newKeyForm = (): Html =>
  html`<form method="post" action="${to('/admin/api-keys')}">
    <label for="name">What is it for?</label>
    <input id="name" name="name" required maxlength="80" autocomplete="off" placeholder="the site’s editorial system" />
    <fieldset>
      <legend>It may</legend>
      ${scopes.map(
        (scope) =>
          html`<label class="choice">
            <input type="checkbox" name="scope" value="${scope}" ${scope === 'read' && html`checked`} />
            <span><b>${scope}</b>: ${scopeMeaning[scope]}</span>
          </label>`,
      )}
    </fieldset>
    <label for="days">Expires after days <span class="small">(empty: never)</span></label>
    <input id="days" name="days" type="number" min="1" max="3650" />
    <p class="buttons"><button class="main">Make the key</button></p>
  </form>`
