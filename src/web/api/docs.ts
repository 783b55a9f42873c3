// /api/docs: Swagger UI from node_modules with our own document. Reading needs no key; "Authorize" accepts one to try requests.
// Swagger UI's own page starts with an inline script, which our policy forbids, so the page and its start script are ours.

import path from 'node:path'
import { fileURLToPath } from 'node:url'
import express, { Router } from 'express'
import type { Config } from '../../base/config.ts'
import { html, to } from '../html.ts'
import { sendHtml } from '../place.ts'
import { asset } from '../assets.ts'

export function docsRouter(config: Config): Router {
  const router = Router()
  router.get('/', (_request, response) => {
    sendHtml(response, page(config))
  })
  const files = ['swagger-ui.css', 'swagger-ui-bundle.js']
  const installed = path.dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui.css')))
  const folder = express.static(installed, { index: false, maxAge: '1h' })
  for (const file of files) router.get(`/${file}`, folder)
  return router
}

function page(config: Config) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>API – ${config.site.name}</title>
        <link rel="icon" href="${asset('icon.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${to('/api/docs/swagger-ui.css')}" />
        <script src="${to('/api/docs/swagger-ui-bundle.js')}" defer></script>
        <script src="${asset('api-docs.js')}" defer></script>
      </head>
      <body>
        <div id="api" data-document="${to('/api/v1/openapi.json')}"></div>
        <noscript
          ><p>Without scripts, read <a href="${to('/api/v1/openapi.json')}">the OpenAPI document</a>.</p></noscript
        >
      </body>
    </html>`
}
