// A reader's visit in a real browser: the house answers at `home` for as long as it lasts.

import type { Server } from 'node:http'
import { after, before } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { createServer } from '../../src/web/server.ts'
import { openBrowser } from './browser.ts'
import type { House } from './house.ts'
import { freePort } from './postgres.ts'

const port = await freePort()
/** Of the test file that imports this: its stories run one after another. */
export const home = `http://127.0.0.1:${port}`
let browser: Browser
before(async () => {
  browser = await openBrowser()
})
after(() => browser.close())

export interface Visit extends AsyncDisposable {
  page: Page
  /** Requests to other hosts, errors on the console (a broken policy is one), and dialogs. */
  troubles: string[]
}

export async function visit(house: House, how: { javaScriptEnabled?: boolean; width?: number } = {}): Promise<Visit> {
  const server = await new Promise<Server>((resolve) => {
    const listening = createServer(house.ctx).listen(port, '127.0.0.1', () => resolve(listening))
  })
  const context = await browser.newContext({
    viewport: { width: how.width ?? 1000, height: 800 },
    javaScriptEnabled: how.javaScriptEnabled ?? true,
    timezoneId: 'Asia/Kathmandu',
  })
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(home)) troubles.push(`asked for ${request.url()}`)
  })
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('status of 4')) troubles.push(message.text())
  })
  page.on('dialog', (dialog) => {
    troubles.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return {
    page,
    troubles,
    async [Symbol.asyncDispose]() {
      await context.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
