// POST /subscribe, and the pages after it. Whatever is known of the address, the answer is the same bytes and takes the same time:
// nobody can find out here who subscribes.

import type { Request, RequestHandler } from 'express'
import { parseEmailAddress } from '../../base/email-address.ts'
import { type FieldProblem, Refusal } from '../../base/errors.ts'
import { meantDomain } from '../../base/misspelt-domain.ts'
import { listCategories } from '../../articles/store.ts'
import type { Db } from '../../db/connect.ts'
import { refusal as refuse } from '../../messages/refusals.ts'
import { wordingShown } from '../../subscribers/consent.ts'
import { type Choices, readGuessedTimezone, readSignupChoices } from '../../subscribers/choices.ts'
import { defaultAmong } from '../../subscribers/default-choice.ts'
import { readAddress, subscribe } from '../../subscribers/subscribe.ts'
import { allowedPage } from '../cors.ts'
import { statusOf } from '../errors.ts'
import { field, fieldList } from '../forms.ts'
import { sendPage } from '../layout.ts'
import { sayFor, setLanguage } from '../language.ts'
import { siteTextsOf } from '../site-texts.ts'
import { seeOther } from '../place.ts'
import type { WebContext } from '../web-context.ts'
import { checkYourMailPage, checkYourMailText, didYouMeanPage } from './after-signup.ts'
import { answerEvenly } from '../even-time.ts'
import { originOf, withHold } from './links.ts'
import { frontPage } from './front.ts'
import { sharedRead } from './shared-read.ts'
import { keepMemo, readMemo, type SignupMemo } from './signup-memo.ts'
import { type Typed, typedAs } from './typed.ts'

export function takeSubscription(web: WebContext): RequestHandler {
  return async (request, response) => {
    const say = sayFor(web.config, request)
    try {
      const signup = await readSignup(web, request)
      const meant = asksForJson(request) ? undefined : slipOf(request, signup)
      if (meant) {
        keepMemo(web, response, signup)
        return sendPage(response, web.config, didYouMeanPage(say, request, signup.email, meant))
      }
      // A field that people can't see. A program that fills it in gets the same answer, and its sign-up is ignored.
      if (!field(request, 'website'))
        await subscribe(web, {
          ...signup,
          locale: say.locale,
          wording: wordingShown(siteTextsOf(web.config, request, say).optInStatement),
          origin: { ...originOf(request), formUrl: formUrlOf(request) },
        })
      await answerEvenly(web, request)
      setLanguage(response, say)
      if (asksForJson(request)) {
        const answer = checkYourMailText(say, web.config, signup.email)
        return void response.json({ message: await withHold(web.db, say, answer) })
      }
      const page = allowedPage(web.config, field(request, 'return_to'))
      if (page) return response.redirect(303, page)
      keepMemo(web, response, signup)
    } catch (refusal) {
      if (!(refusal instanceof Refusal) || refusal.code !== 'invalid' || asksForJson(request)) throw refusal
      const typed = typedIn(request)
      sendPage(response, web.config, {
        ...(await frontPage(web, request, { typed, refusal, status: statusOf[refusal.code] })),
        title: say('form.checkForm'),
        isIndexed: false,
      })
      return
    }
    seeOther(response, '/subscribe/check-your-mail')
  }
}

const readOffer = sharedRead(async (db: Db) => {
  const categories = await listCategories(db)
  return { categories, usual: await defaultAmong(db, categories) }
})

/** What the form says, or a refusal that names every field that is wrong. */
async function readSignup(web: WebContext, request: Request): Promise<SignupMemo> {
  const body = request.body as Record<string, unknown>
  const { categories, usual } = await readOffer(web.db)
  const problems: FieldProblem[] = []
  const collect = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal
      problems.push(...refusal.problems)
      return undefined
    }
  }
  const address = collect(() => readAddress(body['email']))
  const fields = {
    frequency: body['frequency'],
    categories: body['categories'],
    frequencyForAll: body['frequency_for_all'],
  }
  const choices: Choices | undefined = collect(() => readSignupChoices(fields, categories, usual))
  if (!address || !choices) throw refuse('invalid', 'form.fixFields', {}, problems)
  return { email: address.email, choices, timezone: readGuessedTimezone(body['timezone']) }
}

/** The address that was most probably meant, unless the reader has said that this one is right. */
function slipOf(request: Request, { email }: SignupMemo): string | undefined {
  const domain = meantDomain(email)
  const isKept = parseEmailAddress(field(request, 'kept_email'))?.email === email
  return domain && !isKept ? `${email.slice(0, email.lastIndexOf('@'))}@${domain}` : undefined
}

function formUrlOf(request: Request): string {
  const formUrl = field(request, 'form_url')
  return formUrl !== undefined && /^https?:\/\/[^\s]{1,400}$/.test(formUrl) ? formUrl : '/'
}

export function showCheckYourMail(web: WebContext): RequestHandler {
  return async (request, response) => {
    const say = sayFor(web.config, request)
    const nothingThere = await withHold(web.db, say, say('form.nothingThere'))
    sendPage(response, web.config, checkYourMailPage(say, web.config, readMemo(web, request)?.email, nothingThere))
  }
}

/** The form again, as it was sent. Without the memo of a sign-up: the front page. */
export function showChange(web: WebContext): RequestHandler {
  return async (request, response) => {
    const memo = readMemo(web, request)
    if (!memo) return seeOther(response, '/#subscribe')
    const { email, choices, timezone } = memo
    const say = sayFor(web.config, request)
    const hasChoice = Object.keys(choices).length > 0
    const typed: Typed = { email, timezone: timezone ?? '', ...(hasChoice && { choice: typedAs(choices) }) }
    sendPage(response, web.config, {
      ...(await frontPage(web, request, { typed, heading: say('form.changeSignup') })),
      title: say('form.changeSignup'),
      isIndexed: false,
    })
  }
}

const asksForJson = (request: Request) => request.accepts(['html', 'json']) === 'json'

/** What to put back into the form: only what fits its fields. */
function typedIn(request: Request): Typed {
  const given: unknown = (request.body as Record<string, unknown>)['frequency']
  const frequency = Object.fromEntries(
    Object.entries(typeof given === 'object' && given !== null ? given : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
  const categories = fieldList(request, 'categories')
  const hasChoice = Object.keys(frequency).length > 0 || categories.length > 0
  return {
    email: field(request, 'email')?.slice(0, 400) ?? '',
    timezone: readGuessedTimezone(field(request, 'timezone')) ?? '',
    ...(hasChoice && { choice: { frequency, categories, frequencyForAll: field(request, 'frequency_for_all') ?? '' } }),
  }
}
