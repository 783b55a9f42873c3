// Live pages by server-sent events: one read of the database per second and watched page, however many people watch it. A page has
// named parts, and only those that changed are sent: unchanged parts keep the focus, and screen readers don't read them again. A
// stream ends after ten minutes; the browser opens it again, which checks the session again.

import type { Response } from 'express'
import type { Links } from '../../base/addresses.ts'
import { html, type Html } from '../html.ts'
import { linksOf } from '../place.ts'

const everyMs = 1000
const lifeMs = 600_000

export type Parts = Record<string, Html>

/** A part on the page and in an event. */
export const partOf = (name: string, content: Html): Html => html`<div data-part="${name}">${content}</div>`

interface Watch {
  watchers: Set<Response>
  timer: NodeJS.Timeout
  /** As text, by name. */
  last: Record<string, string>
}

export class LiveFeed {
  readonly #watches = new Map<string, Watch>()

  /** `read` returns the parts. Watchers get all parts first, then those that changed. Shared by all watchers of `key`. */
  watch(key: string, read: () => Promise<Parts>, response: Response): void {
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
    response.flushHeaders()
    response.write('retry: 2000\n\n')
    const watch = this.#watches.get(key) ?? this.#start(key, read, linksOf(response))
    watch.watchers.add(response)
    response.write(eventOf(watch.last))
    const life = setTimeout(() => response.end(), lifeMs).unref()
    response.on('close', () => {
      clearTimeout(life)
      watch.watchers.delete(response)
      if (watch.watchers.size > 0) return
      clearInterval(watch.timer)
      if (this.#watches.get(key) === watch) this.#watches.delete(key)
    })
  }

  #start(key: string, read: () => Promise<Parts>, links: Links): Watch {
    let isBusy = false
    const look = async () => {
      if (isBusy) return
      isBusy = true
      try {
        const parts = Object.entries(await read()).map(
          ([name, part]) => [name, partOf(name, part).text(links)] as const,
        )
        const news = parts.filter(([name, text]) => text !== watch.last[name])
        watch.last = Object.fromEntries(parts)
        const event = eventOf(Object.fromEntries(news))
        for (const response of watch.watchers) response.write(event)
      } catch {
        // The page still shows the last counts; the next read may succeed.
      } finally {
        isBusy = false
      }
    }
    const watch: Watch = { watchers: new Set(), timer: setInterval(() => void look(), everyMs).unref(), last: {} }
    this.#watches.set(key, watch)
    void look()
    return watch
  }
}

/** If nothing changed, nothing is written. */
function eventOf(parts: Record<string, string>): string {
  const text = Object.values(parts).join('\n')
  return text && `data: ${text.replaceAll(/\r?\n/g, '\ndata: ')}\n\n`
}
