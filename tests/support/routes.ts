// Every route that there is, read from the routers.

import { routersOf } from '../../src/web/routes.ts'
import type { WebContext } from '../../src/web/web-context.ts'

export interface Route {
  method: string
  path: string
  /** Names of the parameters of its path. */
  slots: string[]
}

/** One of each method and path, in the order in which they are asked. */
export function routesOf(web: WebContext): Route[] {
  const routes = routersOf(web).flatMap(([mount, router]) => {
    const own = router.stack.flatMap(({ route }) => route ?? [])
    return own.flatMap(({ path, stack }) => {
      const methods = stack.flatMap(({ method }) => method ?? [])
      // What takes every method only refuses some, except where it stands alone.
      if (!methods.length && own.filter((one) => one.path === path).length === 1) methods.push('post')
      const address = `${mount === '/' ? '' : mount}${path}`
      const slots = [...address.matchAll(/:(\w+)/g)].map((match) => match[1]!)
      return methods.map((method) => ({ method, path: address, slots }))
    })
  })
  return [...new Map(routes.map((route) => [`${route.method} ${route.path}`, route])).values()]
}
