// Every request to /api/v1 needs a valid key (`Authorization: Bearer KEY`). A console session isn't accepted here, and a key isn't
// accepted there.

import type { Request, RequestHandler } from 'express'
import { findApiKey } from '../../access/api-keys.ts'
import { allows, type Scope } from '../../access/scopes.ts'
import { Refusal } from '../../base/errors.ts'
import type { ApiKey } from '../../db/schema.ts'
import type { WebContext } from '../web-context.ts'

const keyOf = new WeakMap<Request, ApiKey>()

export function requireKey(web: WebContext): RequestHandler {
  return async (request, response, next) => {
    response.set('Cache-Control', 'no-store')
    const [, presented] = /^Bearer +([A-Za-z0-9_-]{20,100})$/i.exec(request.get('Authorization') ?? '') ?? []
    const key = presented && (await findApiKey(web.db, presented, web.clock.now()))
    if (!key) {
      response.set('WWW-Authenticate', 'Bearer realm="Broadsheet"')
      throw new Refusal('unauthorized', 'Send a good key as "Authorization: Bearer KEY". The console makes keys.')
    }
    keyOf.set(request, key)
    next()
  }
}

export function requireScope(needed: Scope): RequestHandler {
  return (request, _response, next) => {
    const { scope } = apiKeyOf(request)
    if (!allows(scope, needed, request.method))
      throw new Refusal('forbidden', `This key holds the scope ${scope}; this needs ${needed}.`)
    next()
  }
}

export function apiKeyOf(request: Request): ApiKey {
  return keyOf.get(request)!
}
