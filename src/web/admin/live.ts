// Live counts by server-sent events: one look at the database a second per edition that is being watched, however many watch it.
// A stream ends after ten minutes; the browser opens it again by itself, which puts it through the guard once more.

import type { Response } from 'express'

const everyMs = 1000
const lifeMs = 600_000

interface Watch {
  watchers: Set<Response>
  timer: NodeJS.Timeout
  last: string
}

export class LiveFeed {
  readonly #watches = new Map<number, Watch>()
  readonly #read: (id: number) => Promise<string>

  /** `read` gives the text that watchers get whenever it changes. */
  constructor(read: (id: number) => Promise<string>) {
    this.#read = read
  }

  watch(id: number, response: Response): void {
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
    response.flushHeaders()
    response.write('retry: 2000\n\n')
    const watch = this.#watches.get(id) ?? this.#start(id)
    watch.watchers.add(response)
    if (watch.last) response.write(eventOf(watch.last))
    const life = setTimeout(() => response.end(), lifeMs).unref()
    response.on('close', () => {
      clearTimeout(life)
      watch.watchers.delete(response)
      if (watch.watchers.size > 0) return
      clearInterval(watch.timer)
      if (this.#watches.get(id) === watch) this.#watches.delete(id)
    })
  }

  #start(id: number): Watch {
    let isBusy = false
    const look = async () => {
      if (isBusy) return
      isBusy = true
      try {
        const text = await this.#read(id)
        if (text === watch.last) return
        watch.last = text
        for (const response of watch.watchers) response.write(eventOf(text))
      } catch {
        // The page still shows the last counts; the next look may do better.
      } finally {
        isBusy = false
      }
    }
    const watch: Watch = { watchers: new Set(), timer: setInterval(() => void look(), everyMs).unref(), last: '' }
    this.#watches.set(id, watch)
    void look()
    return watch
  }
}

const eventOf = (text: string): string => `data: ${text.replaceAll(/\r?\n/g, '\ndata: ')}\n\n`
