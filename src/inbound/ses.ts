// Notifications of Amazon SES: bounces, complaints, deliveries. They contain our envelope sender and, if the topic includes the
// original headers, our own headers, including the Message-ID that SES replaced.
// https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html

import { z } from 'zod'
import { bounceReport, type FactReport, type ProviderBounce, plainReport } from './provider-reports.ts'
import type { InboundFacts } from './store.ts'

const text = z.string().nullish()
const recipient = z.object({ emailAddress: z.string(), status: text, diagnosticCode: text })
const notification = z.object({
  notificationType: text,
  /** Its name in event publishing. */
  eventType: text,
  mail: z.object({ source: text, headers: z.array(z.object({ name: z.string(), value: z.string() })).nullish() }),
  bounce: z.object({ bounceType: z.string(), bounceSubType: text, bouncedRecipients: z.array(recipient) }).nullish(),
  complaint: z.object({ complaintFeedbackType: text, complainedRecipients: z.array(recipient) }).nullish(),
  delivery: z.object({ recipients: z.array(z.string()), smtpResponse: text }).nullish(),
})
type Notification = z.output<typeof notification>

/** null: not about the end of a mail, such as SES's test message for a topic. */
export function readSesNotification(id: string, given: unknown): InboundFacts | null {
  const parsed = notification.safeParse(given)
  if (!parsed.success) return null
  const { mail } = parsed.data
  const reports = reportsOf(parsed.data)
  if (reports.length === 0) return null
  const header = (name: string) => mail.headers?.find((each) => each.name.toLowerCase() === name)?.value ?? null
  return {
    id,
    returnPath: mail.source ?? null,
    deliveryHeader: header('x-broadsheet-delivery'),
    messageId: header('message-id'),
    reports,
  }
}

function reportsOf({ notificationType, eventType, bounce, complaint, delivery }: Notification): FactReport[] {
  const type = notificationType ?? eventType
  if (type === 'Bounce' && bounce) return bounce.bouncedRecipients.flatMap((one) => bounced(bounce, one))
  if (type === 'Complaint' && complaint) {
    const about = complaint.complaintFeedbackType?.toLowerCase()
    // "Not spam" isn't a complaint; a failed authentication isn't a subscriber's.
    if (about === 'not-spam' || about === 'auth-failure') return []
    return complaint.complainedRecipients.map(({ emailAddress }) =>
      plainReport(emailAddress, 'complaint', about ?? null),
    )
  }
  if (type === 'Delivery' && delivery)
    return delivery.recipients.map((address) => plainReport(address, 'delivered', delivery.smtpResponse ?? null))
  return []
}

function bounced(
  { bounceType, bounceSubType }: NonNullable<Notification['bounce']>,
  { emailAddress, status, diagnosticCode }: z.output<typeof recipient>,
): FactReport {
  if (bounceSubType === 'UnsubscribedRecipient') return plainReport(emailAddress, 'unsubscribe', bounceSubType)
  const isListed = bounceSubType === 'Suppressed' || bounceSubType === 'OnAccountSuppressionList'
  const verdict: ProviderBounce['verdict'] = bounceType !== 'Permanent' ? 'transient' : isListed ? 'dead' : 'permanent'
  const report = bounceReport({
    recipient: emailAddress,
    verdict,
    status: status ?? null,
    diagnostic: diagnosticCode ?? null,
  })
  const full = bounceSubType === 'MailboxFull' && report.reason === 'other'
  return {
    ...report,
    reason: full ? 'mailbox_full' : report.reason,
    diagnostic: report.diagnostic ?? [bounceType, bounceSubType].filter(Boolean).join(', '),
  }
}
