// The styles, scripts and icons of our pages. Each address contains a hash of its content, so a browser caches it for a year and
// still gets a change at once. Without the hash it is cached for an hour.

import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import express, { type RequestHandler } from 'express'
import type { Config } from '../base/config.ts'
import { themeOf } from './theme.ts'
import { to } from './html.ts'

const folder = path.join(import.meta.dirname, 'assets')
const known = new Map<string, { changedAt: number; fingerprint: string }>()

const forever = 'public, max-age=31536000, immutable'
const forAnHour = 'public, max-age=3600'

const fingerprintOf = (content: Buffer | string): string =>
  createHash('sha256').update(content).digest('base64url').slice(0, 10)

/** The address of a file in assets/. A file that changes while the program runs gets a new one. */
export function asset(name: string) {
  const file = path.join(folder, name)
  const { mtimeMs } = statSync(file)
  let version = known.get(name)
  if (version?.changedAt !== mtimeMs)
    known.set(name, (version = { changedAt: mtimeMs, fingerprint: fingerprintOf(readFileSync(file)) }))
  return to(`/assets/${name}?v=${version.fingerprint}`)
}

/** The address of the site's own colours. */
export function theme(site: Config['site']) {
  return to(`/theme.css?v=${fingerprintOf(themeOf(site))}`)
}

/** Mounted at /assets. */
export function serveAssets(): RequestHandler {
  return express.static(folder, {
    index: false,
    fallthrough: false,
    cacheControl: false,
    setHeaders: (response) => response.set('Cache-Control', cacheOf(response.req)),
  })
}

/** For GET /theme.css. */
export function serveTheme({ site }: Config): RequestHandler {
  const css = themeOf(site)
  return (request, response) => {
    response.type('css').set('Cache-Control', cacheOf(request)).send(css)
  }
}

const cacheOf = (request: { query: Record<string, unknown> }): string =>
  request.query['v'] === undefined ? forAnHour : forever
