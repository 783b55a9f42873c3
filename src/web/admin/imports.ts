// Lists from other systems: past imports, an upload, its report, and the button that imports it. A worker reads and imports; the
// page of an import shows the progress and reloads itself.

import { stringify } from 'csv-stringify'
import type { Request, Response, Router } from 'express'
import { Refusal } from '../../base/errors.ts'
import { listCategories } from '../../articles/store.ts'
import type { Category } from '../../db/schema.ts'
import type { ImportOptions } from '../../subscribers/import/import.ts'
import { sentencesOf } from '../../subscribers/import/report.ts'
import { findImport, listImports, type ShownImport } from '../../subscribers/import/store.ts'
import { cancelUpload, checkAgain, listRejects, receiveUpload, startUpload } from '../../subscribers/import/uploads.ts'
import { pageOf, readCursor } from '../api/cursors.ts'
import { field, fieldList, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import { seeOther } from '../place.ts'
import { readUpload } from '../upload.ts'
import type { WebContext } from '../web-context.ts'
import { actorOf } from './guard.ts'
import { importState, importTable, nothingYet, optionFields } from './import-parts.ts'
import { sendConsole } from './layout.ts'
import { LiveFeed, partOf, type Parts } from './live.ts'
import { moment, pager } from './parts.ts'
import { pathId, queryText } from './query.ts'

const back = ['Imports', '/admin/imports'] as const

export function mountImports(router: Router, web: WebContext): void {
  const live = new LiveFeed()

  router.get('/imports', async (request, response) => {
    const cursor = queryText(request, 'cursor')
    const rows = await listImports(web.db, { limit: 51, before: readCursor(cursor) })
    const { items, next } = pageOf(rows, 50)
    sendConsole(request, response, web, {
      section: 'subscribers',
      title: 'Imports',
      back: ['Subscribers', '/admin/subscribers'],
      actions: html`<a class="button" href="${to('/admin/imports/new')}">Import a list…</a>`,
      body: html`${items.length === 0 ? nothingYet() : importTable(web, items)}
      ${pager('/admin/imports', { cursor }, next)}`,
    })
  })

  router.get('/imports/new', async (request, response) =>
    sendConsole(request, response, web, {
      section: 'subscribers',
      title: 'Import a list',
      back,
      body: uploadForm(await listCategories(web.db)),
    }),
  )

  router.post('/imports/new', async (request, response) => {
    const id = await readUpload(request, (upload) =>
      receiveUpload(
        web,
        {
          actor: actorOf(request),
          fileName: upload.fileName,
          options: optionsOf(upload.field('source'), upload.field, upload.fieldList),
        },
        upload.content,
      ),
    )
    seeOther(response, `/admin/imports/${id}`)
  })

  router.get('/imports/:id', async (request, response) => {
    const one = await getImport(web, request)
    const isMoving = one.state === 'checking' || (one.state === 'running' && one.isUploaded)
    const parts = await partsOf(web, one.id)
    sendConsole(request, response, web, {
      section: 'subscribers',
      title: `Import of ${one.fileName}`,
      back,
      ...(isMoving ? { live: `/admin/imports/${one.id}/live` } : {}),
      body: html`${Object.entries(parts).map(([name, part]) => partOf(name, part))}
      ${
        isMoving &&
        html`<noscript
          ><p><a href="${to(`/admin/imports/${one.id}`)}">Look again</a></p></noscript
        >`
      }`,
    })
  })

  router.get('/imports/:id/live', async (request, response) => {
    const { id } = await getImport(web, request)
    live.watch(`import:${id}`, () => partsOf(web, id), response)
  })

  router.post('/imports/:id/start', async (request, response) => {
    const id = pathId(request)
    await startUpload(web, id, actorOf(request))
    seeOther(response, `/admin/imports/${id}`)
  })
  router.post('/imports/:id/cancel', async (request, response) => {
    const id = pathId(request)
    await cancelUpload(web, id, actorOf(request))
    seeOther(response, `/admin/imports/${id}`)
  })
  router.post('/imports/:id/check', readForm, async (request, response) => {
    const { id, source } = await getImport(web, request)
    const options = optionsOf(
      source,
      (name) => field(request, name) ?? '',
      (name) => fieldList(request, name),
    )
    await checkAgain(web, id, options)
    seeOther(response, `/admin/imports/${id}`)
  })

  router.get('/imports/:id/rejected.csv', async (request, response) =>
    sendRejects(web, await getImport(web, request), response),
  )
}

async function getImport(web: WebContext, request: Request): Promise<ShownImport> {
  const one = await findImport(web.db, pathId(request))
  if (!one) throw new Refusal('not_found', 'There is no such import.')
  return one
}

/** From text fields and boxes: one instruction per line. */
function optionsOf(source: string, text: (name: string) => string, list: (name: string) => string[]): ImportOptions {
  const lines = (name: string) =>
    text(name)
      .split(/\r?\n/)
      .map((one) => one.trim())
      .filter(Boolean)
      .slice(0, 100)
  return {
    source,
    map: lines('map'),
    choice: lines('choice'),
    ignored: lines('ignore'),
    category: list('category').slice(0, 200),
    frequency: text('frequency') || null,
    isAsked: text('confirm') === 'yes',
  }
}

function uploadForm(categories: readonly Category[]): Html {
  return html`<p>
      A CSV, text or JSON file, or a ZIP archive of several, of up to 300 MB. You see a report before anything is
      imported, and nobody is mailed about it.
    </p>
    <form method="post" action="${to('/admin/imports/new')}" enctype="multipart/form-data">
      <label for="source"
        >Where the addresses come from <span class="small">(goes into every consent record)</span></label
      >
      <input
        id="source"
        name="source"
        required
        maxlength="200"
        placeholder="Mailchimp, audience Weekly"
        autocomplete="off"
      />
      ${optionFields(categories, null)}
      <label for="file">The file</label>
      <input id="file" name="file" type="file" required accept=".csv,.tsv,.txt,.json,.zip" />
      <p class="buttons"><button class="main">Show what would happen</button></p>
    </form>
    <p class="small">Larger files: <code>subscribers import FILE</code> on the command line.</p>`
}

async function partsOf(web: WebContext, id: number): Promise<Parts> {
  const one = (await findImport(web.db, id))!
  const path = `/admin/imports/${one.id}`
  const categories = await listCategories(web.db)
  const again = html`<details ${one.state === 'refused' && html`open`}>
    <summary>Say more about the file, and read it again</summary>
    <form method="post" action="${to(`${path}/check`)}">
      ${optionFields(categories, one.options)}
      <p class="buttons"><button>Read it again</button></p>
    </form>
  </details>`
  const report = one.report && sentencesOf(one.report)
  const hasRejects = one.state === 'done' && one.isUploaded && (one.result?.rejected ?? 0) > 0
  return {
    state: html`<p>${importState(one)} · ${one.source} · ${moment(web.config, one.createdAt, { withYear: true })}</p>
      ${
        one.result &&
        html`<p class="notice">
          ${one.result.imported.toLocaleString('en')} imported, ${one.result.unchanged.toLocaleString('en')} unchanged,
          ${one.result.rejected.toLocaleString('en')} rejected, of ${one.result.rows.toLocaleString('en')} rows.
          ${hasRejects && html`<a href="${to(`${path}/rejected.csv`)}" download>Rejected rows as CSV</a>`}
        </p>`
      }
      ${one.refusal && html`<pre class="refusal" tabindex="0">${one.refusal}</pre>`}`,
    report: html`${report && html`<pre class="report" tabindex="0" aria-label="Report">${report.join('\n')}</pre>`}`,
    buttons: html`${
      one.state === 'ready' &&
      html`<form method="post" action="${to(`${path}/start`)}">
        <p class="buttons"><button class="main">Import them</button></p>
      </form>`
    }
    ${
      one.isUploaded &&
      ['checking', 'ready', 'refused'].includes(one.state) &&
      html`<form method="post" action="${to(`${path}/cancel`)}">
        <p class="buttons"><button>Don’t import, forget the file</button></p>
      </form>`
    }
    ${one.isUploaded && ['ready', 'refused'].includes(one.state) && again}`,
  }
}

async function sendRejects(web: WebContext, one: ShownImport, response: Response): Promise<void> {
  response.set({
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="import-${one.id}.rejected.csv"`,
  })
  const csv = stringify({ escape_formulas: true })
  csv.pipe(response)
  for (let after = 0; ;) {
    const rows = await listRejects(web.db, one.id, { after, limit: 1000 })
    for (const { file, line, reason, cells } of rows) csv.write([...cells, file, String(line), reason])
    if (rows.length < 1000 || response.destroyed) break
    after = rows.at(-1)!.id
  }
  csv.end()
}
