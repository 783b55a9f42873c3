// The certificates with which SNS signs, fetched once and cached while they are valid. The fetch function is passed in. In
// production it is the guarded fetcher, for addresses that sns.ts has checked.

import type { KeyObject } from 'node:crypto'
import { Refusal } from '../base/errors.ts'
import type { FetchResult } from '../articles/safe-fetch.ts'
import { readSigningKey } from './sns.ts'

/** There are only a few. More would come from invented addresses. */
const mostKept = 20
const mostFetchesAMinute = 10

export class SnsCertificates {
  #fetch: (url: string) => Promise<FetchResult>
  #kept = new Map<string, { key: KeyObject; validUntil: Date }>()
  #fetches: number[] = []

  constructor(fetch: (url: string) => Promise<FetchResult>) {
    this.#fetch = fetch
  }

  async get(url: string, now: Date): Promise<KeyObject> {
    const known = this.#kept.get(url)
    if (known && known.validUntil > now) return known.key
    this.#fetches = this.#fetches.filter((at) => Math.abs(now.getTime() - at) < 60_000)
    if (this.#fetches.length >= mostFetchesAMinute)
      throw new Refusal('unavailable', 'Too many certificates were asked for. Please try again in a minute.')
    this.#fetches.push(now.getTime())
    const answer = await this.#fetch(url)
    if (answer.outcome === 'failed' || answer.status >= 500)
      throw new Refusal('unavailable', 'The certificate can’t be fetched at the moment.')
    if (answer.status !== 200 || answer.url !== url)
      throw new Refusal('forbidden', 'There is no certificate at its address.')
    const found = readSigningKey(answer.bytes, now)
    if (this.#kept.size >= mostKept) this.#kept.delete(this.#kept.keys().next().value!)
    this.#kept.set(url, found)
    return found.key
  }
}
