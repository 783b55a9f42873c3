// The parts of one mail's dialogue with a relay: its envelope, its stages, and how it ended. Pure.

import type { SmtpReply } from './smtp-reply.ts'

export type SmtpStage = 'mail' | 'rcpt' | 'data' | 'body' | 'dot'

/** How a dialogue ended. `reply` null: cut off or timed out at that stage without an answer; `cause` says why. */
export interface SmtpOutcome {
  isAccepted: boolean
  stage: SmtpStage
  reply: SmtpReply | null
  cause: string | null
  /** The relay said nothing about this mail, and the mail wasn't the cause: it isn't counted as an attempt. */
  isUntouched?: boolean
}

export interface Envelope {
  from: string
  to: string
  /** Size of the message, without the final dot. */
  bytes: number
}

export interface SmtpTimeouts {
  connectSeconds: number
  commandSeconds: number
  /** Timeout after the dot. A timeout below RFC 5321's ten minutes causes duplicates. */
  dotSeconds: number
}

export const rfcTimeouts: SmtpTimeouts = { connectSeconds: 30, commandSeconds: 300, dotSeconds: 600 }

/** Whether the relay has accepted or refused the envelope. */
export function isAnswered(...replies: (SmtpReply | null | undefined)[]): boolean {
  return replies.at(-1) !== null || replies.some((reply) => reply && reply.code >= 400)
}

/**
 * Whether a reply can't belong to its command, such as 250 to DATA: an earlier command was answered twice, and later replies can't
 * be assigned.
 */
export function isOutOfStep(...[mail, rcpt, data]: (SmtpReply | null | undefined)[]): boolean {
  const isSuccess = (reply: SmtpReply | null | undefined) => reply !== null && reply !== undefined && reply.code < 300
  const isIntermediate = (reply: SmtpReply | null | undefined) =>
    reply?.code !== undefined && reply.code >= 300 && reply.code < 400
  return isSuccess(data) || isIntermediate(mail) || isIntermediate(rcpt) || (isIntermediate(data) && data!.code !== 354)
}

export function refused(stage: SmtpStage, code: number, enhanced: string, text: string): SmtpOutcome {
  return { isAccepted: false, stage, reply: { code, enhanced, text }, cause: null }
}

/** Contains nothing that could end the command or the angle brackets. */
export function isPath(address: string): boolean {
  return /^[\x21-\x3b\x3d\x3f-\x7e]*$/.test(address) && address.length <= 254
}

export function sizeOf(parts: readonly Buffer[]): number {
  let size = 0
  for (const part of parts) size += part.length
  return size
}
