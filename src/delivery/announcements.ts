// Decides whether a relay may be told of the next mail right behind the final dot of the last one (RFC 2920 §3.1 lets commands
// follow it). That saves one of two round trips per mail. Some relays can't handle it: they close right after 250, so that the
// kernel resets the connection over the unread announcement and the 250 may be lost; or they discard what follows the dot; or they
// answer it wrongly. After one such failure the relay gets no announcements for a day. Only one connection makes the first
// announcement, so the failure costs one mail, not one per connection. The others announce once it was answered.

import type { Db } from '../db/connect.ts'
import { findSetting, setSetting } from '../db/settings.ts'

const offHours = 24

/** What the database stores about a relay that can't handle announcements. */
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

  /** Whether an announcement may be made now. A caller that gets true must report how it ended. */
  begin(): boolean {
    if (this.#state === 'untried') {
      this.#state = 'trying'
      return true
    }
    return this.#state === 'proven'
  }

  /** The announcement was answered correctly. */
  answered(): void {
    if (this.#state === 'trying') this.#state = 'proven'
  }

  /** We closed the connection to take the announcement back. That says nothing about the relay. */
  withdrawn(): void {
    if (this.#state === 'trying') this.#state = 'untried'
  }

  /** The connection broke, or the answers didn't fit. */
  failed(why: string): void {
    if (this.#state === 'off') return
    this.#state = 'off'
    this.#remember(why)
  }
}

const keyOf = (relayName: string) => `no_announcements ${relayName}`

/** null: the relay may get announcements. */
export async function findAnnouncementsOff(db: Db, relayName: string, now: Date): Promise<AnnouncementsOff | null> {
  const off = await findSetting<AnnouncementsOff>(db, keyOf(relayName))
  return off && now.getTime() - Date.parse(off.since) < offHours * 3_600_000 ? off : null
}

export async function setAnnouncementsOff(db: Db, relayName: string, why: string, now: Date): Promise<void> {
  const off: AnnouncementsOff = { since: now.toISOString(), why }
  await setSetting(db, keyOf(relayName), off)
}
