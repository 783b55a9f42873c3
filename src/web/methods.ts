// A method that a path doesn't have: 405, with the path's methods in `Allow` (RFC 9110, 15.5.6).

import type { Response, Router } from 'express'
import { refusal } from '../messages/refusals.ts'

/** Refuses every request that reaches it. `methods` are those of the routes before it, as Express spells them. */
export function onlyMethods(methods: readonly string[]) {
  const allowed = methods.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : method.toUpperCase())).join(', ')
  return (request: { method: string }, response: Response): void => {
    response.set('Allow', allowed)
    throw refusal('method_not_allowed', 'common.methodNotAllowed', { method: request.method, allowed })
  }
}

/**
 * Makes each path of a router refuse the methods that none of its routes has. Call it after the last route; safe to call again.
 * Express itself answers OPTIONS.
 */
export function refuseOtherMethods(router: Router): void {
  const routes = router.stack.flatMap(({ route }) => route ?? [])
  for (const [path, group] of Map.groupBy(routes, (route) => route.path)) {
    // A handler for every method has none.
    const methods = [...new Set(group.flatMap(({ stack }) => stack.map(({ method }) => method as string | undefined)))]
    if (!methods.every((method) => method !== undefined)) continue
    const refuse = onlyMethods(methods)
    router.all(path, (request, response, next) => (request.method === 'OPTIONS' ? next() : refuse(request, response)))
  }
}
