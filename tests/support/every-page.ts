// Every page that an editor can reach by links, each shape once: /admin/editions/7 stands for all editions.

import { endpoints } from '../../src/web/api/endpoints.ts'
import { openApiDocument } from '../../src/web/api/openapi.ts'
import type { Config } from '../../src/base/config.ts'

/** Calls `get` for each; it answers with the page's HTML. Returns the paths. */
export async function readEveryPage(get: (path: string) => Promise<string>): Promise<string[]> {
  const paths = new Map<string, string>()
  const queue = ['/admin', '/', '/archive', '/preferences', '/admin/trigger/confirm?categories=politics']
  for (const path of queue) {
    const shape = path.replace(/\d+/g, '0').replace(/=[^&]*/g, '=')
    if (paths.has(shape) || /sign-out|\.(css|js|png|ico)/.test(path)) continue
    paths.set(shape, path)
    for (const [, href] of (await get(path)).matchAll(/(?:href|hx-get|action)="(\/[^"#]*)"/g))
      queue.push(href!.replaceAll('&amp;', '&'))
  }
  return [...paths.values()]
}

/** What the document has a GET for, below /api/v1, with 1 for each id. */
export function everyApiList(config: Config): string[] {
  const { paths } = openApiDocument(config, endpoints) as { paths: Record<string, { get?: unknown }> }
  const gets = Object.entries(paths).flatMap(([path, { get }]) => (get ? [path.replace(/\{[^}]+\}/g, '1')] : []))
  const statuses = ['pending', 'active', 'unsubscribed', 'suppressed']
  return [...gets, ...statuses.map((status) => `/subscribers?status=${status}`)]
}
