// MJML in a process that lives for its templates only. Loaded, it holds a hundred megabytes, for templates that are rendered once:
// a delivery worker would carry them through every night (and a thread that ends gives hardly any of it back). A second without a
// template, and the process is gone.

import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface MjmlRequest {
  source: string
  /** Of the template: includes are looked for beside it. */
  path: string
}
export type MjmlAnswer = { html: string } | { error: string }

interface Waiting {
  resolve: (html: string) => void
  reject: (cause: Error) => void
}

const file = fileURLToPath(new URL('./mjml-process.ts', import.meta.url))
const idleMs = 1000

class MjmlProcess {
  // Not our own streams: a child that inherits a pipe makes it blocking for us too, and a reader who stops reading stops everything.
  #child: ChildProcess = fork(file, { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  #said = ''
  #waiting: Waiting[] = []
  #idle: NodeJS.Timeout | undefined

  constructor() {
    this.#child.on('message', (answer: MjmlAnswer) => {
      const { resolve, reject } = this.#waiting.shift()!
      if ('html' in answer) resolve(answer.html)
      else reject(new Error(answer.error))
      if (this.#waiting.length === 0) this.#rest()
    })
    this.#child.on('error', (cause) => this.#ended(cause))
    this.#child.on('exit', () =>
      this.#ended(new Error(`the process that renders the templates of mails ended. ${this.#said}`.trim())),
    )
    const errors = this.#child.stderr as Socket
    errors.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-2000)))
    errors.unref()
  }

  render(request: MjmlRequest): Promise<string> {
    clearTimeout(this.#idle)
    // Who has nothing else to do waits for the answer, and for nothing but that.
    this.#child.ref()
    this.#child.channel?.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.send(request, (cause) => cause && this.#ended(cause))
    })
  }

  #rest(): void {
    this.#child.unref()
    this.#child.channel?.unref()
    this.#idle = setTimeout(() => this.#leave(), idleMs)
    this.#idle.unref()
  }

  #leave(): void {
    if (running === this) running = null
    this.#child.disconnect()
  }

  #ended(cause: Error): void {
    if (running === this) running = null
    for (const { reject } of this.#waiting.splice(0)) reject(cause)
  }
}

let running: MjmlProcess | null = null

/** The HTML, with comments, in MJML's own indentation. Throws on what MJML's strict validation refuses. Includes only from the
 * template's folder; nothing is loaded from anybody (`fonts: {}`). */
export function renderMjml(request: MjmlRequest): Promise<string> {
  running ??= new MjmlProcess()
  return running.render(request)
}
