// GET /audit: who did what, newest first.

import { z } from 'zod'
import { listAudit } from '../../access/audit.ts'
import { endpoint, listOf, pageQuery } from '../endpoint.ts'
import { pageOf, readCursor } from './cursors.ts'
import { text } from './texts.ts'

const line = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    actor: z.string().meta({ example: 'editor:1' }),
    action: z.string().meta({ example: 'edition.triggered' }),
    subject: z.string().meta({ example: 'edition:12' }),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditLine' })

export const auditEndpoints = [
  endpoint({
    method: 'get',
    path: '/audit',
    scope: 'read',
    tag: 'audit',
    summary: 'Who did what, newest first',
    query: pageQuery.extend({
      actor: text(80).optional(),
      action: text(80).optional(),
      subject: text(120).optional(),
    }),
    status: 200,
    answer: listOf(line),
    async handle(web, { query: { limit, cursor, ...filter } }) {
      const rows = await listAudit(web.db, { ...filter, before: readCursor(cursor), limit: limit + 1 })
      return pageOf(rows, limit)
    },
  }),
]
