// Every address below /admin requires an editor's session, except the sign-in pages, which the router mounts before this. The
// cookie is `__Host-` and Secure over https. Over plain http (the trial) a browser would refuse such a cookie.

import { createHash } from 'node:crypto'
import type { CookieOptions, Request, RequestHandler, Response } from 'express'
import type { Actor } from '../../access/audit.ts'
import { findSessionEditor, type NewSession } from '../../access/sessions.ts'
import { type Homes, pathOf } from '../../base/addresses.ts'
import type { Config } from '../../base/config.ts'
import { Refusal } from '../../base/errors.ts'
import type { Editor } from '../../db/schema.ts'
import type { WebContext } from '../web-context.ts'
import { seeOther } from '../place.ts'

const editors = new WeakMap<Request, Editor>()

export function requireEditor(web: WebContext): RequestHandler {
  return async (request, response, next) => {
    const token = sessionToken(web.config, request)
    const editor = token && (await findSessionEditor(web.db, token, web.clock.now()))
    if (!editor) {
      if (request.method === 'GET' || request.method === 'HEAD') return seeOther(response, '/admin/sign-in')
      throw new Refusal('unauthorized', 'You are signed out. Sign in again, then repeat this.')
    }
    editors.set(request, editor)
    next()
  }
}

/** The editor of this request. Behind the guard there always is one. */
export function editorOf(request: Request): Editor {
  return editors.get(request)!
}

export function isSignedIn(request: Request): boolean {
  return editors.has(request)
}

/** The same, as the audit log writes it. */
export function actorOf(request: Request): Actor {
  return `editor:${editorOf(request).id}`
}

export function sessionToken(config: Config, request: Request): string | undefined {
  for (const pair of request.get('Cookie')?.split(';') ?? []) {
    const [name, value] = pair.trim().split('=')
    if (name === cookieName(config) && value && /^[A-Za-z0-9_-]{43}$/.test(value)) return value
  }
  return undefined
}

/** A relative lifetime, so that a wrong clock in the browser doesn't matter. */
export function setSessionCookie({ config, clock }: WebContext, response: Response, session: NewSession): void {
  const maxAge = session.expiresAt.getTime() - clock.now().getTime()
  response.cookie(cookieName(config), session.token, { ...cookieOptions(config), maxAge })
}

export function clearSessionCookie(config: Config, response: Response): void {
  response.clearCookie(cookieName(config), cookieOptions(config))
}

/** `__Host-` requires the path `/`, and cookies are shared between ports. So the name identifies the installation on this host. */
function cookieName({ web }: Config): string {
  const { port } = new URL(web.adminUrl)
  const place = port + pathOf(web.adminUrl)
  const suffix = place && `-${createHash('sha256').update(place).digest('hex').slice(0, 8)}`
  return `${isSecure(web) ? '__Host-' : ''}broadsheet${suffix}`
}

const isSecure = (web: Homes): boolean => web.adminUrl.startsWith('https:')

const cookieOptions = (config: Config): CookieOptions => ({
  path: '/',
  httpOnly: true,
  sameSite: 'lax',
  secure: isSecure(config.web),
})
