// Whether mail can come back, and by which ways. Part of `doctor`.

import type { Config } from '../base/config.ts'
import type { Finding } from './doctor.ts'

export function checkInbound(config: Config): Finding[] {
  if (config.trial) return []
  const { sesTopics, mailgunKey } = config.inbound
  const webhook = (what: string, path: string): Finding => {
    const address = `${config.web.publicUrl}${path}`
    return config.web.secure
      ? { what, state: 'ok', found: `at ${address}` }
      : { what, state: 'warn', found: `at ${address}, which is plain http`, fix: 'Webhooks should be posted by https.' }
  }
  const ways: Finding[] = [
    ...(sesTopics.length ? [webhook('webhooks of Amazon SES', '/inbound/ses')] : []),
    ...(mailgunKey ? [webhook('webhooks of Mailgun', '/inbound/mailgun')] : []),
  ]
  if (ways.length) return ways
  const fix = 'Set up one of the ways under "Mail that comes back" in docs/operating.md.'
  return [
    {
      what: 'mail that comes back',
      state: 'warn',
      found: 'nothing comes back: no bounce and no complaint is seen',
      fix,
    },
  ]
}
