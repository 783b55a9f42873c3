// Whether and how returned mail is received. Part of `doctor`.

import type { Config } from '../../base/config.ts'
import { reportDays } from '../../inbound/match.ts'
import type { ImapMailbox } from '../../base/inbound-ways.ts'
import { explain } from '../../inbound/imap.ts'
import { openImap } from '../../inbound/imap-session.ts'
import { addressOf } from '../../base/addresses.ts'
import type { Finding } from './finding.ts'

export async function checkInbound(config: Config): Promise<Finding[]> {
  if (config.trial) return []
  const { listen, imap, sesTopics, mailgunKey } = config.inbound
  const webhook = (what: string, path: string): Finding => {
    const address = addressOf(config, path)
    return address.startsWith('https:')
      ? { what, state: 'ok', found: `at ${address}` }
      : { what, state: 'warn', found: `at ${address}, which is plain http`, fix: 'Use https for webhooks.' }
  }
  const ways: Finding[] = [
    ...(listen
      ? [
          {
            what: 'returned mail',
            state: 'ok',
            found: `a worker receives mail to ${config.mail.bounceDomain} at ${listen.host}:${listen.port}`,
          } as const,
        ]
      : []),
    ...(imap ? [await doctorImap(imap)] : []),
    ...(sesTopics.length ? [webhook('webhooks of Amazon SES', '/inbound/ses')] : []),
    ...(mailgunKey ? [webhook('webhooks of Mailgun', '/inbound/mailgun')] : []),
  ]
  if (ways.length && config.retentionDays < reportDays)
    ways.push({
      what: 'RETENTION_DAYS',
      state: 'warn',
      found: `reports can arrive for ${reportDays} days, but deliveries are kept for ${config.retentionDays}`,
      fix: `Set it to ${reportDays} or more. A report proves nothing if its delivery was deleted.`,
    })
  if (ways.length) return ways
  const fix = 'Set up one of the ways in docs/returned-mail.md.'
  return [
    {
      what: 'returned mail',
      state: 'warn',
      found: 'not set up: bounces and complaints are not received',
      fix,
    },
  ]
}

/** Signs in and opens the folder read-only. */
export async function doctorImap(mailbox: ImapMailbox): Promise<Finding> {
  const what = 'mailbox of INBOUND_IMAP'
  const client = openImap(mailbox)
  try {
    await client.connect()
    const { exists } = await client.mailboxOpen(mailbox.folder, { readOnly: true })
    const mails = exists === 1 ? '1 mail' : `${exists} mails`
    return { what, state: 'ok', found: `${mailbox.name}, folder ${mailbox.folder}: ${mails}` }
  } catch (error) {
    const fix = 'Check the host, the user name, the password and the folder in INBOUND_IMAP.'
    return { what, state: 'fail', found: `${mailbox.name}, folder ${mailbox.folder}: ${explain(error)}`, fix }
  } finally {
    client.close()
  }
}
