// Whether a relay may be told of the next mail behind the final dot of the last one (RFC 2920 §3.1 lets commands follow it). That
// saves one of two round trips a mail. Some relays can't cope: they close right after 250, so that the kernel resets the
// connection over the unread announcement and the 250 may be lost; or they discard what follows the dot; or they answer it wrongly.
// One such end is enough: that relay gets no announcements for a day. So that it costs one mail, not one per connection, a single
// connection makes the first announcement; the others follow once it was answered.

import type { Db } from '../db/connect.ts'
import { findSetting, setSetting } from '../db/settings.ts'

const offHours = 24

/** What the database keeps about a relay that can't cope. */
export interface AnnouncementsOff {
  since: string
  why: string
}

export class Announcements {
  #state: 'untried' | 'trying' | 'proven' | 'off'
  #remember: (why: string) => void

  constructor(off: AnnouncementsOff | null, remember: (why: string) => void) {
    this.#state = off ? 'off' : 'untried'
    this.#remember = remember
  }

  /** Whether one may be made now. Who gets true tells how it ended. */
  begin(): boolean {
    if (this.#state === 'untried') {
      this.#state = 'trying'
      return true
    }
    return this.#state === 'proven'
  }

  /** It was answered as it should be. */
  answered(): void {
    if (this.#state === 'trying') this.#state = 'proven'
  }

  /** We took it back, by closing the connection: says nothing about the relay. */
  withdrawn(): void {
    if (this.#state === 'trying') this.#state = 'untried'
  }

  /** The connection broke over it, or the answers didn't fit. */
  failed(why: string): void {
    if (this.#state === 'off') return
    this.#state = 'off'
    this.#remember(why)
  }
}

const keyOf = (relayName: string) => `no_announcements ${relayName}`

/** null: it may be told. */
export async function findAnnouncementsOff(db: Db, relayName: string, now: Date): Promise<AnnouncementsOff | null> {
  const off = await findSetting<AnnouncementsOff>(db, keyOf(relayName))
  return off && now.getTime() - Date.parse(off.since) < offHours * 3_600_000 ? off : null
}

export async function setAnnouncementsOff(db: Db, relayName: string, why: string, now: Date): Promise<void> {
  const off: AnnouncementsOff = { since: now.toISOString(), why }
  await setSetting(db, keyOf(relayName), off)
}
