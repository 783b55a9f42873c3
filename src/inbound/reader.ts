// Reads returned mails in a thread of its own (base/parser-thread.ts), because anybody may send one.

import { ParserThread, type ParserLimits } from '../base/parser-thread.ts'
import type { InboundMail, OwnAddresses } from './mail.ts'
import { mostBytes } from './open.ts'

export interface ReadJob {
  raw: Uint8Array
  own: OwnAddresses
}

export class InboundReader extends ParserThread<ReadJob> {
  constructor(limits: Partial<ParserLimits> = {}) {
    super(new URL('./reader-thread.ts', import.meta.url), { deadlineMs: 5000, ...limits })
  }

  /** Throws Unreadable if the thread didn't survive the mail. */
  read(raw: Uint8Array, own: OwnAddresses): Promise<InboundMail> {
    const head = new Uint8Array(raw.subarray(0, mostBytes))
    return this.run<InboundMail>({ raw: head, own }, { transfer: [head.buffer] })
  }
}

/** The only instance of the process. */
export const inboundReader = new InboundReader()
