// `preview [--out DIR]`: every kind of mail as NAME.html, NAME.txt and NAME.eml, and in other languages than the site's own as
// NAME.de.html and so on. The digest is the next one of this site, or one of sample stories if there are none yet. Sends and changes
// nothing; its links belong to no subscriber.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSiteTexts } from '../../articles/site-texts.ts'
import { maskAddress } from '../../base/email-address.ts'
import type { Out } from '../out.ts'
import type { Context } from '../../db/context.ts'
import { everythingDue } from '../../db/schema.ts'
import type { Mail } from '../../delivery/composer.ts'
import { buildMessage, makeMessageId } from '../../delivery/message.ts'
import { readAlternative } from '../../mails/mime.ts'
import { consoleLocale, fillLetter } from '../../mails/letter.ts'
import { loadTemplate, type TemplateName } from '../../mails/templates.ts'
import { languagesOf, messagesFor } from '../../messages/messages.ts'
import { composeDigest } from '../../digests/compose.ts'
import { openSource } from '../../digests/next.ts'
import { previewAnnouncement, previewDigest } from '../../digests/preview.ts'
import { sampleSource } from './preview-samples.ts'
import { addressOf } from '../../base/addresses.ts'

const recipient = 'you@example.org'

export async function previewCommand(
  ctx: Context,
  options: { out?: string | undefined; json?: boolean | undefined },
  out: Out,
): Promise<number> {
  const folder = options.out ?? 'tmp/preview'
  await mkdir(folder, { recursive: true })
  for (const [name, mail] of await everyMail(ctx)) {
    const { html, text } = await readAlternative(mail)
    const messageId = makeMessageId(0, 'preview', mail.from.address)
    const message = Buffer.concat(await buildMessage(mail, { recipient, messageId, date: ctx.clock.now() }, null))
    await writeFile(join(folder, `${name}.html`), html)
    await writeFile(join(folder, `${name}.txt`), `${mail.subject}\n\n${text}`)
    await writeFile(join(folder, `${name}.eml`), message)
    const file = join(folder, `${name}.html`)
    if (options.json) out.print(JSON.stringify({ mail: name, subject: mail.subject, htmlBytes: mail.htmlBytes, file }))
    else out.print(`${name.padEnd(19)} ${String(mail.htmlBytes).padStart(6)} bytes  ${file}  ${mail.subject}`)
  }
  return 0
}

/** The mails to editors, then every other mail in every language: NAME in the site's own, NAME.LANGUAGE in the others. */
async function everyMail(ctx: Context): Promise<[string, Mail][]> {
  const mails = await letters(ctx, consoleLocale, ['sign-in', 'alert'])
  for (const language of languagesOf(ctx.config)) {
    const isOwn = language === messagesFor(ctx.config, null).language
    const named = [...(await letters(ctx, language, subscriberLetters)), ...(await listMails(ctx, language))]
    for (const [name, mail] of named) mails.push([isOwn ? name : `${name}.${language}`, mail])
  }
  return mails
}

const subscriberLetters = [
  'confirmation',
  'welcome',
  'preferences-link',
  'goodbye',
  'address-change',
  'address-changed',
] as const

async function letters(ctx: Context, language: string, names: readonly TemplateName[]): Promise<[string, Mail][]> {
  const own = (path: string) => addressOf(ctx.config, path)
  const say = messagesFor(ctx.config, language)
  const siteTexts = await readSiteTexts(ctx.db)
  const first = new Date('2026-11-24T06:00:00Z')
  const [day, time] = [say.date(first, 'day', 'Europe/Berlin'), say.date(first, 'time', 'Europe/Berlin')]
  const values = {
    preferencesUrl: own('/preferences?token=preview'),
    unsubscribeUrl: own('/unsubscribe?token=preview'),
    confirmUrl: own('/confirm?token=preview'),
    undoUrl: own('/preferences/address/undo?token=preview'),
    signInUrl: own('/admin/sign-in?token=preview'),
    recipient,
    newAddress: maskAddress('ada@example.com'),
    choices: [
      { name: 'Politics', frequency: say('mails.daily') },
      { name: 'Arts', frequency: say('mails.weekly') },
    ],
    isImported: false,
    isActive: true,
    days: 7,
    firstDigest: say('mails.firstDigest', { day, time, zone: 'Europe/Berlin' }),
    until: '18:30 (UTC)',
    title: 'Something needs your attention',
    summary: 'A feed is silent.',
    paragraphs: [
      'The feed https://stories.example/feed.xml has had no new story for three days, more than five times its usual interval.',
    ],
    url: own('/admin'),
  }
  const mails: [string, Mail][] = []
  for (const name of names) {
    const template = await loadTemplate(name, ctx.config.site)
    const isList = name === 'welcome' || name === 'preferences-link'
    mails.push([name, await fillLetter(ctx.config, template, { say, siteTexts }, values, isList ? 0 : null)])
  }
  return mails
}

async function listMails(ctx: Context, language: string): Promise<[string, Mail][]> {
  const text = {
    subject: 'A short note from the newsroom',
    body: `From Monday on, the morning digest carries a new category.\n\nYou find it among your choices: ${addressOf(ctx.config, '/')}`,
  }
  const announcement = await previewAnnouncement(ctx, text, language)
  const digest = (await previewDigest(ctx, { language }))?.mail ?? (await sampleDigest(ctx, language))
  return [
    ['announcement', announcement.mail],
    ['digest', digest],
  ]
}

async function sampleDigest(ctx: Context, locale: string): Promise<Mail> {
  const now = ctx.clock.now()
  const source = { ...sampleSource(now), languages: [locale], siteTexts: await readSiteTexts(ctx.db) }
  const edition = await openSource(ctx, source, { cutoffSeq: 1000, at: now })
  const subscriptions = [...edition.frame.edition.categories.keys()].map((categoryId, position) => ({
    categoryId,
    frequency: 'daily' as const,
    position,
  }))
  const reader = { id: 0, generation: 0, email: null, timezone: null, locale, subscriptions, watermarks: {}, seen: [] }
  const delivery = { recipient, due: everythingDue, articleIds: null }
  const composed = composeDigest(ctx, edition, reader, delivery, now)
  if (composed.outcome !== 'mail') throw new Error('The sample stories are too few for a digest. Lower DIGEST_MINIMUM.')
  return composed.mail
}
