// All input about articles that comes from strangers is parsed in a thread of its own: base/parser-thread.ts.

import { ownBytes, ParserThread, type ParserLimits, Unreadable } from '../base/parser-thread.ts'
import type { Origin } from './feed-formats.ts'
import type { DocumentReading, FeedList, ParseJob, PlainTexts, PushedTexts, SiteCategories } from './parse-jobs.ts'

export class Parser extends ParserThread<ParseJob> {
  constructor(limits: Partial<ParserLimits> = {}) {
    super(new URL('./parser-thread.ts', import.meta.url), limits)
  }

  /**
   * Takes over the bytes: they are empty for the caller afterwards. `before` runs when parsing of the document begins, and its
   * errors are passed on. Never throws because of the document: if the thread didn't survive it, the document is refused, with
   * `isFatal`.
   */
  async read(
    given: Uint8Array,
    origin: Origin,
    options: { orPage?: boolean; link?: string | undefined; before?: () => Promise<unknown> } = {},
  ): Promise<DocumentReading & { isFatal?: true }> {
    const bytes = ownBytes(given)
    try {
      return await this.run<DocumentReading>(
        { kind: 'document', bytes, origin, orPage: options.orPage ?? false, link: options.link },
        { before: options.before, transfer: [bytes.buffer] },
      )
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      return { outcome: 'refused', reason: error.message, isFatal: true }
    }
  }

  /** Never throws because of the site's answer. */
  siteCategories(given: Uint8Array, home: string): Promise<SiteCategories> {
    const bytes = ownBytes(given)
    return this.#orSentence<SiteCategories>({ kind: 'site-categories', bytes, home }, bytes)
  }

  /** Never throws because of the list. */
  feedList(given: Uint8Array): Promise<FeedList> {
    const bytes = ownBytes(given)
    return this.#orSentence<FeedList>({ kind: 'feed-list', bytes }, bytes)
  }

  async #orSentence<Answer>(job: ParseJob, bytes: Uint8Array<ArrayBuffer>): Promise<Answer | string> {
    try {
      return await this.run<Answer>(job, { transfer: [bytes.buffer] })
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      return error.message
    }
  }

  /** Short texts, so they don't wait behind documents. Throws Unreadable. */
  texts(texts: readonly PushedTexts[]): Promise<PlainTexts[]> {
    return this.run<PlainTexts[]>({ kind: 'texts', texts }, { isShort: true })
  }
}

/** The only instance of the process. */
export const parser = new Parser()
