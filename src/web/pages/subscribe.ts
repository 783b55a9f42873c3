// POST /subscribe, and the page after it. Whatever the address is, the answer is the same bytes and takes the same time: nobody
// can find out here who reads us.

import { setTimeout as pause } from 'node:timers/promises'
import type { Request, RequestHandler } from 'express'
import { Refusal } from '../../base/errors.ts'
import { listCategories } from '../../articles/store.ts'
import { chosen, readChoices, readTimezone } from '../../subscribers/choices.ts'
import { readAddress, subscribe } from '../../subscribers/subscribe.ts'
import { statusOf } from '../errors.ts'
import { field } from '../forms.ts'
import { html, to } from '../html.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { originOf } from './links.ts'
import type { Typed } from './fields.ts'
import { frontPage } from './front.ts'
import { sharedRead } from './shared-read.ts'
import { seeOther } from '../place.ts'

/** No sign-up is answered sooner. Longer than any of them takes, so that the work behind it doesn't show. */
const answerMs = 40

export function takeSubscription(web: WebContext): RequestHandler {
  return async (request, response) => {
    try {
      const evenly = pause(answerMs)
      // A field that people can't see: who fills it in is answered as everyone, and ignored.
      if (!field(request, 'website')) await signUp(web, request)
      await evenly
    } catch (refusal) {
      if (!(refusal instanceof Refusal) || refusal.code !== 'invalid' || asksForJson(request)) throw refusal
      const typed = typedIn(request)
      sendPage(response, web.config, {
        ...(await frontPage(web, { typed, refusal, status: statusOf[refusal.code] })),
        title: 'Please check the form',
        isIndexed: false,
      })
      return
    }
    seeOther(response, '/subscribe/check-your-mail')
  }
}

const readCategories = sharedRead((db) => listCategories(db))

async function signUp(web: WebContext, request: Request): Promise<void> {
  const body = request.body as Record<string, unknown>
  const problems = []
  const collect = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal
      problems.push(...refusal.problems)
      return undefined
    }
  }
  const categories = await readCategories(web.db)
  collect(() => readAddress(body['email']))
  const given = collect(() => readChoices(body['frequency'], categories))
  const timezone = collect(() => readTimezone(body['timezone'])) ?? null
  const choices = chosen(given ?? {})
  if (given && Object.keys(choices).length === 0)
    problems.push({ field: 'frequency', message: 'Choose how often at least one category should come.' })
  if (problems.length > 0) throw new Refusal('invalid', 'This needs another look.', problems)
  const formUrl = field(request, 'form_url')
  const isPage = formUrl !== undefined && /^https?:\/\/[^\s]{1,400}$/.test(formUrl)
  await subscribe(web, {
    email: body['email'],
    choices,
    timezone,
    origin: { ...originOf(request), formUrl: isPage ? formUrl : '/' },
  })
}

export function showCheckYourMail(web: WebContext): RequestHandler {
  return (_request, response) => {
    sendPage(response, web.config, {
      title: 'Check your mail',
      kind: 'quiet',
      isIndexed: false,
      body: html`<h1>Check your mail</h1>
        <p class="deck">
          There is a message from ${web.config.site.name} on its way to you. Press its button to go on.
        </p>
        <p>
          Nothing comes before you have done that. It may take a minute; if you can’t see it, look among the spam. The
          button works for seven days.
        </p>
        ${web.config.trial && html`<p>This is the trial: the mail is in <a href="${to('/mailbox')}">the mailbox</a>.</p>`}
        <p><a href="${to('/')}">Back to the front page</a></p>`,
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
  return {
    email: field(request, 'email')?.slice(0, 400) ?? '',
    frequency,
    timezone: field(request, 'timezone')?.slice(0, 100) ?? '',
  }
}
