// `preview [--out DIR]`: every kind of mail as NAME.html, NAME.txt and NAME.eml, and in other languages than the site's own as
// NAME.de.html and so on. The digest is the next one of this site, or one of sample stories if there are none yet. Sends and changes
// nothing; its links belong to no subscriber.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from '../../db/context.ts'
import { buildMessage, makeMessageId } from '../../delivery/message.ts'
import { type PreviewMail, previewMails, previewRecipient } from '../../digests/preview-mails.ts'
import { readAlternative } from '../../mails/mime.ts'
import { languagesOf, messagesFor } from '../../messages/messages.ts'
import type { Out } from '../out.ts'

export async function previewCommand(
  ctx: Context,
  options: { out?: string | undefined; json?: boolean | undefined },
  out: Out,
): Promise<number> {
  const folder = options.out ?? 'tmp/preview'
  await mkdir(folder, { recursive: true })
  for (const { name, compose } of everyMail(ctx)) {
    const mail = await compose()
    const { html, text } = await readAlternative(mail)
    const messageId = makeMessageId(0, 'preview', mail.from.address)
    const message = Buffer.concat(
      await buildMessage(mail, { recipient: previewRecipient, messageId, date: ctx.clock.now() }, null),
    )
    await writeFile(join(folder, `${name}.html`), html)
    await writeFile(join(folder, `${name}.txt`), `${mail.subject}\n\n${text}`)
    await writeFile(join(folder, `${name}.eml`), message)
    const file = join(folder, `${name}.html`)
    if (options.json) out.print(JSON.stringify({ mail: name, subject: mail.subject, htmlBytes: mail.htmlBytes, file }))
    else out.print(`${name.padEnd(19)} ${String(mail.htmlBytes).padStart(6)} bytes  ${file}  ${mail.subject}`)
  }
  return 0
}

/** NAME in the site's own language, NAME.LANGUAGE in the others. Mails to editors have one language. */
function everyMail(ctx: Context): PreviewMail[] {
  const own = messagesFor(ctx.config, null).language
  return languagesOf(ctx.config).flatMap((locale) =>
    previewMails(ctx, { locale })
      .filter(({ isForEditors }) => locale === own || !isForEditors)
      .map((mail) => (locale === own ? mail : { ...mail, name: `${mail.name}.${locale}` })),
  )
}
