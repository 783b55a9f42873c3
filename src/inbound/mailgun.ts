// Webhooks of Mailgun. The signature covers a time and a token, but not the event. So the time must be recent, and a token is
// accepted for one event (webhooks.ts). https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks

import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { Refusal } from '../base/errors.ts'
import {
  bounceReport,
  checkFreshness,
  type FactReport,
  parseJson,
  type ProviderBounce,
  plainReport,
} from './provider-reports.ts'
import type { InboundFacts } from './store.ts'

const text = z.string().nullish()
const webhook = z.object({
  signature: z.object({
    timestamp: z.union([z.string().regex(/^\d{1,12}$/), z.int().min(0)]).transform(String),
    token: z.string().min(1).max(200),
    signature: z.string().regex(/^[0-9a-f]{64}$/i),
  }),
  'event-data': z.looseObject({ id: z.string().min(1).max(200), event: z.string() }),
})
const eventData = z.object({
  id: z.string(),
  event: z.string(),
  recipient: z.string(),
  /** `permanent`, or `temporary`: Mailgun will try again. */
  severity: text,
  reason: text,
  'delivery-status': z
    .object({
      code: z.union([z.int(), z.string()]).nullish(),
      message: text,
      description: text,
      'enhanced-code': text,
      'bounce-type': text,
    })
    .nullish(),
  message: z.object({ headers: z.record(z.string(), z.unknown()).nullish() }).nullish(),
  envelope: z.object({ sender: text }).nullish(),
})
type EventData = z.output<typeof eventData>

/** Returns the event of a body that Mailgun has signed, or throws a Refusal. */
export function verifyMailgun(
  raw: Uint8Array,
  rules: { signingKey: string; now: Date },
): { token: string; event: { id: string } & Record<string, unknown> } {
  const parsed = webhook.safeParse(parseJson(raw))
  if (!parsed.success) throw new Refusal('invalid', 'This is no webhook of Mailgun.')
  const { timestamp, token, signature } = parsed.data.signature
  const expected = createHmac('sha256', rules.signingKey).update(`${timestamp}${token}`).digest()
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex')))
    throw new Refusal('forbidden', 'The signature is wrong.')
  checkFreshness(new Date(Number(timestamp) * 1000), rules.now)
  return { token, event: parsed.data['event-data'] }
}

/** null: an event that isn't the end of a mail, such as an opened mail, or another try. */
export function readMailgunEvent(given: unknown): InboundFacts | null {
  const parsed = eventData.safeParse(given)
  const report = parsed.success ? reportOf(parsed.data) : null
  if (!parsed.success || !report) return null
  const { id, message, envelope } = parsed.data
  const headers = new Map(Object.entries(message?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  const header = (name: string) => {
    const value = headers.get(name)
    return typeof value === 'string' ? value : null
  }
  return {
    id,
    returnPath: envelope?.sender ?? null,
    deliveryHeader: header('x-broadsheet-delivery'),
    messageId: header('message-id'),
    reports: [report],
  }
}

function reportOf(event: EventData): FactReport | null {
  const { recipient, severity, reason } = event
  const said = event['delivery-status']
  const diagnostic = [said?.code, said?.message || said?.description].filter(Boolean).join(' ') || null
  if (event.event === 'complained') return plainReport(recipient, 'complaint', null)
  if (event.event === 'unsubscribed') return plainReport(recipient, 'unsubscribe', null)
  if (event.event === 'delivered') return plainReport(recipient, 'delivered', diagnostic)
  if (event.event !== 'failed' || severity !== 'permanent') return null
  // The address is on one of Mailgun's suppression lists, so the mail wasn't tried: there was a complaint, an unsubscribe or a
  // bounce before.
  if (reason === 'suppress-complaint') return plainReport(recipient, 'complaint', diagnostic)
  if (reason === 'suppress-unsubscribe') return plainReport(recipient, 'unsubscribe', diagnostic)
  const verdict: ProviderBounce['verdict'] =
    reason === 'suppress-bounce'
      ? 'dead'
      : reason === 'old' || reason === 'espblock' || said?.['bounce-type'] === 'soft'
        ? 'transient'
        : 'permanent'
  return bounceReport({ recipient, verdict, status: said?.['enhanced-code'] || null, diagnostic })
}
