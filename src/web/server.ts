// The Express application: what every request passes before and after its route. routes.ts has the routes.

import { randomUUID } from 'node:crypto'
import compression from 'compression'
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import helmet from 'helmet'
import { pinoHttp } from 'pino-http'
import { homeOf, type Side } from '../base/addresses.ts'
import type { Config } from '../base/config.ts'
import { isLoopbackHost } from '../base/loopback.ts'
import { Refusal } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { serveAssets, serveTheme } from './assets.ts'
import { handleErrors } from './errors.ts'
import { onlyMethods } from './methods.ts'
import { nothingAt, onlyOwnSide, placeRequests, sideOfRequest } from './place.ts'
import { mountRoutes } from './routes.ts'
import { refuseNulInAddress } from './text-rules.ts'
import type { WebContext } from './web-context.ts'

export function createServer(web: WebContext): Express {
  const { config, log } = web
  const app = express()
  app.disable('x-powered-by')
  app.enable('strict routing')
  app.enable('case sensitive routing')
  app.set('trust proxy', trustProxy(config.web.trustProxy))
  app.set('query parser', 'extended')
  app.use(placeRequests(config))
  app.use(securityHeaders(config))
  app.use(logRequests(log))
  if (config.trial) app.use(onlyKnownHosts(config))
  app.use(refuseNulInAddress)
  app.use(compression({ filter: isCompressed }))
  app.get('/theme.css', serveTheme(config)).all('/theme.css', onlyMethods(['get']))
  app.use('/assets', serveAssets())
  app.use(onlyOwnSide(config))
  mountRoutes(app, web)
  app.use((request) => {
    throw nothingAt(request)
  })
  app.use(readToTheEnd)
  app.use(handleErrors(config, log))
  return app
}

/** Events of a live page are sent one by one: compression would delay them. */
function isCompressed(request: Request, response: Response): boolean {
  return (
    !String(response.getHeader('Content-Type')).startsWith('text/event-stream') && compression.filter(request, response)
  )
}

/** Trusted proxies: a number of hops, or addresses and networks. */
function trustProxy(given: string): boolean | number | string {
  if (given === '') return false
  return /^\d+$/.test(given) ? Number(given) : given
}

/**
 * No inline script or style anywhere. Pictures of stories may come from https; pages with a token restrict that further
 * (forms.ts). Over plain http neither HSTS nor upgrade-insecure-requests, which would break the site.
 */
function securityHeaders(config: Config): RequestHandler {
  const of = { public: headersOf(config, 'public'), console: headersOf(config, 'console') }
  return (request, response, next) => of[sideOfRequest(request)](request, response, next)
}

function headersOf(config: Config, side: Side): RequestHandler {
  const { publicUrl } = config.web
  const secure = homeOf(config.web, side).startsWith('https:')
  // The console shows mails with pictures of the sample site.
  const isPictureElsewhere = side === 'console' && publicUrl.startsWith('http:')
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        imgSrc: ["'self'", 'https:', 'data:', ...(isPictureElsewhere ? [new URL(publicUrl).origin] : [])],
        objectSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        ...(secure ? { upgradeInsecureRequests: [] } : {}),
      },
    },
    strictTransportSecurity: secure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    referrerPolicy: { policy: 'strict-origin-when-cross-origin' },
    xFrameOptions: { action: 'deny' },
  })
}

/** One line per request: method, route pattern, status, time. The address itself isn't logged, because it may contain a token. */
function logRequests(log: Log): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId: () => randomUUID(),
    quietReqLogger: true,
    serializers: {
      req: (request: { id: string; method: string }) => ({ id: request.id, method: request.method }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
    },
    customProps: (request) => ({ route: (request as unknown as { route?: { path?: string } }).route?.path }),
    customLogLevel: (_request, response, error) => (error || response.statusCode >= 500 ? 'warn' : 'debug'),
  })
}

/** The trial answers only to loopback names, so that a page of another site can't reach it through DNS rebinding. */
function onlyKnownHosts(config: Config): RequestHandler {
  const own = [config.web.publicUrl, config.web.adminUrl].map((home) => new URL(home).hostname)
  return (request, _response, next) => {
    const host = request.hostname ?? ''
    if (!own.includes(host) && !isLoopbackHost(host))
      throw new Refusal('forbidden', 'The trial answers only to its loopback address.')
    next()
  }
}

/**
 * If a body is refused unread, the client is still sending it, and would see a broken connection instead of the answer. So the
 * rest is read and dropped first: at most 16 MB or five seconds of it.
 */
const readToTheEnd: ErrorRequestHandler = (error: unknown, request, _response, next) => {
  if (request.complete || request.destroyed) return next(error)
  let left = 16 * 1024 * 1024
  const patience = setTimeout(answer, 5000)
  function answer(): void {
    clearTimeout(patience)
    request.off('data', count).off('end', answer).off('close', answer)
    next(error)
  }
  function count(chunk: Buffer): void {
    left -= chunk.length
    if (left < 0) answer()
  }
  request.on('data', count).once('end', answer).once('close', answer)
}
