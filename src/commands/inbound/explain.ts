// `inbound explain`: how returned mails would be understood. Changes nothing and needs no database.

import { readFile } from 'node:fs/promises'
import type { Config } from '../../base/config.ts'
import type { Out } from '../out.ts'
import { readReturnPath } from '../../delivery/return-path.ts'
import type { InboundKind, InboundMail, InboundReport } from '../../inbound/mail.ts'
import { ownAddresses } from '../../inbound/our-addresses.ts'
import { inboundReader } from '../../inbound/reader.ts'

export interface Explained {
  file: string
  kind: InboundKind
  reports: (Pick<InboundReport, 'recipient' | 'status' | 'class' | 'reason' | 'text'> & { delivery: number | null })[]
}

/**
 * One line per file, in the order given. A file that can't be opened or read gets a reason and doesn't stop the others; the exit
 * code is then 1.
 */
export async function inboundExplain(
  config: Pick<Config, 'mail' | 'secretKeys'>,
  args: { files: readonly string[]; json?: boolean; resolve: (file: string) => string },
  out: Out,
): Promise<number> {
  let exit = 0
  for (const file of args.files)
    try {
      const mail = await inboundReader.read(await readFile(args.resolve(file)), ownAddresses(config))
      const explained = explain(file, mail, config)
      out.print(args.json ? JSON.stringify(explained) : inWords(explained))
    } catch (error) {
      exit = 1
      const { code, message } = error as NodeJS.ErrnoException
      const reason = code ? `The file can't be opened (${code}).` : message
      if (args.json) out.print(JSON.stringify({ file, error: reason }))
      out.error(`${file}: ${reason}`)
    }
  return exit
}

function explain(file: string, mail: InboundMail, { secretKeys }: Pick<Config, 'secretKeys'>): Explained {
  const { verp, deliveryHeader } = mail.returned
  const delivery = [...mail.to, ...verp, deliveryHeader ?? '']
    .map((address) => readReturnPath(secretKeys, address))
    .find((id) => id !== null)
  const reports = mail.reports.map(({ recipient, status, class: what, reason, text }) => ({
    recipient,
    status,
    class: what,
    reason,
    delivery: delivery ?? null,
    text,
  }))
  return { file, kind: mail.kind, reports }
}

function inWords({ file, kind, reports }: Explained): string {
  const lines = reports.map(
    ({ recipient, status, class: what, reason, delivery, text }) =>
      `  ${recipient ?? '(no address)'}: ${[what, reason, status, delivery === null ? null : `delivery ${delivery}`]
        .filter((each) => each !== null && each !== 'other')
        .join(', ')}\n      ${text.replace(/\s+/g, ' ').slice(0, 200)}`,
  )
  return [`${file}: ${kind}`, ...lines].join('\n')
}
