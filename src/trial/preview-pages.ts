// Every mail of the program at /mailbox/preview, for whoever changes a template: with this site's data, at three widths, in both
// colour schemes. The page reloads itself when a file below emails/ was saved, or the program was started again (npm run dev).

import { Router, type Request, type Response } from 'express'
import { Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import { type PreviewMail, previewMails } from '../digests/preview-mails.ts'
import { readAlternative } from '../mails/mime.ts'
import { forgetTemplates, newestTemplate } from '../mails/templates.ts'
import { html, type Html, to } from '../web/html.ts'
import { sendHtml } from '../web/place.ts'
import { mailboxFrame, sendMailHtml } from './mailbox-pages.ts'

const widths = [320, 600, 800] as const
const schemes = ['light', 'dark'] as const
type Scheme = (typeof schemes)[number]

/** To be mounted at /mailbox/preview. */
export function previewPages(ctx: Context): Router {
  const router = Router({ caseSensitive: true })
  let shown = ''
  /** Changes with the templates and with the process. What was compiled of older templates is forgotten. */
  const currentVersion = async () => {
    const version = `${process.pid}-${await newestTemplate()}`
    if (version !== shown) forgetTemplates()
    return (shown = version)
  }
  router.use((_request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex' })
    next()
  })

  router.get('/', async (request, response) => {
    const version = await currentVersion()
    const mails = previewMails(ctx, { locale: localeOf(request) })
    const sections = []
    for (const mail of mails) sections.push(await sectionOf(mail, localeOf(request)))
    sendHtml(
      response,
      mailboxFrame(
        ctx.config,
        'Preview of all mails',
        html`<h1>Every mail</h1>
          <p class="deck">
            With the categories and stories of this site. Links belong to nobody. Save a file in
            <code>emails/</code>, and this page shows it.
          </p>
          <nav class="views" aria-label="Mails">${mails.map(({ name }) => html`<a href="#${name}">${name}</a> `)}</nav>
          <div data-version="${version}" data-ask="${to('/mailbox/preview/version')}">${sections}</div>`,
      ),
    )
  })

  router.get('/version', async (_request, response) => {
    response.type('text').send(await currentVersion())
  })

  router.get('/:name.html', async (request, response) => {
    await currentVersion()
    const scheme = schemes.find((one) => one === request.query['scheme'])
    await show(ctx, request, response, async (mail) => {
      const { html: page } = await readAlternative(await mail.compose())
      sendMailHtml(response, scheme ? inScheme(page, scheme) : page)
    })
  })

  router.get('/:name.txt', async (request, response) => {
    await currentVersion()
    await show(ctx, request, response, async (mail) => {
      response.type('text').send((await readAlternative(await mail.compose())).text)
    })
  })

  return router
}

function localeOf(request: Request): string | undefined {
  const { locale } = request.query
  return typeof locale === 'string' && /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/.test(locale) ? locale : undefined
}

/** A template that can't be compiled says so in its place: whoever edits it is looking there. */
async function show(ctx: Context, request: Request, response: Response, work: (mail: PreviewMail) => Promise<void>) {
  const mail = previewMails(ctx, { locale: localeOf(request) }).find(({ name }) => name === request.params['name'])
  if (!mail) throw new Refusal('not_found', 'There is no mail of this name.')
  try {
    await work(mail)
  } catch (cause) {
    response
      .status(500)
      .type('text')
      .send((cause as Error).message)
  }
}

async function sectionOf(mail: PreviewMail, locale: string | undefined): Promise<Html> {
  const facts = await mail.compose().then(
    ({ subject, htmlBytes }) => html`<b>${subject}</b> · ${htmlBytes} bytes of HTML`,
    (cause: Error) => html`<b>${cause.message}</b>`,
  )
  const query = locale ? `&locale=${locale}` : ''
  return html`<section id="${mail.name}">
    <h2>${mail.name}</h2>
    <p class="deck">${facts} · <a href="${to(`/mailbox/preview/${mail.name}.txt?${query}`)}">Text part</a></p>
    ${schemes.map(
      (scheme) =>
        html`<div class="widths">
          ${widths.map(
            (width) =>
              html`<iframe
                class="at-${width}"
                title="${mail.name}, ${width} pixels, ${scheme}"
                loading="lazy"
                sandbox="allow-popups allow-popups-to-escape-sandbox"
                src="${to(`/mailbox/preview/${mail.name}.html?scheme=${scheme}${query}`)}"
              ></iframe>`,
          )}
        </div>`,
    )}
  </section>`
}

/** As a mail program of that scheme shows it, whatever the browser's own is. */
function inScheme(page: string, scheme: Scheme): string {
  return page
    .replaceAll('(prefers-color-scheme: dark)', scheme === 'dark' ? 'all' : 'not all')
    .replaceAll('content="light dark"', `content="${scheme}"`)
    .replace(/(color-schemes?): light dark/g, `$1: ${scheme}`)
}
