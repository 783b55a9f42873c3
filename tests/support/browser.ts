// A real Chromium, from npm alone; CHROMIUM_PATH names another one.

import chromium from '@sparticuz/chromium'
import { chromium as playwright, type Browser } from 'playwright-core'

export async function openBrowser(): Promise<Browser> {
  // In a single process, closing one page's context would end the browser.
  const args = chromium.args.filter((argument) => argument !== '--single-process')
  return playwright.launch({
    executablePath: process.env.CHROMIUM_PATH ?? (await chromium.executablePath()),
    args: [...args, '--no-sandbox'],
  })
}
