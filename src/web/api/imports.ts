// Lists from other systems by API: upload, report, start, rejected rows. The same steps as in the console.

import { z } from 'zod'
import { Refusal } from '../../base/errors.ts'
import { frequencies, importStates } from '../../db/schema.ts'
import { findImport, listImports, type ShownImport } from '../../subscribers/import/store.ts'
import { cancelUpload, listRejects, receiveUpload, startUpload } from '../../subscribers/import/uploads.ts'
import { endpoint, id, idParams, listOf, pageQuery } from '../endpoint.ts'
import { pageOf, readCursor } from './cursors.ts'
import { line, uniqueSlugs } from './texts.ts'

const counts = z.record(z.string(), z.int())
const example = z.object({ file: z.string(), line: z.int(), text: z.string() })
const report = z
  .object({
    rows: z.int(),
    outcomes: counts.meta({
      description: 'rows by what becomes of them: subscribed, unsubscribed, bounced, unchanged, …',
    }),
    rejected: counts.meta({ description: 'rows that can’t be taken, by reason' }),
    duplicates: z.int(),
    withoutConsentTime: z.int(),
    withoutConsentIp: z.int(),
    choosingInFile: z.int(),
    roleAddresses: z.int(),
    domainSlips: z.record(z.string(), z.object({ meant: z.string(), count: z.int() })),
    examples: z
      .record(z.string(), z.array(example))
      .meta({ description: 'the first ten of each kind, until it is done' }),
    files: z.array(
      z.object({
        name: z.string(),
        readAs: z.string(),
        rows: z.int(),
        everybodyIs: z.string().nullable(),
        leftOut: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'ImportReport' })

const shownImport = z
  .object({
    id,
    createdAt: z.iso.datetime(),
    source: z.string(),
    fileName: z.string(),
    state: z.enum(importStates),
    part: z.number().meta({ description: 'of the step under way, 0 to 1' }),
    refusal: z.string().nullable().meta({ description: 'why nothing can be imported' }),
    hash: z.string().nullable().meta({ description: 'SHA-256 of the files' }),
    report: report.nullable(),
    result: z.object({ rows: z.int(), imported: z.int(), unchanged: z.int(), rejected: z.int() }).nullable(),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Import' })

function show(one: ShownImport) {
  const { hash: _hash, notRead: _notRead, ...shown } = one.report ?? { hash: '', notRead: [] }
  const { id, createdAt, source, fileName, state, part, refusal, hash, result, endedAt } = one
  return { id, createdAt, source, fileName, state, part, refusal, hash, report: one.report && shown, result, endedAt }
}

const told = (most: number) => z.array(line(300)).max(most).optional()
const scope = 'subscribers' as const
const tag = 'imports'

async function getImport(web: Parameters<typeof findImport>[0], id: number): Promise<ShownImport> {
  const found = await findImport(web, id)
  if (!found) throw new Refusal('not_found', 'There is no such import.')
  return found
}

export const importEndpoints = [
  endpoint({
    method: 'get',
    path: '/imports',
    scope,
    tag,
    summary: 'Newest first',
    query: pageQuery,
    status: 200,
    answer: listOf(shownImport),
    async handle(web, { query }) {
      const rows = await listImports(web.db, { limit: query.limit + 1, before: readCursor(query.cursor) })
      const { items, next } = pageOf(rows, query.limit)
      return { items: items.map(show), next }
    },
  }),
  endpoint({
    method: 'post',
    path: '/imports',
    scope,
    tag,
    summary: 'Upload a list of any system',
    description:
      'It is read by a worker; nothing is imported before it is started. Its state is `checking` first, then `ready` with a report, or `refused` with the reason. Larger lists: the console or the command line.',
    bodyLimit: 64 * 1024 * 1024,
    body: z.strictObject({
      source: line(200).meta({ description: 'where the addresses come from: goes into every consent record' }),
      fileName: line(120).optional().meta({ description: 'says what the file is: unsubscribed.csv, export.zip' }),
      content: z
        .string()
        .min(1)
        .meta({ description: 'the file: CSV, JSON, a list of addresses; a ZIP archive as base64' }),
      encoding: z.enum(['text', 'base64']).optional().meta({ description: 'of the content; text if missing' }),
      map: told(100).meta({ description: '`Adresse=email`, `Segment:Gold=subscribed`' }),
      choice: told(100).meta({ description: '`Tag:news=politics:daily`' }),
      ignoreColumns: told(100).meta({ description: 'columns that say nothing about who may be mailed' }),
      categories: uniqueSlugs(100).optional().meta({ description: 'for all rows, instead of what file or site say' }),
      frequency: z.enum(frequencies).optional().meta({ description: 'for all rows' }),
      confirm: z.boolean().optional().meta({ description: 'ask the subscribed ones to opt in again' }),
    }),
    status: 202,
    answer: shownImport,
    async handle(web, { body, actor }) {
      const content = Buffer.from(body.content, body.encoding === 'base64' ? 'base64' : 'utf8')
      if (content.length === 0)
        throw new Refusal('conflict', 'The file is empty.', [{ field: 'content', message: 'is empty' }])
      const options = {
        source: body.source,
        map: body.map ?? [],
        choice: body.choice ?? [],
        ignored: body.ignoreColumns ?? [],
        category: body.categories ?? [],
        frequency: body.frequency ?? null,
        isAsked: body.confirm ?? false,
      }
      const given = { actor: actor.name, fileName: body.fileName ?? 'list.csv', options }
      const id = await receiveUpload(
        web,
        given,
        (async function* () {
          yield content
        })(),
      )
      return show(await getImport(web.db, id))
    },
  }),
  endpoint({
    method: 'get',
    path: '/imports/:id',
    scope,
    tag,
    summary: 'One import, with its report',
    params: idParams,
    status: 200,
    answer: shownImport,
    handle: async (web, { params }) => show(await getImport(web.db, params.id)),
  }),
  endpoint({
    method: 'post',
    path: '/imports/:id/start',
    scope,
    tag,
    summary: 'Import what the report says',
    params: idParams,
    status: 202,
    answer: shownImport,
    refuses: ['conflict'],
    async handle(web, { params, actor }) {
      await startUpload(web, params.id, actor.name)
      return show(await getImport(web.db, params.id))
    },
  }),
  endpoint({
    method: 'post',
    path: '/imports/:id/cancel',
    scope,
    tag,
    summary: 'Import nothing, and forget the file',
    params: idParams,
    status: 200,
    answer: shownImport,
    refuses: ['conflict'],
    async handle(web, { params, actor }) {
      await cancelUpload(web, params.id, actor.name)
      return show(await getImport(web.db, params.id))
    },
  }),
  endpoint({
    method: 'get',
    path: '/imports/:id/rejects',
    scope,
    tag,
    summary: 'Its rejected rows, in the order of the file; kept for a week',
    params: idParams,
    query: pageQuery,
    status: 200,
    answer: listOf(
      z
        .object({ id, file: z.string(), line: z.int(), reason: z.string(), cells: z.array(z.string()) })
        .meta({ id: 'ImportReject' }),
    ),
    async handle(web, { params, query }) {
      await getImport(web.db, params.id)
      const rows = await listRejects(web.db, params.id, { after: readCursor(query.cursor), limit: query.limit + 1 })
      const { items, next } = pageOf(rows, query.limit)
      return {
        items: items.map(({ id, file, line: at, reason, cells }) => ({ id, file, line: at, reason, cells })),
        next,
      }
    },
  }),
]
