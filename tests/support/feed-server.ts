// A feed server on loopback that answers what a test tells it to, and counts who asked. Its feeds are written here: fiction.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FeedServer {
  /** `http://127.0.0.1:PORT` */
  origin: string
  host: string
  requests: { path: string; headers: IncomingMessage['headers'] }[]
  /** What it answers from now on. */
  answer: (request: IncomingMessage, response: ServerResponse) => void
  close(): Promise<void>
}

export async function openFeedServer(): Promise<FeedServer> {
  const feedServer: Partial<FeedServer> & Pick<FeedServer, 'requests' | 'answer'> = {
    requests: [],
    answer: (_request, response) => response.writeHead(404).end(),
  }
  const server = createServer((request, response) => {
    feedServer.requests.push({ path: request.url ?? '', headers: request.headers })
    feedServer.answer(request, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(feedServer, {
    origin: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }) as FeedServer
}

export interface Item {
  title: string
  link?: string
  guid?: string
  date?: Date | string | null
  labels?: string[]
  description?: string
}

export function rss(items: readonly Item[], options: { site?: string; extra?: string } = {}): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>The Lantern</title><link>${options.site ?? 'https://lantern.example/'}</link>
${options.extra ?? ''}
${items.map(itemXml).join('\n')}
</channel></rss>`
}

function itemXml(item: Item): string {
  const date = item.date instanceof Date ? item.date.toUTCString() : item.date
  return `<item><title>${escape(item.title)}</title>
${item.link ? `<link>${escape(item.link)}</link>` : ''}${item.guid ? `<guid isPermaLink="false">${escape(item.guid)}</guid>` : ''}
${date ? `<pubDate>${date}</pubDate>` : ''}${(item.labels ?? []).map((label) => `<category>${escape(label)}</category>`).join('')}
<description>${escape(item.description ?? '')}</description></item>`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
