// `preview [--out DIR]`: every kind of mail as NAME.html, NAME.txt and NAME.eml. The digest is the next one of this site, or one
// of sample stories if there are none yet. Sends and changes nothing; its links belong to no subscriber.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { maskAddress } from '../../base/email-address.ts'
import type { Out } from '../out.ts'
import type { Context } from '../../db/context.ts'
import { everythingDue } from '../../db/schema.ts'
import type { Mail } from '../../delivery/composer.ts'
import { buildMessage, makeMessageId } from '../../delivery/message.ts'
import { readAlternative } from '../../mails/mime.ts'
import { loadTemplate } from '../../mails/templates.ts'
import { fillLetter } from '../../mails/transactional.ts'
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
    else out.print(`${name.padEnd(17)} ${String(mail.htmlBytes).padStart(6)} bytes  ${file}  ${mail.subject}`)
  }
  return 0
}

async function everyMail(ctx: Context): Promise<[string, Mail][]> {
  const own = (path: string) => addressOf(ctx.config, path)
  const choices = [
    { name: 'Politics', frequency: 'daily' },
    { name: 'Arts', frequency: 'weekly' },
  ]
  const links = {
    preferencesUrl: own('/preferences?token=preview'),
    unsubscribeUrl: own('/unsubscribe?token=preview'),
    confirmUrl: own('/confirm?token=preview'),
    undoUrl: own('/preferences/address/undo?token=preview'),
    signInUrl: own('/admin/sign-in?token=preview'),
  }
  const letters = {
    confirmation: { recipient, choices, days: 7 },
    welcome: {
      firstDigest: 'The first digest comes on Tuesday, 24 November 2026 at 07:00 (Europe/Berlin).',
      choices,
    },
    'preferences-link': { isActive: true },
    goodbye: { recipient, days: 30 },
    'address-change': { recipient, days: 7 },
    'address-changed': { recipient, newAddress: maskAddress('ada@example.com'), days: 7 },
    'sign-in': { until: '18:30 (UTC)' },
    alert: {
      title: 'Something needs your attention',
      summary: 'A feed is silent.',
      paragraphs: [
        'The feed https://stories.example/feed.xml has had no new story for three days, more than five times its usual interval.',
      ],
      url: own('/admin'),
    },
  } as const
  const mails: [string, Mail][] = []
  for (const [name, values] of Object.entries(letters)) {
    const template = await loadTemplate(name as keyof typeof letters, ctx.config.site)
    const isList = name === 'welcome' || name === 'preferences-link'
    mails.push([name, await fillLetter(ctx.config, template, { ...links, ...values }, isList ? 0 : null)])
  }
  const announcement = await previewAnnouncement(ctx, {
    subject: 'A short note from the newsroom',
    body: `From Monday on, the morning digest carries a new category.\n\nYou find it among your choices: ${own('/')}`,
  })
  const digest = (await previewDigest(ctx))?.mail ?? (await sampleDigest(ctx))
  return [...mails, ['announcement', announcement.mail], ['digest', digest]]
}

async function sampleDigest(ctx: Context): Promise<Mail> {
  const now = ctx.clock.now()
  const edition = await openSource(ctx, sampleSource(now), { cutoffSeq: 1000, at: now })
  const subscriptions = [...edition.frame.edition.categories.keys()].map((categoryId, position) => ({
    categoryId,
    frequency: 'daily' as const,
    position,
  }))
  const reader = { id: 0, generation: 0, email: null, timezone: null, subscriptions, watermarks: {}, seen: [] }
  const delivery = { recipient, due: everythingDue, articleIds: null }
  const composed = composeDigest(ctx, edition, reader, delivery, now)
  if (composed.outcome !== 'mail') throw new Error('The sample stories are too few for a digest. Lower DIGEST_MINIMUM.')
  return composed.mail
}
