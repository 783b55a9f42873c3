// What a reader has just typed into the form, for the pages that follow: which address to look in, and the form again to change it.
// It is a cookie for these pages alone. It is signed, so that nobody can make our pages show another address, and it ends by itself
// within two hours. Equal sign-ups in the same hour get equal bytes.

import type { Request, Response } from 'express'
import { pathOf } from '../../base/addresses.ts'
import { checkToken, signToken } from '../../base/tokens.ts'
import type { Choices } from '../../subscribers/choices.ts'
import type { WebContext } from '../web-context.ts'

export interface SignupMemo {
  email: string
  choices: Choices
  timezone: string | null
}

const hourMs = 3_600_000
/** Browsers drop cookies of more than 4 kB. A choice that is too long for that is left out. */
const longest = 3500

export function keepMemo({ config, clock }: WebContext, response: Response, memo: SignupMemo): void {
  const expiresAt = new Date((Math.floor(clock.now().getTime() / hourMs) + 2) * hourMs)
  const sign = (value: SignupMemo) =>
    signToken(config.secretKeys, 'signup', Buffer.from(JSON.stringify(value)).toString('base64url'), expiresAt)
  const whole = sign(memo)
  response.cookie(nameOf(config.web), whole.length <= longest ? whole : sign({ ...memo, choices: {} }), {
    path: `${pathOf(config.web.publicUrl)}/subscribe`,
    httpOnly: true,
    sameSite: 'lax',
    secure: isSecure(config.web),
  })
}

/** undefined: there is none, it is too old, or it isn't ours. */
export function readMemo({ config, clock }: WebContext, request: Request): SignupMemo | undefined {
  const pairs = request.get('Cookie')?.split(/;\s*/) ?? []
  const start = `${nameOf(config.web)}=`
  const token = pairs.find((pair) => pair.startsWith(start))?.slice(start.length)
  const check = checkToken(config.secretKeys, 'signup', token, clock.now(), { longest })
  if (check.outcome !== 'valid') return undefined
  return JSON.parse(Buffer.from(check.id, 'base64url').toString()) as SignupMemo
}

const isSecure = ({ publicUrl }: { publicUrl: string }) => publicUrl.startsWith('https:')
const nameOf = (web: { publicUrl: string }) => `${isSecure(web) ? '__Secure-' : ''}broadsheet-signup`
