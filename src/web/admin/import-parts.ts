// Shared by the pages of imports: the words for a state, and the fields for instructions about a file.

import { type Category, frequencies } from '../../db/schema.ts'
import type { ImportOptions } from '../../subscribers/import/import.ts'
import type { ShownImport } from '../../subscribers/import/store.ts'
import { html, type Html, to } from '../html.ts'
import { categoryBoxes } from './category-choice.ts'
import type { WebContext } from '../web-context.ts'
import { empty, moment, state, table, type Tone } from './parts.ts'

const states: Record<ShownImport['state'], readonly [words: string, tone: Tone]> = {
  checking: ['being read', 'busy'],
  refused: ['not understood', 'bad'],
  ready: ['waits for your decision', 'warn'],
  running: ['importing', 'busy'],
  stopped: ['stopped', 'warn'],
  done: ['imported', 'good'],
  cancelled: ['not imported', 'plain'],
}

export function importState({ state: now, part, isUploaded }: ShownImport): Html {
  const [words, tone] = states[now]
  const isMoving = isUploaded && (now === 'checking' || now === 'running')
  return state(isMoving ? `${words}, ${Math.floor(part * 100)} %` : words, tone)
}

/** `given`: the earlier instructions. */
export function optionFields(categories: readonly Category[], given: ImportOptions | null): Html {
  const area = (name: string, label: string, hint: string, lines: readonly string[]) =>
    html`<label for="${name}">${label} <span class="small">(${hint}; one a line)</span></label>
      <textarea id="${name}" name="${name}" rows="2" spellcheck="false" autocomplete="off">
${lines.join('\n')}</textarea>`
  return html`<fieldset>
      <legend>What they get</legend>
      <p class="small">Choices in the file count; without them everybody gets the site’s default choice.</p>
      <p>Only these categories; none: what file or site say.</p>
      ${categoryBoxes(categories, given?.category ?? [], 'category')}
      <label for="frequency">How often</label>
      <select id="frequency" name="frequency">
        <option value="">as the file or the default choice says</option>
        ${frequencies.map((each) => html`<option value="${each}" ${given?.frequency === each && html`selected`}>${each}, for everybody</option>`)}
      </select>
      <label class="choice"
        ><input type="checkbox" name="confirm" value="yes" ${given?.isAsked && html`checked`} /> Ask them to opt in
        again; they get nothing before they do</label
      >
    </fieldset>
    <details ${given && html`open`}>
      <summary>If columns aren’t understood</summary>
      ${area('map', 'What columns and values mean', 'Adresse=email, Segment:Gold=subscribed', given?.map ?? [])}
      ${area('choice', 'What tags choose', 'Tag:news=politics:daily', given?.choice ?? [])}
      ${area('ignore', 'Columns that say nothing about who may be mailed', 'Lead status', given?.ignored ?? [])}
    </details>`
}

export function nothingYet(): Html {
  return empty(
    'Nothing has been imported yet.',
    html`<p>
      Lists of Mailchimp, listmonk, MailPoet, Substack, Ghost, Kit, Buttondown, phpList and any spreadsheet are read. A
      report comes first, and nobody is mailed about it.
    </p>`,
    html`<p><a class="button" href="${to('/admin/imports/new')}">Import a list…</a></p>`,
  )
}

export function importTable(web: WebContext, items: readonly ShownImport[]): Html {
  return table(
    'Imports',
    html`<tr>
      <th>File</th>
      <th>Source</th>
      <th>State</th>
      <th>Rows</th>
      <th>Imported</th>
      <th>Begun</th>
    </tr>`,
    items.map(
      (one) =>
        html`<tr>
          <td><a href="${to(`/admin/imports/${one.id}`)}">${one.fileName}</a></td>
          <td>${one.source}</td>
          <td>${importState(one)}</td>
          <td>${one.report?.rows.toLocaleString('en') ?? ''}</td>
          <td>${one.result?.imported.toLocaleString('en') ?? ''}</td>
          <td>${moment(web.config, one.createdAt, { withYear: true })}</td>
        </tr>`,
    ),
  )
}
